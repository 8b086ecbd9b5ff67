package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/securecart/hub/internal/auth"
)

const (
	issuerURL = "https://cognito.test/pool_1"
	jwksURL   = issuerURL + "/.well-known/jwks.json"
	client    = "web"
)

// now is the time in most tests.
var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// Generating keys is slow, so all tests share them.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	otherKey = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384Key  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })

	guestKey    = []byte("0123456789abcdef0123456789abcdef")
	oldGuestKey = []byte("an old guest key of enough bytes, retired")
)

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// sign makes a compact JWS of exactly this header and payload. It is independent of
// any JOSE library, so it can make tokens that a library refuses to make. The type
// of the key decides the signature, whatever the header says.
func sign(header, payload string, key any) string {
	b64 := base64.RawURLEncoding
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	return input + "." + b64.EncodeToString(signature(input, key))
}

func signature(input string, key any) []byte {
	sum := sha256.Sum256([]byte(input))
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			panic(err)
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out
	case []byte:
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
	return []byte("no signature at all")
}

// claims returns the claims of a good user token, changed by pairs of name and
// value. The value nil removes a claim.
func claims(change ...any) string {
	m := map[string]any{
		"iss": issuerURL, "sub": "user-1", "token_use": "access", "client_id": client,
		"iat": now.Unix() - 10, "exp": now.Unix() + 3600,
	}
	return withChanges(m, change)
}

// guestClaims returns the claims of a good guest token.
func guestClaims(change ...any) string {
	m := map[string]any{
		"iss": "securecart:guest", "sub": "9f2c", "iat": now.Unix() - 10, "exp": now.Unix() + 3600,
	}
	return withChanges(m, change)
}

func withChanges(m map[string]any, change []any) string {
	for i := 0; i < len(change); i += 2 {
		name := change[i].(string)
		if change[i+1] == nil {
			delete(m, name)
		} else {
			m[name] = change[i+1]
		}
	}
	return string(must(json.Marshal(m)))
}

// Headers of good tokens.
const (
	esHeader = `{"alg":"ES256","kid":"ec"}`
	rsHeader = `{"alg":"RS256","kid":"rsa"}`
	hsHeader = `{"alg":"HS256"}`
)

// user signs a user token.
func user(payload string) string { return sign(esHeader, payload, ecKey()) }

// guest signs a guest token.
func guest(payload string) string { return auth.GuestTokenPrefix + sign(hsHeader, payload, guestKey) }

// jwks is a transport that serves a JWKS in process.
type jwks struct {
	mu      sync.Mutex
	body    string
	status  int           // zero: 200
	err     error         // returned instead of an answer
	block   chan struct{} // not nil: answers wait until it is closed
	fetched int
}

func (j *jwks) RoundTrip(r *http.Request) (*http.Response, error) {
	j.mu.Lock()
	j.fetched++
	body, status, err, block := j.body, j.status, j.err, j.block
	j.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if err != nil {
		return nil, err
	}
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// set changes what jwks serves.
func (j *jwks) set(change func(*jwks)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(j)
}

func (j *jwks) wantFetched(t testing.TB, want int) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fetched != want {
		t.Errorf("keys were fetched %d times, want %d", j.fetched, want)
	}
}

// keySet returns the JSON of a key set of pairs of id and key.
func keySet(pairs ...any) string {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for i := 0; i < len(pairs); i += 2 {
		k := jose.JSONWebKey{KeyID: pairs[i].(string), Key: pairs[i+1]}
		set.Keys = append(set.Keys, k.Public())
	}
	return string(must(json.Marshal(set)))
}

// config returns the settings of most tests. The JWKS has one key of each type.
func config(j *jwks) auth.Config {
	if j.body == "" {
		j.body = keySet("rsa", rsaKey(), "ec", ecKey())
	}
	return auth.Config{
		Issuer: issuerURL, JWKSURL: jwksURL, HTTPClient: &http.Client{Transport: j},
		ClientIDs:  []string{client, "app"},
		AdminGroup: "securecart-admin", VendorGroup: "securecart-vendor",
		GuestKeys:  [][]byte{guestKey, oldGuestKey},
		AddressKey: []byte("an-address-key-an-address-key-32"),
		Now:        func() time.Time { return now },
	}
}

func newVerifier(t testing.TB, c auth.Config) *auth.Verifier {
	t.Helper()
	v, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
