package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/local/house"
)

// settings are what the command line says.
type settings struct {
	addr, admin  string
	adminToken   secretFlag
	showPrivate  bool
	apiKey       secretFlag
	origins      originsFlag
	seed         string
	stage        string
	web          string
	idleTimeout  time.Duration
	maxAge       time.Duration
	faults       faultsFlag
	requireSigV4 bool
	limits       string
	deprecations deprecationsFlag
	connectRate  int
	accountRate  int
	noSockets    bool
	batchWindow  time.Duration
	log          logSettings
	storage      storage
	dynamodb     dynamodb
	lambda       string
}

// parse reads the flags of localhub. It returns nil if there is nothing more to do.
func parse(args []string, stdout io.Writer) (*settings, error) {
	var s settings
	fs := newFlagSet("localhub")
	s.flags(fs)
	printVersion := fs.Bool("version", false, "print the version and exit")
	if done, err := parseFlags(fs, withMix(args), stdout); done || err != nil {
		return nil, err
	}
	if *printVersion {
		fmt.Fprintln(stdout, "localhub", version())
		return nil, nil
	}
	return &s, s.check()
}

func (s *settings) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8787", "`address` of the sockets and the page")
	fs.StringVar(&s.admin, "admin", defaultAdmin, "`address` of the admin API, on this machine only")
	fs.Var(&s.adminToken, "admin-token", adminTokenUsage)
	fs.BoolVar(&s.showPrivate, "show-private", false, "show carts in the log of events that the admin API serves; "+
		"tokens stay masked")
	fs.Var(&s.apiKey, "api-key", "`key` of the shop's systems for /v1/inventory on the admin API; @FILE reads it from a "+
		"file (default: they have none)")
	fs.Var(&s.origins, "allowed-origins", "`origins` of pages that may open sockets, separated by commas "+
		"(default: those of the same host and of this machine)")
	fs.StringVar(&s.seed, "seed", "", "`file` with a JSON catalogue (default: 40 built-in products)")
	fs.StringVar(&s.stage, "stage", "v1", "`name` of the stage, the path of the socket")
	fs.StringVar(&s.web, "web", "", "`directory` to serve the page from (default: built in)")
	fs.DurationVar(&s.idleTimeout, "idle-timeout", 10*time.Minute, "close a connection after this time without a message")
	fs.DurationVar(&s.maxAge, "max-age", house.MaxAge, "close a connection that is this old")
	fs.IntVar(&s.connectRate, "connect-rate", 0, "`handshakes` a second that are accepted; API Gateway's quota is 500 "+
		"(default: no limit)")
	fs.IntVar(&s.accountRate, "account-rate", 0, "`requests` and posts a second that are accepted, half as many at once; "+
		"API Gateway's quota is 10000 (default: no limit)")
	fs.BoolVar(&s.noSockets, "no-sockets", false, "refuse handshakes with 403, as a network that blocks sockets does; "+
		"HTTP goes on")
	fs.DurationVar(&s.batchWindow, "batch-window", house.DefaultBatchWindow, "collect changes for this time "+
		"before they are sent")
	fs.StringVar(&s.limits, "limits", "", "limits of a client that differ from the defaults: `name=N,...` "+
		"with user (connections), address (new guests in 10 minutes), guest, customer, vendor, "+
		"admin (messages in 10 s), skus, topics, bytes")
	fs.Var(&s.deprecations, "deprecations", "`versions` of the API that end: "+
		"'v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2'")
	fs.Var(&s.faults, "faults", faultsUsage+strings.Join(faults.Names(), ", "))
	fs.BoolVar(&s.requireSigV4, "require-sigv4", false, requireSigV4Usage)
	s.storage.flags(fs)
	s.dynamodb.flags(fs)
	fs.StringVar(&s.lambda, "lambda", "", "run the bootstraps in this `folder`, which make build fills, "+
		"instead of the same handlers in this process; needs -dynamodb")
	s.log.flags(fs)
	fs.String("template", "", "serve the WebSocket API of this SAM or CloudFormation `file` instead; "+
		"localhub -template FILE -h lists the flags")
}

// stageName is the form of a stage's name in API Gateway (G-URL-6).
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func (s *settings) check() error {
	if err := checkAdmin(s.admin); err != nil {
		return err
	}
	switch {
	case !stageName.MatchString(s.stage):
		return usagef("-stage %q: a stage's name has letters, digits, - and _", s.stage)
	case s.connectRate < 0:
		return usagef("-connect-rate %d: it must not be below zero", s.connectRate)
	case s.accountRate < 0:
		return usagef("-account-rate %d: it must not be below zero", s.accountRate)
	case s.batchWindow < 0 || s.batchWindow > house.MaxBatchWindow:
		return usagef("-batch-window %s: it must be from 0s to %s", s.batchWindow, house.MaxBatchWindow)
	}
	if _, err := hub.ParseLimits(s.limits); err != nil {
		return usagef("-limits: %w", err)
	}
	if err := checkTimesAndLog(s.idleTimeout, s.maxAge, s.log); err != nil {
		return err
	}
	if err := s.adminToken.check("-admin-token"); err != nil {
		return err
	}
	if err := s.apiKey.check("-api-key"); err != nil {
		return err
	}
	if err := s.storage.check(s.dynamodb.endpoint); err != nil {
		return err
	}
	return s.dynamodb.check(s.lambda)
}

// checkAdmin checks the address of the admin API.
func checkAdmin(address string) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usagef("-admin %s: the admin API is for this machine only, for example 127.0.0.1:8788", address)
	}
	return nil
}

// checkTimesAndLog checks the flags that localhub has both with and without a template.
func checkTimesAndLog(idleTimeout, maxAge time.Duration, log logSettings) error {
	switch {
	case idleTimeout <= 0:
		return usagef("-idle-timeout %s: it must be above zero", idleTimeout)
	case maxAge <= 0 || maxAge > house.MaxAge:
		return usagef("-max-age %s: it must be above zero and at most %s, the limit of API Gateway", maxAge, house.MaxAge)
	}
	return log.check()
}
