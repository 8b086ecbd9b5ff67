package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/versions"
)

// Function is one of the functions in AWS. Its name is that of its folder.
type Function string

// The functions.
const (
	Connect    Function = "connect"
	Disconnect Function = "disconnect"
	Message    Function = "message"
	Authorize  Function = "authorize"
	Broadcast  Function = "broadcast"
	Rest       Function = "rest"
)

// Functions lists all functions.
var Functions = []Function{Connect, Disconnect, Message, Authorize, Broadcast, Rest}

// Setting is one environment variable.
type Setting struct {
	Name      string
	Functions []Function // the functions that read it
	Required  bool
	read      func(*Settings, string) error
}

// Settings are the values of one function.
type Settings struct {
	HubTable       string
	InventoryTable string
	CartTable      string
	SweepTable     string
	Layout         table.Layout // the shop's names of attributes

	// CallbackURL is the URL for posts to connections, without "/@connections". It is
	// a setting because under a custom domain an event does not have it (G-MGMT-15).
	CallbackURL string

	// The issuer of users' tokens, its keys, and the accepted values of client_id. Without
	// all three, nobody can sign in.
	TokenIssuer  string
	TokenJWKSURL string
	TokenClients []string

	AdminGroup  string   // whose users are admins; empty: nobody is
	VendorGroup string   // whose users are vendors
	GuestKeys   [][]byte // the first signs, all verify; at least 32 bytes each
	AddressKey  []byte   // hashes addresses; at least 32 bytes

	// AllowedOrigins are the origins of pages that may connect, or read what the REST
	// API answers, as browsers write them. Empty: pages of the same host and of this machine.
	AllowedOrigins []string

	// EdgeSecrets are the secrets that the edge may add to handshakes and requests, at
	// least 32 characters each. Empty: there is no edge.
	EdgeSecrets []string

	// Limits has the limits of clients that differ from the defaults, as
	// hub.ParseLimits reads them.
	Limits string

	CustomerCartDays int    // how long carts of signed-in users stay after their last write; 0: for ever
	Shorthand        bool   // typed lines are accepted beside JSON
	PostsPerSecond   int    // by each environment of broadcast; 0: no limit
	MetricsNamespace string // in CloudWatch

	SweepPostsPerSecond int // by the environment of broadcast that sweeps, beside PostsPerSecond; 0: no limit

	// ExpectedConnections is how many connections may be open at a time.
	ExpectedConnections int

	Deprecations versions.Register // the versions of the API that end

	// OrdersURL is the API that reaches the shop's order service. Empty: nobody can order.
	OrdersURL string

	Commit string // that the function was built from
}

// The default budgets use half of the 10 000 requests per second that API Gateway allows
// an account in a Region (G-LIMIT-10); other programs need some too. If each stream has
// one shard, template.yaml runs six environments of broadcast with the first budget, and
// one that sweeps, which do not know of one another.
const (
	defaultPostsPerSecond      = 500
	defaultSweepPostsPerSecond = 1_500
)

// defaultExpectedConnections needs the shortest time that clients spread their return over.
const defaultExpectedConnections = 2_000

// defaultCustomerCartDays is hub.CustomerCartLife. A test of package boot compares the
// two.
const defaultCustomerCartDays = 365

// maxCustomerCartDays is a hundred years, so that the end of a cart is a time that
// every reader takes.
const maxCustomerCartDays = 36_500

// maxExpectedConnections needs some seven hours to come back.
const maxExpectedConnections = 10_000_000

// defaultMetricsNamespace is the namespace of the metrics in CloudWatch.
const defaultMetricsNamespace = "SecureCartHub"

// Functions that read the tables of the shop, and functions that verify tokens.
var (
	tableReaders = []Function{Message, Broadcast, Rest}
	tokenReaders = []Function{Authorize, Message, Rest}
)

// Table lists every setting.
var Table = []Setting{
	{"HUB_TABLE", Functions, true, text(func(s *Settings) *string { return &s.HubTable })},
	{"INVENTORY_TABLE", tableReaders, true, text(func(s *Settings) *string { return &s.InventoryTable })},
	{"CART_TABLE", tableReaders, true, text(func(s *Settings) *string { return &s.CartTable })},
	{"SWEEP_TABLE", []Function{Broadcast}, true, text(func(s *Settings) *string { return &s.SweepTable })},
	{"INVENTORY_ATTRIBUTES", tableReaders, false, readInventoryNames},
	{"CART_ATTRIBUTES", tableReaders, false, readCartNames},
	{"CALLBACK_URL", []Function{Message, Broadcast}, true, httpURL(func(s *Settings) *string { return &s.CallbackURL })},
	{"TOKEN_ISSUER", tokenReaders, false, text(func(s *Settings) *string { return &s.TokenIssuer })},
	{"TOKEN_JWKS_URL", tokenReaders, false, httpURL(func(s *Settings) *string { return &s.TokenJWKSURL })},
	{"TOKEN_CLIENTS", tokenReaders, false, readClients},
	{"ADMIN_GROUP", tokenReaders, false, text(func(s *Settings) *string { return &s.AdminGroup })},
	{"VENDOR_GROUP", tokenReaders, false, text(func(s *Settings) *string { return &s.VendorGroup })},
	{"GUEST_KEYS", tokenReaders, true, readGuestKeys},
	{"ADDRESS_KEY", []Function{Authorize, Rest}, true, readAddressKey},
	{"ALLOWED_ORIGINS", []Function{Authorize, Rest}, false, readOrigins},
	{"EDGE_SECRETS", []Function{Authorize, Rest}, false, readEdgeSecrets},
	{"LIMITS", []Function{Connect, Message, Rest}, false, text(func(s *Settings) *string { return &s.Limits })},
	{"CUSTOMER_CART_DAYS", []Function{Message, Rest}, false, readCustomerCartDays},
	{"EXPECTED_CONNECTIONS", []Function{Message}, false, readExpectedConnections},
	{"DEPRECATIONS", []Function{Connect, Message, Rest, Broadcast}, false, readDeprecations},
	{"ORDERS_URL", []Function{Rest}, false, httpURL(func(s *Settings) *string { return &s.OrdersURL })},
	{"SHORTHAND", []Function{Message}, false, readShorthand},
	{"POSTS_PER_SECOND", []Function{Broadcast}, false, rate(func(s *Settings) *int { return &s.PostsPerSecond })},
	{"SWEEP_POSTS_PER_SECOND", []Function{Broadcast}, false,
		rate(func(s *Settings) *int { return &s.SweepPostsPerSecond })},
	{"METRICS_NAMESPACE", Functions, false, readMetricsNamespace},
	{"COMMIT", Functions, false, text(func(s *Settings) *string { return &s.Commit })},
}

// Load reads the settings of a function. The error lists every missing or invalid
// setting, in the order of [Table], and never contains a value.
func Load(f Function, getenv func(string) string) (Settings, error) {
	s := Settings{
		CustomerCartDays: defaultCustomerCartDays, PostsPerSecond: defaultPostsPerSecond,
		SweepPostsPerSecond: defaultSweepPostsPerSecond, ExpectedConnections: defaultExpectedConnections,
		MetricsNamespace: defaultMetricsNamespace,
	}
	var problems []error
	for _, setting := range Table {
		value := getenv(setting.Name)
		switch {
		case !setting.UsedBy(f):
		case value == "" && setting.Required:
			problems = append(problems, fmt.Errorf("%s is missing", setting.Name))
		case value != "":
			if err := setting.read(&s, value); err != nil {
				problems = append(problems, fmt.Errorf("%s %w", setting.Name, err))
			}
		}
	}
	if err := s.Layout.Check(); err != nil {
		problems = append(problems, err)
	}
	if isSet := s.TokenIssuer != ""; isSet != (s.TokenJWKSURL != "") || isSet != (len(s.TokenClients) > 0) {
		problems = append(problems, errors.New("TOKEN_ISSUER, TOKEN_JWKS_URL and TOKEN_CLIENTS must be set together"))
	}
	if err := errors.Join(problems...); err != nil {
		return Settings{}, fmt.Errorf("settings of %s: %w", f, err)
	}
	return s, nil
}

// MessageOptions are the settings of the message handler.
func (s Settings) MessageOptions() handler.MessageOptions {
	return handler.MessageOptions{
		Shorthand: s.Shorthand, Connections: func() int { return s.ExpectedConnections }, Versions: s.Deprecations,
	}
}

// UsedBy reports whether a function reads the setting.
func (s Setting) UsedBy(f Function) bool {
	return slices.Contains(s.Functions, f)
}

// text returns a reader of any text.
func text(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		*field(s) = value
		return nil
	}
}

// httpURL returns a reader of a URL. It drops a slash at the end.
func httpURL(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return errors.New("is not an http or https URL")
		}
		*field(s) = strings.TrimSuffix(value, "/")
		return nil
	}
}

func readInventoryNames(s *Settings, value string) (err error) {
	s.Layout.Inventory, err = table.ParseInventory(value)
	return err
}

func readCartNames(s *Settings, value string) (err error) {
	s.Layout.Cart, err = table.ParseCart(value)
	return err
}

func readClients(s *Settings, value string) error {
	for id := range strings.SplitSeq(value, ",") {
		if id = strings.TrimSpace(id); id == "" {
			return errors.New("has an empty entry")
		}
		s.TokenClients = append(s.TokenClients, id)
	}
	return nil
}

// minKey is the length of the shortest HS256 key, in bytes (RFC 7518, section 3.2). It
// is auth.MinKey; this package does not import auth, so that functions without tokens
// do not link it.
const minKey = 32

func readGuestKeys(s *Settings, value string) error {
	for encoded := range strings.SplitSeq(value, ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
		if err != nil || len(key) < minKey {
			return fmt.Errorf("is not a list of keys of at least %d bytes in base64", minKey)
		}
		s.GuestKeys = append(s.GuestKeys, key)
	}
	return nil
}

func readAddressKey(s *Settings, value string) (err error) {
	if s.AddressKey, err = base64.StdEncoding.DecodeString(value); err != nil || len(s.AddressKey) < minKey {
		return fmt.Errorf("is not a key of at least %d bytes in base64", minKey)
	}
	return nil
}

func readOrigins(s *Settings, value string) (err error) {
	s.AllowedOrigins, err = handler.ParseOrigins(value)
	return err
}

// minEdgeSecret is the length of the shortest secret, in characters: 32 random
// letters and digits have 190 bits.
const minEdgeSecret = 32

// readEdgeSecrets ignores "-": outside of a rotation there is no other secret.
func readEdgeSecrets(s *Settings, value string) error {
	for secret := range strings.SplitSeq(value, ",") {
		switch secret = strings.TrimSpace(secret); {
		case len(secret) >= minEdgeSecret:
			s.EdgeSecrets = append(s.EdgeSecrets, secret)
		case secret != "-":
			return fmt.Errorf("is not a list of secrets of at least %d characters", minEdgeSecret)
		}
	}
	if len(s.EdgeSecrets) == 0 {
		return errors.New("has no secret")
	}
	return nil
}

func readCustomerCartDays(s *Settings, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > maxCustomerCartDays {
		return fmt.Errorf("must be a whole number from 0 to %d", maxCustomerCartDays)
	}
	s.CustomerCartDays = n
	return nil
}

func readDeprecations(s *Settings, value string) (err error) {
	s.Deprecations, err = versions.Parse(value)
	return err
}

func readShorthand(s *Settings, value string) error {
	on, err := strconv.ParseBool(value)
	if err != nil {
		return errors.New("must be true or false")
	}
	s.Shorthand = on
	return nil
}

func readExpectedConnections(s *Settings, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxExpectedConnections {
		return errors.New("must be a whole number, from 1 to ten million")
	}
	s.ExpectedConnections = n
	return nil
}

// rate returns a reader of a number of posts per second.
func rate(field func(*Settings) *int) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return errors.New("must be a whole number, 0 or more")
		}
		*field(s) = n
		return nil
	}
}

// namespacePattern matches a namespace of CloudWatch: 1 to 255 characters.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9._/#-][A-Za-z0-9._/#:-]{0,254}$`)

func readMetricsNamespace(s *Settings, value string) error {
	if !namespacePattern.MatchString(value) || strings.HasPrefix(value, "AWS/") {
		return errors.New("is not a CloudWatch namespace")
	}
	s.MetricsNamespace = value
	return nil
}
