package handler

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/securecart/hub/internal/script"
)

// ScriptRoute is the route of the script in the HTTP API of the ticket function.
const ScriptRoute = "ANY " + script.Path

// WithScript returns the handler of the HTTP API: of tickets, and of the script under
// [ScriptRoute]. source is the script.
func WithScript(tickets TicketFunc, source []byte) TicketFunc {
	serve := script.Handler(source, script.Shared)
	return func(ctx context.Context, e httpRequest) (httpResponse, error) {
		if e.RouteKey == ScriptRoute {
			return serveHTTP(ctx, serve, e), nil
		}
		return tickets(ctx, e)
	}
}

// serveHTTP returns the answer of an http.Handler to an event without a body. The event
// has several headers of one name as one, with commas between the values.
func serveHTTP(ctx context.Context, h http.Handler, e httpRequest) httpResponse {
	r := &http.Request{
		Method: e.RequestContext.HTTP.Method, URL: &url.URL{Path: e.RawPath}, Header: http.Header{}, Body: http.NoBody,
	}
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	w := &responseWriter{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(w, r.WithContext(ctx))
	w.header.Del("Content-Length") // the gateway knows it; a HEAD has a length without a body
	response := httpResponse{StatusCode: w.status, Headers: map[string]string{}}
	for name, values := range w.header {
		response.Headers[name] = strings.Join(values, ", ")
	}
	if w.body.Len() > 0 { // it may be compressed
		response.Body, response.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return response
}

// responseWriter keeps what an http.Handler writes.
type responseWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(status int) { w.status = status }

func (w *responseWriter) Write(p []byte) (int, error) { return w.body.Write(p) }
