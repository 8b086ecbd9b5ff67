package restapi_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/restapi"
)

// catalogue is a catalogue in memory. It answers one request.
type catalogue func(*http.Request) (*http.Response, error)

func (c catalogue) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// ask asks for a product by its path below /v1/products/.
func (c catalogue) ask(path string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/products/{sku}", restapi.Catalogue{
		URL: "https://shop.test/products", Transport: c, Log: slog.New(slog.DiscardHandler),
	})
	r, w := httptest.NewRequest("GET", "/v1/products/"+path, nil), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer canary")
	r.Header.Set("Cookie", "canary=1")
	mux.ServeHTTP(w, r)
	return w
}

// answers is a catalogue that always gives the same answer.
func answers(status int, body io.Reader, header http.Header) catalogue {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body)}, nil
	}
}

// failingReader is a body that breaks.
type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestCatalogue: a product comes with the headers for caches, and nothing of the client
// but the SKU reaches the catalogue.
func TestCatalogue(t *testing.T) {
	var asked *http.Request
	w := catalogue(func(r *http.Request) (*http.Response, error) {
		asked = r
		header := http.Header{
			"Cache-Control": {"max-age=600"}, "Content-Type": {"application/json"}, "Etag": {`"7"`}, "Set-Cookie": {"a=b"},
		}
		return answers(200, strings.NewReader(`{"name":"Cap"}`), header)(r)
	}).ask("RED%20CAP%2F1?sku=other")
	if got := asked.URL.String(); got != "https://shop.test/products/RED%20CAP%2F1" {
		t.Errorf("the catalogue was asked for %s", got)
	}
	if want := (http.Header{"Accept": {"application/json"}, "Accept-Encoding": {"identity"}}); !reflect.DeepEqual(
		asked.Header, want) {
		t.Errorf("the catalogue got the headers %v, want %v", asked.Header, want)
	}
	if w.Code != 200 || w.Body.String() != `{"name":"Cap"}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Cache-Control": "max-age=600", "Content-Type": "application/json", "ETag": `"7"`, "Set-Cookie": "",
		"Access-Control-Allow-Origin": "*",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestCatalogueWithoutType: an answer without a type is application/json, as API Gateway
// makes it, and never what its text looks like.
func TestCatalogueWithoutType(t *testing.T) {
	w := answers(200, strings.NewReader("<h1>Cap</h1>"), http.Header{"Content-Encoding": {"gzip"}}).ask("MUG")
	if got := w.Header().Get("Content-Type"); w.Code != 200 || got != "application/json" ||
		w.Header().Get("Content-Encoding") != "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

// TestCatalogueFails: whatever a catalogue does, clients get a problem document.
func TestCatalogueFails(t *testing.T) {
	html := func(status int) catalogue {
		return answers(status, strings.NewReader("<h1>canary</h1>"), http.Header{"Location": {"https://else.test"}})
	}
	tests := map[string]struct {
		catalogue
		path    string
		status  int
		problem string
	}{
		"no such product":   {html(404), "MUG", 404, restapi.NoProductProblem},
		"no longer":         {html(410), "MUG", 404, restapi.NoProductProblem},
		"refuses":           {html(403), "MUG", 502, restapi.FailedProblem},
		"throttles":         {html(429), "MUG", 502, restapi.FailedProblem},
		"fails":             {html(500), "MUG", 502, restapi.FailedProblem},
		"redirects":         {html(302), "MUG", 502, restapi.FailedProblem},
		"says nothing":      {html(204), "MUG", 502, restapi.FailedProblem},
		"has nothing new":   {html(304), "MUG", 502, restapi.FailedProblem},
		"sends a part":      {html(206), "MUG", 502, restapi.FailedProblem},
		"ends early":        {answers(200, failingReader{}, nil), "MUG", 502, restapi.FailedProblem},
		"never ends":        {answers(200, endless{}, nil), "MUG", 502, restapi.FailedProblem},
		"the path above it": {html(200), "%2E%2E", 404, restapi.NoProductProblem},
		"is not there": {func(*http.Request) (*http.Response, error) {
			return nil, errors.New("connection refused")
		}, "MUG", 502, restapi.FailedProblem},
	}
	for name, tt := range tests {
		asked := 0
		w := catalogue(func(r *http.Request) (*http.Response, error) {
			if asked++; asked > 1 {
				t.Errorf("%s: the catalogue was asked for %s too", name, r.URL)
				return nil, io.EOF
			}
			return tt.catalogue(r)
		}).ask(tt.path)
		wantRefusal(t, name, w, tt.status, tt.problem)
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func wantRefusal(t *testing.T, name string, w *httptest.ResponseRecorder, status int, problem string) {
	t.Helper()
	if w.Code != status || w.Body.String() != problem || w.Header().Get("Content-Type") != "application/problem+json" ||
		w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s: got %d %v %s, want %d %s", name, w.Code, w.Header(), w.Body, status, problem)
	}
}

// hanging is a body that does not come, of a request that may be given up.
type hanging struct{ r *http.Request }

func (h hanging) Read([]byte) (int, error) {
	<-h.r.Context().Done()
	return 0, h.r.Context().Err()
}

// TestCatalogueHangs: a catalogue that hangs, before its answer or in it, is given up.
func TestCatalogueHangs(t *testing.T) {
	for name, c := range map[string]catalogue{
		"before the answer": func(r *http.Request) (*http.Response, error) {
			_, err := hanging{r}.Read(nil)
			return nil, err
		},
		"in the answer": func(r *http.Request) (*http.Response, error) { return answers(200, hanging{r}, nil)(r) },
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			w := c.ask("MUG")
			wantRefusal(t, name, w, 504, restapi.LateProblem)
			if took := time.Since(start); took != restapi.CatalogueTimeout {
				t.Errorf("%s: it took %s", name, took)
			}
		})
	}
}
