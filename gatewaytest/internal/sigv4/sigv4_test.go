package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// verifier knows one access key, "AKIDONE".
var verifier = Verifier{Region: "eu-central-1", Service: "execute-api", Credential: func(id string) (Credential, bool) {
	return Credential{SecretAccessKey: "secret/one", SessionToken: "token+/=="}, id == "AKIDONE"
}}

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// signed returns a request that the SDK's signer has signed.
func signed(t testing.TB, rawURL, body string, presign bool) (*http.Request, string) {
	t.Helper()
	r, err := http.NewRequest("POST", rawURL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	credentials := aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret/one", SessionToken: "token+/=="}
	if !presign {
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hash, "execute-api", "eu-central-1", now); err != nil {
			t.Fatal(err)
		}
		return r, hash
	}
	query := r.URL.Query()
	query.Set("X-Amz-Expires", "300")
	r.URL.RawQuery = query.Encode()
	target, _, err := v4.NewSigner().PresignHTTP(t.Context(), credentials, r, hash, "execute-api", "eu-central-1", now)
	if err != nil {
		t.Fatal(err)
	}
	if r.URL, err = url.Parse(target); err != nil {
		t.Fatal(err)
	}
	return r, hash
}

// TestVerify checks what the signer of the SDK signs. Our own: each change of a
// signed request is refused with the code of the service.
func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		presign   bool
		at        time.Duration // from the time of the signature
		change    func(*http.Request)
		wantCode  string
	}{
		{"header", "http://h/v1/@connections/a=", false, 0, nil, ""},
		{"header and query", "http://h/v1/%40connections/a%3D?b=2&a=x%20y&a=1+2", false, 0, nil, ""},
		{"presigned", "http://h/v1/@connections/a%3D?b=2", true, 0, nil, ""},
		{"almost too old", "http://h/v1", false, maxSkew, nil, ""},
		{"too old", "http://h/v1", false, maxSkew + time.Second, nil, "InvalidSignatureException"},
		{"too new", "http://h/v1", false, -maxSkew - time.Second, nil, "InvalidSignatureException"},
		{"presigned, expired", "http://h/v1", true, 301 * time.Second, nil, "InvalidSignatureException"},
		{"another path", "http://h/v1", false, 0, func(r *http.Request) { r.URL.Path = "/v2" }, "InvalidSignatureException"},
		{"another method", "http://h/v1", false, 0, func(r *http.Request) { r.Method = "GET" }, "InvalidSignatureException"},
		{"another token", "http://h/v1", false, 0, func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") },
			"UnrecognizedClientException"},
		{"no date", "http://h/v1", false, 0, func(r *http.Request) { r.Header.Del("X-Amz-Date") },
			"IncompleteSignatureException"},
		{"no signature", "http://h/v1", false, 0, func(r *http.Request) { r.Header.Del("Authorization") }, ErrUnsigned.Code},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, hash := signed(t, tt.url, "hello", tt.presign)
			if tt.change != nil {
				tt.change(r)
			}
			id, err := verifier.Verify(r, hash, now.Add(tt.at))
			switch {
			case tt.wantCode == "" && (err != nil || id != "AKIDONE"):
				t.Errorf("got %q, %v, want AKIDONE", id, err)
			case tt.wantCode != "" && (err == nil || err.Code != tt.wantCode):
				t.Errorf("got %q, %v, want %s", id, err, tt.wantCode)
			}
		})
	}
}

// TestSign. Our own: a signature is the SDK's, and Verify accepts it.
func TestSign(t *testing.T) {
	const url = "http://h/123/queue%20one?Action=SendMessage&MessageBody=a+b%2Fc"
	signer := Signer{Region: "eu-central-1", Service: "execute-api", AccessKeyID: "AKIDONE",
		Credential: Credential{SecretAccessKey: "secret/one", SessionToken: "token+/=="}}
	want, hash := signed(t, url, "", false)
	r, err := http.NewRequest("POST", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	signer.Sign(r, hash, now)
	if got, want := r.Header.Get("Authorization"), want.Header.Get("Authorization"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	r, _ = http.NewRequest("POST", url, nil)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	signer.Sign(r, hash, now)
	if id, err := verifier.Verify(r, hash, now); err != nil || id != "AKIDONE" {
		t.Errorf("got %q, %v, want AKIDONE", id, err)
	}
	for _, name := range []string{"Content-Type", "X-Amz-Target", "X-Amz-Date"} {
		changed := r.Clone(t.Context())
		changed.Header.Set(name, "another")
		if _, err := verifier.Verify(changed, hash, now); err == nil {
			t.Errorf("another %s was accepted", name)
		}
	}
}

// FuzzVerify changes the parts of a signed request. Our own: nothing panics, and
// no other signature is accepted.
func FuzzVerify(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDONE/x, SignedHeaders=host, Signature=00", "")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDONE%2F20261128&X-Amz-Expires=1")
	f.Fuzz(func(t *testing.T, authorization, query string) {
		r, hash := signed(t, "http://h/v1", "hello", false)
		valid := r.Header.Get("Authorization")
		r.Header.Set("Authorization", authorization)
		r.URL.RawQuery = query
		if id, err := verifier.Verify(r, hash, now); err == nil && (authorization != valid || id != "AKIDONE") {
			t.Errorf("accepted %q with %q as %s", authorization, query, id)
		}
	})
}
