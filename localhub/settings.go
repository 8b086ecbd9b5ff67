package main

import (
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/local/house"
)

// settings are what the command line says.
type settings struct {
	addr, admin  string
	adminToken   secretFlag
	showPrivate  bool
	record       recordSettings
	apiKey       secretFlag
	catalogue    urlFlag
	orders       urlFlag
	origins      originsFlag
	seed         string
	stage        string
	web          string
	idleTimeout  time.Duration
	maxAge       time.Duration
	faults       faultsFlag
	requireSigV4 bool
	limits       limitsFlag
	deprecations deprecationsFlag
	connectRate  int
	accountRate  int
	noSockets    bool
	batchWindow  time.Duration
	log          logSettings
	storage      storage
	dynamodb     dynamodb
	template     templateSettings
	lambda       string
}

// groups are the flags of localhub without a word.
func (s *settings) groups() []flagGroup {
	return []flagGroup{
		newGroup("Serving", "", s.servingFlags),
		newGroup("Rows", "", s.rowFlags, s.storage.flags, s.dynamodb.flags, s.functionFlags),
		newGroup("Time and faults", "", s.timeFlags),
		newGroup("Template", "with it: "+flagList(sharedFlags), s.template.flags),
		newGroup("Recordings", "", s.record.flags),
		newGroup("Log", "", s.log.flags),
	}
}

func flagList(names []string) string { return "-" + strings.Join(names, ", -") }

func (s *settings) servingFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8787", "`ADDRESS` sockets and page")
	fs.StringVar(&s.admin, "admin", defaultAdmin, "`ADDRESS` admin API, on this machine only")
	fs.Var(&s.adminToken, "admin-token", "`TOKEN|@FILE` requests to the admin API need this token: for a machine with "+
		"several users; @FILE reads it from a file, because every user can see a command line")
	fs.BoolVar(&s.showPrivate, "show-private", false, "show carts in the log of events that the admin API serves, "+
		"with -template headers and queries; tokens stay masked")
	fs.Var(&s.apiKey, "api-key", "`KEY|@FILE` key of the shop's systems for /v1/inventory on the admin API "+
		"(default: they have none)")
	s.catalogue.schemes, s.orders.schemes = []string{"http", "https"}, []string{"http", "https"}
	fs.Var(&s.catalogue, "catalogue", "`URL` the shop's catalogue: /v1/products/SKU is asked of URL/SKU (default: none)")
	fs.Var(&s.orders, "orders", "`URL` the shop's order service: it gets each POST /v1/orders (default: none)")
	fs.Var(&s.origins, "allowed-origins", "`ORIGINS` origins of pages that may open sockets, separated by commas "+
		"(default: those of the same host and of this machine)")
	fs.StringVar(&s.stage, "stage", defaultStage, "`NAME` stage, the path of the socket; with -template it is needed if "+
		"the template has several")
	fs.StringVar(&s.web, "web", "", "`DIR` serve the page from this folder (default: built in)")
	fs.Var(&s.limits, "limits", "`NAME=N,...` limits of a client that differ from the defaults: "+
		"user (connections), address (new guests in 10 minutes), guest, customer, vendor, "+
		"admin (messages in 10 s), skus, topics, bytes")
	fs.Var(&s.deprecations, "deprecations", "`VERSIONS` versions of the API that end: "+
		"'v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2'")
	fs.IntVar(&s.connectRate, "connect-rate", 0, "`N` accept this many handshakes a second; API Gateway's quota is 500 "+
		"(default: no limit)")
	fs.IntVar(&s.accountRate, "account-rate", 0, "`N` accept this many requests and posts a second, "+
		"half as many at once; API Gateway's quota is 10000 (default: no limit)")
	fs.BoolVar(&s.noSockets, "no-sockets", false, "refuse handshakes with 403, as a network that blocks sockets does; "+
		"HTTP goes on")
	fs.BoolVar(&s.requireSigV4, "require-sigv4", false,
		"refuse requests to @connections that are not signed with the printed access key, as AWS does")
}

func (s *settings) rowFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.seed, "seed", "", "`FILE` a catalogue in JSON (default: 40 built-in products)")
}

func (s *settings) functionFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.lambda, "lambda", "", "`DIR` run the bootstraps in this folder, which make build fills, "+
		"instead of the same handlers in this process; needs -dynamodb")
}

func (s *settings) timeFlags(fs *pflag.FlagSet) {
	fs.DurationVar(&s.idleTimeout, "idle-timeout", 10*time.Minute,
		"`TIME` close a connection after this time without a message")
	fs.DurationVar(&s.maxAge, "max-age", house.MaxAge, "`TIME` close a connection that is this old")
	fs.DurationVar(&s.batchWindow, "batch-window", house.DefaultBatchWindow,
		"`TIME` collect changes for this time before they are sent")
	fs.Var(&s.faults, "faults", "`NAME=N,...` fail on purpose: without a value a mix of faults, with a value each of "+
		"them once in N times: "+strings.Join(faults.Names(), ", "))
	fs.Lookup("faults").NoOptDefVal = faults.Mix
}

// defaultStage is the stage of the hub.
const defaultStage = "v1"

// stageName is the form of a stage's name in API Gateway (G-URL-6).
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// check refuses what cannot work. given are the flags of the command line.
func (s *settings) check(given *pflag.FlagSet) error {
	if err := s.template.check(given); err != nil {
		return err
	}
	if err := checkAddress("-addr", s.addr); err != nil {
		return err
	}
	if err := checkAdmin(s.admin); err != nil {
		return err
	}
	if err := checkTimes(s.idleTimeout, s.maxAge); err != nil {
		return err
	}
	if given.Changed("template") {
		if !given.Changed("stage") {
			s.stage = "" // the only one of the template
		}
		return nil
	}
	return s.checkHub()
}

// checkHub refuses what cannot work without a template.
func (s *settings) checkHub() error {
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
	if err := s.storage.check(s.dynamodb.endpoint); err != nil {
		return err
	}
	return s.dynamodb.check(s.lambda)
}

// checkAddress checks the form of an address to listen at.
func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if _, notNumber := strconv.ParseUint(port, 10, 16); err != nil || notNumber != nil {
		return usagef("%s %s: it must be HOST:PORT, for example 127.0.0.1:8787", flag, address)
	}
	return nil
}

// checkAdmin checks the address of the admin API.
func checkAdmin(address string) error {
	if err := checkAddress("-admin", address); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usagef("-admin %s: the admin API is for this machine only, for example 127.0.0.1:8788", address)
	}
	return nil
}

func checkTimes(idleTimeout, maxAge time.Duration) error {
	switch {
	case idleTimeout <= 0:
		return usagef("-idle-timeout %s: it must be above zero", idleTimeout)
	case maxAge <= 0 || maxAge > house.MaxAge:
		return usagef("-max-age %s: it must be above zero and at most %s, the limit of API Gateway", maxAge, house.MaxAge)
	}
	return nil
}
