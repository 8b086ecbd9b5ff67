package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/table"
)

// Function is one of the functions in AWS, named as its folder.
type Function string

// The functions.
const (
	Connect    Function = "connect"
	Disconnect Function = "disconnect"
	Message    Function = "message"
	Authorize  Function = "authorize"
	Broadcast  Function = "broadcast"
	Ticket     Function = "ticket"
)

// Functions are all of them.
var Functions = []Function{Connect, Disconnect, Message, Authorize, Broadcast, Ticket}

// Setting is one environment variable.
type Setting struct {
	Name     string
	Users    []Function // that read it
	Required bool
	read     func(*Settings, string) error
}

// Settings are the values of one function.
type Settings struct {
	HubTable       string
	InventoryTable string
	CartTable      string
	Layout         table.Layout // the shop's names of attributes

	// CallbackURL is where connections are posted to, without "/@connections". It
	// is a setting because it cannot be told from an event under a custom domain
	// (G-MGMT-15).
	CallbackURL string

	TokenIssuer  string
	TokenJWKSURL string
	TokenClients []string // allowed client_id
	GuestKeys    [][]byte // the first signs, all verify; 32 bytes or more each

	AllowedOrigins []string // of pages, as browsers write them; none: of the same host and of this machine
	EdgeSecrets    []string // that the edge adds, 32 characters or more each; none: there is no edge

	// Limits are those of a client that differ from the defaults, as
	// hub.ParseLimits reads them.
	Limits string

	Shorthand      bool
	PostsPerSecond int // of each environment of the broadcaster; 0: as many as it can

	MetricsNamespace string // in CloudWatch
}

// defaultPostsPerSecond leaves half of what API Gateway allows an account in a
// Region, 10 000 requests (G-LIMIT-10), to everybody else: template.yaml runs six
// environments of the broadcaster where each stream has one shard, and they know
// nothing of one another.
const defaultPostsPerSecond = 800

// defaultMetricsNamespace is where the metrics of the functions are found.
const defaultMetricsNamespace = "SecureCartHub"

// Table is every setting of every function.
var Table = []Setting{
	{"HUB_TABLE", []Function{Connect, Disconnect, Message, Authorize, Broadcast, Ticket}, true, text(func(s *Settings) *string { return &s.HubTable })},
	{"INVENTORY_TABLE", []Function{Message, Broadcast}, true, text(func(s *Settings) *string { return &s.InventoryTable })},
	{"CART_TABLE", []Function{Message, Broadcast}, true, text(func(s *Settings) *string { return &s.CartTable })},
	{"INVENTORY_ATTRIBUTES", []Function{Message, Broadcast}, false, readInventoryNames},
	{"CART_ATTRIBUTES", []Function{Message, Broadcast}, false, readCartNames},
	{"CALLBACK_URL", []Function{Broadcast}, true, address(func(s *Settings) *string { return &s.CallbackURL })},
	{"TOKEN_ISSUER", []Function{Authorize, Message, Ticket}, true, text(func(s *Settings) *string { return &s.TokenIssuer })},
	{"TOKEN_JWKS_URL", []Function{Authorize, Message, Ticket}, true, address(func(s *Settings) *string { return &s.TokenJWKSURL })},
	{"TOKEN_CLIENTS", []Function{Authorize, Message, Ticket}, true, readClients},
	{"GUEST_KEYS", []Function{Authorize, Message, Ticket}, true, readGuestKeys},
	{"ALLOWED_ORIGINS", []Function{Authorize}, false, readOrigins},
	{"EDGE_SECRETS", []Function{Authorize}, false, readEdgeSecrets},
	{"LIMITS", []Function{Connect, Message}, false, text(func(s *Settings) *string { return &s.Limits })},
	{"SHORTHAND", []Function{Message}, false, readShorthand},
	{"POSTS_PER_SECOND", []Function{Broadcast}, false, readPostsPerSecond},
	{"METRICS_NAMESPACE", []Function{Connect, Disconnect, Broadcast}, false, readMetricsNamespace},
}

// Load reads the settings of a function. The error names everything that is
// missing or cannot be, never a secret.
func Load(f Function, getenv func(string) string) (Settings, error) {
	s := Settings{PostsPerSecond: defaultPostsPerSecond, MetricsNamespace: defaultMetricsNamespace}
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
	if err := errors.Join(problems...); err != nil {
		return Settings{}, fmt.Errorf("settings of %s: %w", f, err)
	}
	return s, nil
}

// UsedBy reports whether a function reads the setting.
func (s Setting) UsedBy(f Function) bool {
	for _, u := range s.Users {
		if u == f {
			return true
		}
	}
	return false
}

func text(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		*field(s) = value
		return nil
	}
}

func address(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return errors.New("is not a URL")
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

// minGuestKey is the length of an HS256 key in bytes (RFC 7518, section 3.2).
const minGuestKey = 32

func readGuestKeys(s *Settings, value string) error {
	for encoded := range strings.SplitSeq(value, ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
		if err != nil || len(key) < minGuestKey {
			return fmt.Errorf("is not a list of keys of at least %d bytes in base64", minGuestKey)
		}
		s.GuestKeys = append(s.GuestKeys, key)
	}
	return nil
}

func readOrigins(s *Settings, value string) (err error) {
	s.AllowedOrigins, err = handler.ParseOrigins(value)
	return err
}

// minEdgeSecret is the least number of characters: 32 letters and digits are 190
// bits if they are random.
const minEdgeSecret = 32

// readEdgeSecrets takes "-" for none: before the first rotation there is no previous
// secret.
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

func readShorthand(s *Settings, value string) error {
	on, err := strconv.ParseBool(value)
	if err != nil {
		return errors.New("is true or false")
	}
	s.Shorthand = on
	return nil
}

func readPostsPerSecond(s *Settings, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return errors.New("is a whole number from 0 on")
	}
	s.PostsPerSecond = n
	return nil
}

// namespacePattern is a namespace of CloudWatch: 1 to 255 characters.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9._/#-][A-Za-z0-9._/#:-]{0,254}$`)

func readMetricsNamespace(s *Settings, value string) error {
	if !namespacePattern.MatchString(value) || strings.HasPrefix(value, "AWS/") {
		return errors.New("is not a namespace of CloudWatch")
	}
	s.MetricsNamespace = value
	return nil
}
