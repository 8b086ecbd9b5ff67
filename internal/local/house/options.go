package house

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/devkeys"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/versions"
)

// MaxAge is the longest that a connection may live: API Gateway's limit (G-LIMIT-7).
// Rows of a connection expire ten minutes later.
const MaxAge = 2 * time.Hour

// defaultStage is the stage of protocol version 1, and so the path of the socket.
const defaultStage = "v1"

// Options of a House. The zero value is the house that localhub starts.
type Options struct {
	Catalogue []catalogue.Product // nil: the built-in one
	// BatchWindow is how long changes are collected before the broadcast function gets
	// them, as AWS's polls do. 0: 10 ms; negative: not at all.
	BatchWindow time.Duration

	Limits string       // of a client, where they differ from the defaults, as hub.ParseLimits reads them
	Log    *slog.Logger // nil: discard
	Keys   devkeys.Keys // that sign tokens; zero: new ones

	Deprecations versions.Register // the versions of the API that end

	PostsPerSecond int // what the poster is taken for: one batch posts to about as many; 0: no limit

	Gateway   Gateway
	Page      Page
	Admin     Admin
	Rows      Rows
	Functions Functions
	Recording Recording
	Shop      Shop
}

// Shop says where the shop's own services are: URLs without a slash at the end.
type Shop struct {
	Catalogue string // answers GET URL/sku; "": there is none
	Orders    string // takes orders; "": nobody can order
}

// Gateway says how the imitated API Gateway behaves.
type Gateway struct {
	Stage          string                   // "": v1
	AllowedOrigins []string                 // of pages that may open sockets; nil: of the same host and of this machine
	IdleTimeout    time.Duration            // 0: 10 min, API Gateway's
	MaxAge         time.Duration            // 0: 2 h, API Gateway's
	ConnectRate    int                      // handshakes a second, before 429; 0: no limit
	AccountRate    int                      // requests and posts a second, before 429; 0: no limit
	NoSockets      bool                     // refuse handshakes with 403, as a network that blocks sockets does
	Faults         *gatewaytest.Faults      // nil: none
	Credentials    []gatewaytest.Credential // that sign requests to @connections; none: no signature is needed
}

// Page is the page that the house serves with the sockets.
type Page struct {
	Files  fs.FS  // nil: none
	Module []byte // the browser's client, which pages of all origins may load; nil: none
}

// Admin is the admin API.
type Admin struct {
	URL     string   // where it is served, for the page and for bootstraps; "": the page has no admin controls
	Origins []string // of pages that may use it, in addition to its own
	Token   string   // that requests must have; "": none
	APIKey  string   // of the shop's systems, for the inventory; "": they have none

	Version string // of localhub, and
	Socket  string // the URL of the sockets: what the API tells of this house; "": nothing

	// ShowPrivate leaves carts in the log of events as they are. Tokens stay masked.
	ShowPrivate bool
}

// Rows says where rows are kept.
type Rows struct {
	Journal  memstore.Journal // for rows in this process; nil: they end with it
	NewEpoch bool             // the journal has older rows than clients may have seen

	Tables Tables       // nil: in this process
	Layout table.Layout // the shop's names of attributes in Tables
	Seed   bool         // add the products of the catalogue that Tables do not have
}

// Functions says how the functions run.
type Functions struct {
	BootstrapDir string    // folder with the bootstraps of make build; "": the handlers run in this process
	CallbackURL  string    // for bootstraps: where the house is served, with the stage
	Output       io.Writer // what bootstraps print; nil: discard
}

// Recording says what is recorded from the start on.
type Recording struct {
	File     io.WriteCloser // nil: nothing
	Name     string         // of the file, for people
	Folder   *os.Root       // in which the admin API may begin recordings; nil: it may not
	Localhub string         // the version of localhub, for the first line of each recording
}

// withDefaults returns the options with defaults for what is not set, or the first
// mistake.
func (o Options) withDefaults() (Options, error) {
	o.Gateway.Stage = cmp.Or(o.Gateway.Stage, defaultStage)
	o.BatchWindow = max(0, cmp.Or(o.BatchWindow, DefaultBatchWindow))
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Catalogue == nil {
		o.Catalogue = catalogue.Builtin()
	}
	if o.Gateway.IdleTimeout > 0 {
		idle := fmt.Sprintf("idle=%d", int(o.Gateway.IdleTimeout/time.Second))
		o.Limits = strings.TrimPrefix(o.Limits+","+idle, ",")
	}
	switch {
	case o.Gateway.MaxAge > MaxAge:
		return o, fmt.Errorf("a connection cannot live for %s: API Gateway closes it after %s, "+
			"and its rows expire soon after", o.Gateway.MaxAge, MaxAge)
	case o.Rows.Journal != nil && o.Rows.Tables != nil:
		return o, errors.New("rows are in tables or in a journal, not in both")
	case o.Functions.BootstrapDir != "" && o.Rows.Tables == nil:
		return o, errors.New("bootstraps need tables that they can reach")
	}
	_, err := hub.ParseLimits(o.Limits)
	return o, err
}
