package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/securecart/hub/internal/redact"
)

// The paths of the documents below the address of the issuer, as in Cognito:
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
const (
	keysPath   = "/.well-known/jwks.json"
	configPath = "/.well-known/openid-configuration"
)

// publishedKeys is how many keys the JWKS has: the one that signs and the previous
// one.
const publishedKeys = 2

// Issuer signs access tokens.
type Issuer struct {
	// Fixed after construction.
	address string
	host    string
	path    string

	mu   sync.Mutex
	keys []jose.JSONWebKey // private keys; the first signs
}

// New returns an issuer with a new key. The address is the "iss" of its tokens. It
// must be an http or https URL without a slash at the end.
func New(address string) (*Issuer, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("issuer: create a key: %w", err)
	}
	return NewWithKey(address, private)
}

// NewWithKey is [New] with a key on the curve P-256. Tokens of every issuer with the
// address and the key are valid.
func NewWithKey(address string, private *ecdsa.PrivateKey) (*Issuer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.HasSuffix(address, "/") {
		return nil, fmt.Errorf("issuer: %q is not an http address, or ends with a slash", redact.URL(address))
	}
	i := &Issuer{address: address, host: u.Host, path: u.Path}
	if err := i.use(private); err != nil {
		return nil, err
	}
	return i, nil
}

// Issuer returns the "iss" of the tokens.
func (i *Issuer) Issuer() string { return i.address }

// JWKSURL returns the URL of the keys.
func (i *Issuer) JWKSURL() string { return i.address + keysPath }

// Rotate creates the key that signs from now on. The JWKS keeps the previous key, so
// that its tokens stay valid, and drops older ones.
func (i *Issuer) Rotate() error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("issuer: create a key: %w", err)
	}
	return i.use(private)
}

// use makes a key the one that signs.
func (i *Issuer) use(private *ecdsa.PrivateKey) error {
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
	name, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return fmt.Errorf("issuer: name a key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(name)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append([]jose.JSONWebKey{key}, i.keys...)
	i.keys = i.keys[:min(len(i.keys), publishedKeys)]
	return nil
}

// ServeHTTP serves the JWKS and the discovery document below the path of the issuer's
// address, and at the root.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var doc any
	switch strings.TrimPrefix(r.URL.Path, i.path) {
	case keysPath:
		doc = i.publicKeys()
	case configPath:
		doc = map[string]any{
			"issuer":                                i.address,
			"jwks_uri":                              i.JWKSURL(),
			"id_token_signing_alg_values_supported": []string{string(jose.ES256)},
			"response_types_supported":              []string{"token"},
			"subject_types_supported":               []string{"public"},
		}
	default:
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	b, err := json.Marshal(doc)
	if err != nil {
		http.Error(w, "cannot encode", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}

// publicKeys returns the keys of the JWKS.
func (i *Issuer) publicKeys() jose.JSONWebKeySet {
	i.mu.Lock()
	defer i.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, k := range i.keys {
		set.Keys = append(set.Keys, k.Public())
	}
	return set
}

// signingKey returns the key that signs now.
func (i *Issuer) signingKey() jose.JSONWebKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[0]
}
