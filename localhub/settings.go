package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// settings are what the command line says.
type settings struct {
	addr, admin  string
	adminToken   secret
	origins      origins
	seed         string
	stage        string
	web          string
	idleTimeout  time.Duration
	maxAge       time.Duration
	faults       faults
	requireSigV4 bool
	limits       string
	logFormat    string
	dynamodb     dynamodb
	lambda       string
}

// parse reads the flags of localhub. It returns nil if there is nothing more to
// do.
func parse(args []string, stdout io.Writer) (*settings, error) {
	var s settings
	fs := newFlagSet("localhub")
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8787", "`address` of the sockets and the page")
	fs.StringVar(&s.admin, "admin", "127.0.0.1:8788", "`address` of the admin API, on this machine only")
	fs.Var(&s.adminToken, "admin-token", "`token` that the admin API wants, on a machine that others use too; @FILE reads it from a file, for a command line is not secret")
	fs.Var(&s.origins, "allowed-origins", "`origins` of pages that may open sockets, with commas (default: of the same host and of this machine)")
	fs.StringVar(&s.seed, "seed", "", "`file` with a JSON catalogue (default: one of 40 products, built in)")
	fs.StringVar(&s.stage, "stage", "v1", "`name` of the stage, the path of the socket")
	fs.StringVar(&s.web, "web", "", "`directory` to serve the page from (default: built in)")
	fs.DurationVar(&s.idleTimeout, "idle-timeout", 10*time.Minute, "end a connection that was silent for so long")
	fs.DurationVar(&s.maxAge, "max-age", 2*time.Hour, "end a connection that is so old")
	fs.StringVar(&s.limits, "limits", "", "what a client may use, where it differs from the defaults: `name=N,...`, names: user, address (connections), guest, customer, vendor, admin (messages in 10 s), skus, topics, bytes")
	fs.Var(&s.faults, "faults", "misbehave on purpose: alone for a mix, or -faults=`name=N,...`, one in N: "+strings.Join(house.FaultNames(), ", "))
	fs.BoolVar(&s.requireSigV4, "require-sigv4", false, "refuse requests to @connections that are not signed with the printed access key, as AWS does")
	s.dynamodb.flags(fs)
	fs.StringVar(&s.lambda, "lambda", "", "run the bootstraps in this `folder`, which make build fills, instead of the same handlers in this process; wants -dynamodb")
	fs.StringVar(&s.logFormat, "log", "text", "log as `json|text` on standard error")
	fs.String("template", "", "serve the WebSocket API of this SAM or CloudFormation `file` instead; localhub -template FILE -h lists the flags")
	version := fs.Bool("version", false, "print the version and end")
	if done, err := parseFlags(fs, withMix(args), stdout); done || err != nil {
		return nil, err
	}
	if *version {
		fmt.Fprintln(stdout, "localhub", buildVersion())
		return nil, nil
	}
	return &s, s.check()
}

func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // one line tells what is wrong, see exit
	return fs
}

// parseFlags reads flags and nothing else. It prints the help if that is asked
// for.
func parseFlags(fs *flag.FlagSet, args []string, stdout io.Writer) (done bool, err error) {
	err = fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stdout, "usage of %s:\n", fs.Name())
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return true, nil
	case err != nil:
		return true, usageError{fmt.Errorf("%w (-h lists the flags)", err)}
	case fs.NArg() > 0:
		hint := "-h lists them"
		if strings.Contains(fs.Arg(0), "=") {
			hint = "-faults=" + fs.Arg(0) + " is written in one"
		}
		return true, usageError{fmt.Errorf("%q is not a flag (%s)", fs.Arg(0), hint)}
	}
	return false, nil
}

// stageName is what API Gateway takes as the name of a stage (G-URL-6).
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func (s *settings) check() error {
	host, _, err := net.SplitHostPort(s.admin)
	ip := net.ParseIP(host)
	switch {
	case err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()):
		return usageError{fmt.Errorf("-admin %s: the admin API serves this machine only, for example 127.0.0.1:8788", s.admin)}
	case !stageName.MatchString(s.stage):
		return usageError{fmt.Errorf("-stage %q: a stage has letters, digits, - and _", s.stage)}
	case s.idleTimeout <= 0:
		return usageError{fmt.Errorf("-idle-timeout %s: it has to be above zero", s.idleTimeout)}
	case s.maxAge <= 0 || s.maxAge > house.MaxAge:
		return usageError{fmt.Errorf("-max-age %s: it has to be above zero and at most %s, as API Gateway's", s.maxAge, house.MaxAge)}
	case s.badLimits() != nil:
		return usageError{fmt.Errorf("-limits: %w", s.badLimits())}
	case s.logFormat != "json" && s.logFormat != "text":
		return usageError{fmt.Errorf("-log %q: it is json or text", s.logFormat)}
	}
	if err := s.adminToken.check(); err != nil {
		return err
	}
	return s.dynamodb.check(s.lambda)
}

// faults is the flag -faults.
type faults struct{ set *gatewaytest.Faults }

// withMix lets the flag stand alone.
func withMix(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "-faults" || arg == "--faults" {
			args[i] = "-faults=mix"
		}
	}
	return args
}

func (f *faults) String() string { return "" }

func (f *faults) Set(value string) (err error) {
	if value == "mix" {
		value = house.MixedFaults
	}
	f.set, err = house.ParseFaults(value)
	return err
}

func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func (s *settings) badLimits() error {
	_, err := hub.ParseLimits(s.limits)
	return err
}
