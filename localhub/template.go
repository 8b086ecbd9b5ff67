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
	"strings"
	"time"

	"github.com/securecart/hub/internal/local/devca"
	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/template/host"
)

// templateSettings are what the command line of localhub -template says.
type templateSettings struct {
	template     string
	addr, admin  string
	adminToken   secretFlag
	stage        string
	parameters   pairsFlag
	functions    pairsFlag // URLs by function
	env          pairsFlag // values by NAME, or by FUNCTION.NAME
	idleTimeout  time.Duration
	maxAge       time.Duration
	faults       faultsFlag
	requireSigV4 bool
	log          logSettings
}

func parseTemplateFlags(args []string, stdout io.Writer) (*templateSettings, error) {
	s := templateSettings{parameters: pairsFlag{}, functions: pairsFlag{}, env: pairsFlag{}}
	fs := newFlagSet("localhub -template")
	s.flags(fs)
	if done, err := parseFlags(fs, withMix(args), stdout); done || err != nil {
		return nil, err
	}
	if s.template == "" {
		return nil, usagef("-template needs a file")
	}
	if err := checkAdmin(s.admin); err != nil {
		return nil, err
	}
	if err := s.adminToken.check("-admin-token"); err != nil {
		return nil, err
	}
	return &s, checkTimesAndLog(s.idleTimeout, s.maxAge, s.log)
}

func (s *templateSettings) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.template, "template", "", "SAM or CloudFormation `file`, YAML or JSON")
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8787", "`address` of the API")
	fs.StringVar(&s.admin, "admin", defaultAdmin, "`address` of the admin API, on this machine only")
	fs.Var(&s.adminToken, "admin-token", adminTokenUsage)
	fs.StringVar(&s.stage, "stage", "", "`name` of the stage, if the template has several")
	fs.Var(s.parameters, "parameter", "value of a template parameter or a pseudo parameter such as AWS::Region, "+
		"`NAME=VALUE`; may be repeated")
	fs.Var(s.functions, "function", "URL of Lambda's Invoke API for a function, `FUNCTION=URL` with its logical id; "+
		"may be repeated")
	fs.Var(s.env, "env", "environment variable of all functions, `NAME=VALUE`, or of one, FUNCTION.NAME=VALUE; "+
		"may be repeated")
	fs.DurationVar(&s.idleTimeout, "idle-timeout", 10*time.Minute, "close a connection after this time without a message")
	fs.DurationVar(&s.maxAge, "max-age", house.MaxAge, "close a connection that is this old")
	fs.Var(&s.faults, "faults", faultsUsage+strings.Join(faults.Names(), ", "))
	fs.BoolVar(&s.requireSigV4, "require-sigv4", false, requireSigV4Usage)
	s.log.flags(fs)
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
	admin, err := listen(s.admin, "-admin")
	if err != nil {
		return err
	}
	defer admin.Close()
	authority, err := devca.Open()
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	log := s.log.newLog(stderr)
	h, err := host.New(host.Options{
		File: s.template, Template: data, Parameters: s.parameters, Stage: s.stage, Functions: s.functions, Env: s.env,
		Path: os.Getenv("PATH"),
		Addr: dialAddress(listener.Addr()), Authority: authority,
		AdminAddr: admin.Addr().String(), AdminToken: s.adminToken.value,
		IdleTimeout: s.idleTimeout, MaxAge: s.maxAge, Faults: s.faults.set, RequireSigV4: s.requireSigV4,
		Log: log, Output: stderr,
	})
	if err != nil {
		return err
	}
	tlsOrPlain, err := h.Listener(listener)
	if err == nil {
		err = h.WriteBanner(stdout, version())
	}
	if err != nil {
		return errors.Join(err, h.Close())
	}
	return serveUntil(ctx, h, log, map[net.Listener]http.Handler{tlsOrPlain: h, admin: h.Admin()})
}
