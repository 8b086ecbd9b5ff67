package restapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// CatalogueTimeout is how long API Gateway waits for the shop's catalogue.
const CatalogueTimeout = 3 * time.Second

// Bodies of answers that have no product. They are those of template.yaml.
const (
	NoProductProblem = `{"title":"Not Found","status":404,"detail":"the catalogue has no such product",` +
		`"code":"not_found"}`
	FailedProblem = `{"title":"Bad Gateway","status":502,"detail":"a service behind this path failed; please try again",` +
		`"code":"upstream_failed","retry":true}`
	LateProblem = `{"title":"Gateway Timeout","status":504,` +
		`"detail":"a service behind this path did not answer in time; please try again","code":"upstream_late","retry":true}`
)

// catalogueHeaders are what a client gets of the catalogue's headers.
var catalogueHeaders = []string{"Cache-Control", "Content-Type", "ETag"}

// Catalogue is the HTTP integration of GET /v1/products/{sku}: it asks URL + "/" + sku,
// and passes on nothing else of a request.
type Catalogue struct {
	URL       string            // without a slash at the end
	Transport http.RoundTripper // nil: http.DefaultTransport
	Log       *slog.Logger
}

// ServeHTTP implements [http.Handler].
func (c Catalogue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sku := r.PathValue("sku")
	if sku == "." || sku == ".." { // another path of the catalogue's host
		refuseProduct(w, http.StatusNotFound, NoProductProblem)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), CatalogueTimeout)
	defer cancel()
	answer, body, err := c.ask(ctx, c.URL+"/"+url.PathEscape(sku))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		refuseProduct(w, http.StatusGatewayTimeout, LateProblem)
	case err != nil:
		c.Log.WarnContext(ctx, "catalogue", "error", err)
		refuseProduct(w, http.StatusBadGateway, FailedProblem)
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		refuseProduct(w, http.StatusNotFound, NoProductProblem)
	case answer.StatusCode != http.StatusOK:
		c.Log.WarnContext(ctx, "catalogue", "status", answer.StatusCode)
		refuseProduct(w, http.StatusBadGateway, FailedProblem)
	default:
		w.Header().Set("Content-Type", "application/json") // API Gateway's, if the catalogue names none
		for _, name := range catalogueHeaders {
			if value := answer.Header.Get(name); value != "" {
				w.Header().Set(name, value)
			}
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write(body) // the client may have closed its connection
	}
}

// ask returns the whole answer. Like API Gateway, it follows no redirect.
func (c Catalogue) ask(ctx context.Context, target string) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Encoding", "identity") // Content-Encoding would not reach the client
	client := http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(http.MaxBytesReader(nil, answer.Body, MaxBody))
	return answer, body, err
}

func refuseProduct(w http.ResponseWriter, status int, problem string) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "no-store")
	refuse(w, status, problem)
}
