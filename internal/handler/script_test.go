package handler_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/script"
)

const scriptSource = "export const connect = () => 'live';\n"

// requestScript returns the answer to a request for the script, and its body decoded.
// Headers have names in lower case, as in events of an HTTP API.
func (b *fixture) requestScript(method string, headers map[string]string) (httpResponse, string) {
	b.t.Helper()
	f := handler.WithScript(handler.Tickets(b.hub, b.verifier, func() string { return "" }, b.logger()),
		[]byte(scriptSource))
	event := storedEvent(b.t, "ticket", func(e map[string]any) {
		e["routeKey"], e["rawPath"] = "ANY /securecart-live.js", "/securecart-live.js"
		request := object(object(e, "requestContext"), "http")
		request["method"], request["path"] = method, "/securecart-live.js"
		for name, value := range headers {
			object(e, "headers")[name] = value
		}
	})
	got, err := call[httpResponse](b.t, lambda.NewHandler(f), event)
	if err != nil {
		b.t.Fatal(err)
	}
	body := []byte(got.Body)
	if got.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(got.Body); err != nil {
			b.t.Fatal(err)
		}
	}
	return got, string(body)
}

// TestScript: the ticket function serves the script without a token, and says how long
// it may be kept.
func TestScript(t *testing.T) {
	b := newFixture(t)
	got, body := b.requestScript(http.MethodGet, map[string]string{"origin": "https://shop.example"})
	if got.StatusCode != http.StatusOK || body != scriptSource {
		t.Errorf("got %d %q, want 200 and the script", got.StatusCode, body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Access-Control-Allow-Origin": "*",
		"Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding",
		"Cache-Control": "max-age=300, stale-while-revalidate=3600, stale-if-error=86400", "Content-Length": "",
	} {
		if got.Headers[name] != want {
			t.Errorf("%s: got %q, want %q", name, got.Headers[name], want)
		}
	}
	if again, body := b.requestScript(http.MethodGet, map[string]string{"if-none-match": got.Headers["Etag"]}); again.
		StatusCode != http.StatusNotModified || body != "" || again.IsBase64Encoded {
		t.Errorf("If-None-Match: got %d and %q, want 304", again.StatusCode, body)
	}
	if b.log.Len() > 0 {
		t.Errorf("got the log %s, want none", b.log.String())
	}
}

// TestScriptCompressed: a compressed script is bytes, which an event has as base64.
func TestScriptCompressed(t *testing.T) {
	got, body := newFixture(t).requestScript(http.MethodGet, map[string]string{"accept-encoding": "br,gzip"})
	if got.Headers["Content-Encoding"] != "gzip" || !got.IsBase64Encoded {
		t.Fatalf("got %v, base64 is %t, want gzip", got.Headers, got.IsBase64Encoded)
	}
	unpacked, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if source, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(source, []byte(scriptSource)) {
		t.Errorf("got %q, %v", source, err)
	}
}

func TestScriptMethods(t *testing.T) {
	b := newFixture(t)
	if got, body := b.requestScript(http.MethodHead, nil); got.StatusCode != http.StatusOK || body != "" ||
		got.Headers["Etag"] == "" {
		t.Errorf("HEAD: got %d %q and %v", got.StatusCode, body, got.Headers)
	}
	if got, _ := b.requestScript(http.MethodPost, nil); got.StatusCode != http.StatusMethodNotAllowed ||
		got.Headers["Allow"] != "GET, HEAD" {
		t.Errorf("POST: got %d and %v, want 405", got.StatusCode, got.Headers)
	}
}

// TestScriptBesideTickets: every other route issues tickets, and asks for a token.
func TestScriptBesideTickets(t *testing.T) {
	b := newFixture(t)
	tickets := handler.Tickets(b.hub, b.verifier, func() string { return strings.Repeat("A", 26) }, b.logger())
	f := lambda.NewHandler(handler.WithScript(tickets, []byte(scriptSource)))
	for _, route := range []string{"POST /v1/tickets", "GET " + script.Path, "$default", ""} {
		event := storedEvent(t, "ticket", func(e map[string]any) { e["routeKey"] = route })
		got, err := call[httpResponse](t, f, event)
		if err != nil || got.StatusCode != http.StatusUnauthorized || got.IsBase64Encoded {
			t.Errorf("%q: got %d %s, %v, want 401", route, got.StatusCode, got.Body, err)
		}
	}
}
