package gatewaytest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/securecart/hub/gatewaytest"
)

// The SDK signs, and the gateway verifies.
var (
	longTermKey  = gatewaytest.Credential{AccessKeyID: "AKIDONE", SecretAccessKey: "secret/one"}
	temporaryKey = gatewaytest.Credential{AccessKeyID: "ASIATWO", SecretAccessKey: "secret two", SessionToken: "token+/=="}
)

// signer describes how a request is signed.
type signer struct {
	credential      gatewaytest.Credential
	region, service string
	at              time.Time
	body            string // the signed body; the request may have another
	host            string // the signed host, if it differs from the request's
	after           func(*http.Request)
	presign         bool
	expires         string // of a presigned request, in seconds, or empty
}

func (s *signer) sign(t testing.TB, req *http.Request) *http.Request {
	t.Helper()
	credential := aws.Credentials{AccessKeyID: s.credential.AccessKeyID, SecretAccessKey: s.credential.SecretAccessKey,
		SessionToken: s.credential.SessionToken}
	sum := sha256.Sum256([]byte(s.body))
	host := req.Host
	if s.host != "" {
		req.Host = s.host
	}
	if s.presign {
		if s.expires != "" {
			query := req.URL.Query()
			query.Set("X-Amz-Expires", s.expires)
			req.URL.RawQuery = query.Encode()
		}
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), credential, req, hex.EncodeToString(sum[:]), s.service,
			s.region, s.at)
		if err != nil {
			t.Fatal(err)
		}
		if req.URL, err = url.Parse(signed); err != nil {
			t.Fatal(err)
		}
	} else if err := v4.NewSigner().SignHTTP(t.Context(), credential, req, hex.EncodeToString(sum[:]), s.service,
		s.region, s.at); err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if s.after != nil {
		s.after(req)
	}
	return req
}

func signedBy(credential gatewaytest.Credential) *signer {
	return &signer{credential: credential, region: "eu-central-1", service: "execute-api", at: time.Now(), body: "hello",
		expires: "300"}
}

// with returns a changed copy.
func (s *signer) with(change func(*signer)) *signer {
	changed := *s
	change(&changed)
	return &changed
}

func TestSignedRequests(t *testing.T) {
	g := newGateway(t, gatewaytest.API{
		Credentials: []gatewaytest.Credential{longTermKey, temporaryKey},
		Domain:      &gatewaytest.Domain{Name: "ws.example.com"},
	})
	base := serve(t, g)
	c := dial(t, g, "/v1")
	id := onlyID(t, g)
	escaped := strings.Replace(id, "=", "%3D", 1)
	header := func(name, value string) func(*signer) {
		return func(s *signer) { s.after = func(r *http.Request) { r.Header.Set(name, value) } }
	}
	replaced := func(pattern, with string) func(*signer) {
		return func(s *signer) {
			s.after = func(r *http.Request) {
				r.Header.Set("Authorization", regexp.MustCompile(pattern).ReplaceAllString(r.Header.Get("Authorization"), with))
			}
		}
	}
	tests := []struct {
		name, method, path, body string
		signer                   *signer
		status                   int
		errorType, message       string // a regular expression
	}{
		{"G-MGMT-2 POST", "POST", "/v1/@connections/" + id, "hello", signedBy(longTermKey), 200, "", ""},
		{"G-MGMT-3 path escaped", "POST", "/v1/%40connections/" + escaped, "hello", signedBy(longTermKey), 200, "", ""},
		{"G-MGMT-2 GET", "GET", "/v1/@connections/" + id, "", signedBy(longTermKey).with(func(s *signer) { s.body = "" }),
			200, "",
			""},
		{"G-MGMT-2 temporary credentials", "POST", "/v1/@connections/" + id, "hello", signedBy(temporaryKey), 200, "", ""},
		{"G-MGMT-2 in the query string", "POST", "/v1/@connections/" + escaped + "?b=2&a=x%20y&a=1+2", "hello",
			signedBy(longTermKey).with(func(s *signer) { s.presign = true }), 200, "", ""},
		{"G-MGMT-2 a query string in another order", "POST", "/v1/@connections/" + id + "?a=1&a=2&b=x%26y", "hello",
			signedBy(longTermKey).with(func(s *signer) {
				s.after = func(r *http.Request) { r.URL.RawQuery = "b=x%26y&a=2&a=1" }
			}), 200, "", ""},
		{"G-MGMT-2 temporary, in the query string", "POST", "/v1/@connections/" + escaped, "hello",
			signedBy(temporaryKey).with(func(s *signer) { s.presign = true }), 200, "", ""},
		{"G-MGMT-2 more signed headers", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) {
				s.after = func(r *http.Request) { r.Header.Set("X-Unsigned", "any") }
			}), 200, "", ""},
		{"G-MGMT-5 signed, but gone", "POST", "/v1/@connections/" + neverID, "hello", signedBy(longTermKey), 410,
			"GoneException", "^$"},
		{"G-MGMT-7 signed, but too large", "POST", "/v1/@connections/" + id, strings.Repeat("x", 200_000),
			signedBy(longTermKey).with(func(s *signer) { s.body = strings.Repeat("x", 200_000) }), 413,
			"PayloadTooLargeException", ""},
		{"G-MGMT-12 no signature", "POST", "/v1/@connections/" + id, "hello", nil, 403,
			"MissingAuthenticationTokenException", "^Missing Authentication Token$"},
		{"G-MGMT-12 no signature, no such id", "POST", "/v1/@connections/nonsense", "hello", nil, 403,
			"MissingAuthenticationTokenException", ""},
		{"G-MGMT-13 another body", "POST", "/v1/@connections/" + id, "hell", signedBy(longTermKey), 403,
			"InvalidSignatureException",
			`^The request signature we calculated does not match .*\n\n` +
				`The Canonical String for this request should have been\n'POST\n/v1/%40connections/` +
				regexp.QuoteMeta(escaped) + `\n\n`},
		{"G-MGMT-13 another method", "DELETE", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.after = func(r *http.Request) { r.Method = "POST" } }), 403,
			"InvalidSignatureException", ""},
		{"G-MGMT-13 another path", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) {
				s.after = func(r *http.Request) {
					r.URL.Path = "/v1/@connections/" +
						neverID
				}
			}), 403, "InvalidSignatureException", ""},
		{"G-MGMT-13 another query string", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.after = func(r *http.Request) { r.URL.RawQuery = "x=1" } }), 403,
			"InvalidSignatureException", ""},
		{"G-MGMT-13 another host", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.host = "example.com" }), 403, "InvalidSignatureException", ""},
		{"G-MGMT-13 another secret", "POST", "/v1/@connections/" + id, "hello",
			signedBy(gatewaytest.Credential{AccessKeyID: "AKIDONE", SecretAccessKey: "secret/two"}), 403,
			"InvalidSignatureException", ""},
		{"G-MGMT-13 presigned, another query string", "POST", "/v1/@connections/" + escaped, "hello",
			signedBy(longTermKey).with(func(s *signer) {
				s.presign = true
				s.after = func(r *http.Request) { r.URL.RawQuery += "&x=1" }
			}), 403, "InvalidSignatureException", ""},
		{"G-MGMT-13 wrong region", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.region = "us-east-1" }), 403, "InvalidSignatureException",
			"^Credential should be scoped to a valid region, not 'us-east-1'$"},
		{"G-MGMT-13 wrong service", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.service = "s3" }), 403, "InvalidSignatureException",
			"correct service: 'execute-api'"},
		{"G-MGMT-13 wrong terminator", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(replaced("aws4_request", "aws5_request")), 403, "InvalidSignatureException",
			"valid terminator"},
		{"G-MGMT-13 half a scope", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(replaced("/execute-api", "")), 403, "InvalidSignatureException",
			"5 slash-delimited elements"},
		{"G-MGMT-13 date of another day", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(replaced(`AKIDONE/\d+`, "AKIDONE/20150830")), 403, "InvalidSignatureException",
			"^Date in Credential scope does not match YYYYMMDD .* '20150830' != "},
		{"G-MGMT-13 no date", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(header("X-Amz-Date", "yesterday")), 403, "InvalidSignatureException", "Date"},
		{"G-MGMT-13 the host is not signed", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(replaced("host;", "")), 403, "InvalidSignatureException", "must be a 'SignedHeader'"},
		{"G-MGMT-13 expired", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.at = s.at.Add(-6 * time.Minute) }), 403, "InvalidSignatureException",
			`^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$`},
		{"G-MGMT-13 of the future", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.at = s.at.Add(6 * time.Minute) }), 403, "InvalidSignatureException",
			`^Signature not yet current: .* \+ 5 min\.\)$`},
		{"G-MGMT-13 presigned and expired", "POST", "/v1/@connections/" + escaped, "hello",
			signedBy(longTermKey).with(func(s *signer) { s.presign = true; s.at = s.at.Add(-301 * time.Second) }), 403,
			"InvalidSignatureException", `^Signature expired: `},
		{"G-MGMT-13 unknown key", "POST", "/v1/@connections/" + id, "hello",
			signedBy(gatewaytest.Credential{AccessKeyID: "AKIDXXX", SecretAccessKey: "x"}), 403,
			"UnrecognizedClientException", "^The security token included in the request is invalid.$"},
		{"G-MGMT-13 wrong token", "POST", "/v1/@connections/" + id, "hello",
			signedBy(gatewaytest.Credential{AccessKeyID: "ASIATWO", SecretAccessKey: "secret two", SessionToken: "x"}), 403,
			"UnrecognizedClientException", ""},
		{"G-MGMT-13 token missing", "POST", "/v1/@connections/" + id, "hello",
			signedBy(gatewaytest.Credential{AccessKeyID: "ASIATWO", SecretAccessKey: "secret two"}), 403,
			"UnrecognizedClientException", ""},
		{"G-MGMT-13 another kind of Authorization", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(header("Authorization", "Bearer x")), 403, "IncompleteSignatureException",
			"^Authorization header requires 'Credential' parameter. .*Authorization=Bearer x$"},
		{"G-MGMT-13 no hash", "POST", "/v1/@connections/" + id, "hello",
			signedBy(longTermKey).with(replaced(", Signature=.*", "")), 403, "IncompleteSignatureException",
			"^Authorization header requires 'Signature' parameter. Authorization="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, base+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.signer != nil {
				req = tt.signer.sign(t, req)
			}
			resp, body := roundTrip(t, req)
			message, _ := lookup(t, orEmptyObject(body), "message").(string)
			if resp.StatusCode != tt.status || resp.Header.Get("x-amzn-ErrorType") != tt.errorType ||
				!regexp.MustCompile(tt.message).MatchString(message) {
				t.Fatalf("got %d %s %s, want %d %s %s", resp.StatusCode, resp.Header.Get("x-amzn-ErrorType"), body, tt.status,
					tt.errorType, tt.message)
			}
			if tt.status == 200 && tt.method == "POST" {
				if got := receive(t, c); got != "hello" {
					t.Errorf("the client got %s", got)
				}
			}
		})
	}
	t.Run("calls in process need none", func(t *testing.T) {
		if _, err := g.GetConnection(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
}

func orEmptyObject(body string) []byte {
	if len(body) == 0 {
		return []byte(`{}`)
	}
	return []byte(body)
}

func TestManagementPolicies(t *testing.T) {
	const arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/"
	allow := func(action, resource string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource +
			`"}}`
	}
	for _, tt := range []struct {
		name, policy string
		want         int
	}{
		{"G-MGMT-2 ManageConnections", allow("execute-api:ManageConnections", arn+"POST/@connections/*"), 200},
		{"G-MGMT-2 Invoke does as well", allow("execute-api:Invoke", arn+"*"), 200},
		{"G-MGMT-10 another method", allow("execute-api:ManageConnections", arn+"DELETE/@connections/*"), 403},
		{"G-MGMT-10 another action", allow("s3:*", "*"), 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limited := longTermKey
			limited.Policy = tt.policy
			g := newGateway(t, gatewaytest.API{Credentials: []gatewaytest.Credential{limited}})
			base := serve(t, g)
			connectReader(t, g)
			id := onlyID(t, g)
			req, err := http.NewRequestWithContext(t.Context(), "POST", base+"/v1/@connections/"+id, strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			resp, body := roundTrip(t, signedBy(longTermKey).sign(t, req))
			want := ""
			if tt.want == 403 {
				want = `{"message":"User: arn:aws:iam::123456789012:user/AKIDONE is not authorized to perform: ` +
					`execute-api:ManageConnections on resource: ` + arn + `POST/@connections/` + id + `"}`
			}
			if resp.StatusCode != tt.want || body != want {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
		})
	}
}

// TestManagementMethods allows one method of @connections, and tries all of them.
func TestManagementMethods(t *testing.T) {
	methods := map[string]int{"POST": 200, "GET": 200, "DELETE": 204}
	for allowed := range methods {
		for method, status := range methods {
			t.Run("G-MGMT-10 "+allowed+" is allowed, "+method, func(t *testing.T) {
				limited := longTermKey
				limited.Policy = `{"Statement":{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":` +
					`"arn:aws:execute-api:*:*:a1b2c3d4e5/v1/` + allowed + `/@connections/*"}}`
				g := newGateway(t, gatewaytest.API{Credentials: []gatewaytest.Credential{limited}})
				base := serve(t, g)
				connectReader(t, g)
				sign, body := signedBy(longTermKey), "hello"
				if method != "POST" {
					sign, body = sign.with(func(s *signer) { s.body = "" }), ""
				}
				req, err := http.NewRequestWithContext(
					t.Context(), method, base+"/v1/@connections/"+onlyID(t, g), strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				want := http.StatusForbidden
				if method == allowed {
					want = status
				}
				if resp, text := roundTrip(t, sign.sign(t, req)); resp.StatusCode != want {
					t.Errorf("got %d %s, want %d", resp.StatusCode, text, want)
				}
			})
		}
	}
}

func TestIAM(t *testing.T) {
	newAPI := func(connect *recorder, policy string, log io.Writer) gatewaytest.API {
		limited := longTermKey
		limited.Policy = policy
		return gatewaytest.API{
			IAM: true, Credentials: []gatewaytest.Credential{limited}, Routes: routes("$connect", connect),
			AccessLog: &gatewaytest.AccessLog{Format: "$context.status $context.identity.userArn", Output: log},
		}
	}
	handshake := func(t *testing.T, g *gatewaytest.Gateway, s *signer) *http.Response {
		t.Helper()
		req, err := http.NewRequest("GET", "http://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1?q=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		if s != nil {
			req = s.with(func(s *signer) { s.body = "" }).sign(t, req)
		}
		c, resp, err := g.DialRaw(t.Context(), req.URL.RequestURI(), req.Header)
		if resp == nil {
			t.Fatal(err)
		}
		if c != nil {
			_ = c.Close()
		}
		return resp
	}
	denied := `{"Statement":{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"*"}}`
	for _, tt := range []struct {
		name, policy string
		signer       *signer
		want         int
		errorType    string
	}{
		{"G-AUTH-22 signed", "", signedBy(longTermKey), 101, ""},
		{"G-AUTH-22 presigned, for browsers", "", signedBy(longTermKey).with(func(s *signer) { s.presign = true }), 101, ""},
		{"G-AUTH-22 not signed", "", nil, 403, "MissingAuthenticationTokenException"},
		{"G-AUTH-22 wrongly signed", "",
			signedBy(longTermKey).with(func(s *signer) { s.credential.SecretAccessKey = "x" }), 403,
			"InvalidSignatureException"},
		{"G-AUTH-22 not allowed", denied, signedBy(longTermKey), 403, "AccessDeniedException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var connect recorder
			var log bytes.Buffer
			g := newGateway(t, newAPI(&connect, tt.policy, &log))
			resp := handshake(t, g, tt.signer)
			if resp.StatusCode != tt.want || resp.Header.Get("x-amzn-ErrorType") != tt.errorType {
				t.Errorf("got %d %s", resp.StatusCode, resp.Header.Get("x-amzn-ErrorType"))
			}
			wantLog := "403 -"
			if tt.want == 101 {
				wantLog = "200 arn:aws:iam::123456789012:user/AKIDONE"
				event := connect.one(t)
				for field, want := range map[string]string{"accountId": "123456789012", "caller": "AKIDONE", "user": "AKIDONE",
					"accessKey": "AKIDONE", "userArn": "arn:aws:iam::123456789012:user/AKIDONE"} {
					if got := lookup(t, event, "requestContext", "identity", field); got != want {
						t.Errorf("%s: got %v, want %s", field, got, want)
					}
				}
			} else if n := len(connect.all()); n != 0 {
				t.Errorf("$connect was invoked %d times", n)
			}
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}
			if got := lines(&log)[0]; got != wantLog {
				t.Errorf("logged %s, want %s", got, wantLog)
			}
		})
	}
}

// TestBadCredentials. Our own: New refuses invalid credentials.
func TestBadCredentials(t *testing.T) {
	for field, api := range map[string]gatewaytest.API{
		"Credentials[0]: no AccessKeyID":        {Credentials: []gatewaytest.Credential{{SecretAccessKey: "x"}}},
		"Credentials[1]: duplicate AccessKeyID": {Credentials: []gatewaytest.Credential{longTermKey, longTermKey}},
		"Credentials[0]: no Statement": {Credentials: []gatewaytest.Credential{{AccessKeyID: "a",
			SecretAccessKey: "b", Policy: "{}"}}},
		"IAM: needs Credentials": {IAM: true},
		"IAM: not allowed with Authorizer": {IAM: true, Credentials: []gatewaytest.Credential{longTermKey},
			Authorizer: &gatewaytest.Authorizer{Handler: ok200}},
	} {
		_, err := gatewaytest.New(api)
		wantField(t, err, field)
	}
}
