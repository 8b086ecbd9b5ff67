package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// templateSettings are what the command line says about serving the WebSocket API of a
// template.
type templateSettings struct {
	template     string
	addr         string
	stage        string
	parameters   pairs
	functions    pairs // URLs by function
	env          pairs // values by NAME, or by FUNCTION.NAME
	idleTimeout  time.Duration
	maxAge       time.Duration
	faults       faults
	requireSigV4 bool
	logFormat    string
}

// pairs is a flag NAME=VALUE that may be given more than once.
type pairs map[string]string

func (p pairs) String() string { return "" }

func (p pairs) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if _, twice := p[name]; !ok || name == "" || twice {
		return errors.New("it is NAME=VALUE, once for each name")
	}
	p[name] = value
	return nil
}

// wantsTemplate reports whether -template is among the arguments.
func wantsTemplate(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		return strings.HasPrefix(arg, "-") && name == "template"
	})
}

func parseTemplateFlags(args []string, stdout io.Writer) (*templateSettings, error) {
	s := templateSettings{parameters: pairs{}, functions: pairs{}, env: pairs{}}
	fs := newFlagSet("localhub -template")
	s.flags(fs)
	if done, err := parseFlags(fs, withMix(args), stdout); done || err != nil {
		return nil, err
	}
	switch {
	case s.template == "":
		return nil, usageError{errors.New("-template wants a file")}
	case s.idleTimeout <= 0:
		return nil, usageError{fmt.Errorf("-idle-timeout %s: it has to be above zero", s.idleTimeout)}
	case s.maxAge <= 0 || s.maxAge > house.MaxAge:
		return nil, usageError{fmt.Errorf("-max-age %s: it has to be above zero and at most %s, as API Gateway's", s.maxAge, house.MaxAge)}
	case s.logFormat != "json" && s.logFormat != "text":
		return nil, usageError{fmt.Errorf("-log %q: it is json or text", s.logFormat)}
	}
	return &s, nil
}

func (s *templateSettings) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.template, "template", "", "SAM or CloudFormation `file`, YAML or JSON")
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8787", "`address` of the API")
	fs.StringVar(&s.stage, "stage", "", "`name` of the stage, if the template has several")
	fs.Var(s.parameters, "parameter", "value of a template parameter or a pseudo parameter such as AWS::Region, `NAME=VALUE`; may be repeated")
	fs.Var(s.functions, "function", "where a function takes Lambda's Invoke API, `FUNCTION=URL` with its logical id; may be repeated")
	fs.Var(s.env, "env", "environment variable of all functions, `NAME=VALUE`, or of one, FUNCTION.NAME=VALUE; may be repeated")
	fs.DurationVar(&s.idleTimeout, "idle-timeout", 10*time.Minute, "end a connection that was silent for so long")
	fs.DurationVar(&s.maxAge, "max-age", 2*time.Hour, "end a connection that is so old")
	fs.Var(&s.faults, "faults", "misbehave on purpose: alone for a mix, or -faults=`name=N,...`, one in N: "+strings.Join(house.FaultNames(), ", "))
	fs.BoolVar(&s.requireSigV4, "require-sigv4", false, "refuse requests to @connections that are not signed with the printed access key, as AWS does")
	fs.StringVar(&s.logFormat, "log", "text", "log as `json|text` on standard error")
}

// runTemplate serves the WebSocket API of a template until ctx ends.
func runTemplate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parseTemplateFlags(args, stdout)
	if err != nil || s == nil {
		return err
	}
	data, err := os.ReadFile(s.template)
	if err != nil {
		return fmt.Errorf("-template: %w", err)
	}
	listener, err := listen(s.addr, "-addr")
	if err != nil {
		return err
	}
	defer listener.Close()
	trusted, err := openAuthority()
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	desk := &desk{templateSettings: *s, host: reachable(listener.Addr()), authority: trusted, output: &lines{w: stderr}}
	result, err := samapi.Build(s.template, data, samapi.Options{Parameters: s.parameters, Stage: s.stage, Handler: desk.handler})
	if err == nil {
		err = desk.checkNames(result)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("-template %s cannot be served:\n%w", s.template, err), desk.Close())
	}
	log := newLog(s.logFormat, stderr)
	api := result.API
	api.IdleTimeout, api.MaxAge, api.Faults, api.Log = s.idleTimeout, s.maxAge, s.faults.set, log
	if api.AccessLog != nil {
		api.AccessLog.Output = desk.output.of("access")
	}
	if desk.signed = s.requireSigV4 || api.IAM; desk.signed {
		api.Credentials = []gatewaytest.Credential{devKey}
	}
	gateway, err := gatewaytest.New(api)
	if err != nil {
		return errors.Join(fmt.Errorf("-template %s: %w", s.template, err), desk.Close())
	}
	desk.gateway = gateway
	either, err := desk.either(listener, result)
	if err == nil {
		err = desk.greet(stdout, result)
	}
	if err != nil {
		return errors.Join(err, desk.Close())
	}
	return serveUntil(ctx, desk, log, map[net.Listener]http.Handler{gatewaytest.PreserveHeaderCase(either): gateway})
}
