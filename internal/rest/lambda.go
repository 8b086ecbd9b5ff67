package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
)

// LambdaFunc is the handler of a proxy integration of a REST API.
type LambdaFunc func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error)

// Lambda returns the handler of a proxy integration of a REST API, payload format 1.0,
// that serves h. The path of the event is as the client sent it, percent-encoded and
// without the stage; the values of its query are decoded. An answer that is not UTF-8
// text is encoded as base64, which the API must be told to decode: its binary media
// types are */*.
func Lambda(h http.Handler) LambdaFunc {
	return func(ctx context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		r, err := newRequest(ctx, e)
		if err != nil {
			return events.APIGatewayProxyResponse{StatusCode: http.StatusBadRequest}, nil
		}
		w := &recorder{header: http.Header{}}
		h.ServeHTTP(w, r)
		return w.response(), nil
	}
}

// newRequest returns the request of an event. It fails if the body is not the base64 that
// the event says it is.
func newRequest(ctx context.Context, e events.APIGatewayProxyRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, err
		}
	}
	u := &url.URL{Path: e.Path, RawQuery: query(e).Encode()}
	if path, err := url.PathUnescape(e.Path); err == nil {
		u.Path, u.RawPath = path, e.Path
	}
	r := &http.Request{
		Method: e.HTTPMethod, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Host: e.RequestContext.DomainName, RemoteAddr: net.JoinHostPort(e.RequestContext.Identity.SourceIP, "0"),
	}
	for name, values := range headers(e) {
		r.Header[http.CanonicalHeaderKey(name)] = append(r.Header[http.CanonicalHeaderKey(name)], values...)
	}
	id := e.RequestContext.ExtendedRequestID // clients can choose RequestID
	return r.WithContext(hub.WithCause(withDoor(ctx, e), id)), nil
}

// query returns the query of an event: all values or, in events of tests, single ones.
func query(e events.APIGatewayProxyRequest) url.Values {
	if e.MultiValueQueryStringParameters != nil {
		return e.MultiValueQueryStringParameters
	}
	return multiple(e.QueryStringParameters)
}

// headers returns the headers of an event, likewise.
func headers(e events.APIGatewayProxyRequest) map[string][]string {
	if e.MultiValueHeaders != nil {
		return e.MultiValueHeaders
	}
	return multiple(e.Headers)
}

func multiple(single map[string]string) map[string][]string {
	all := map[string][]string{}
	for name, value := range single {
		all[name] = []string{value}
	}
	return all
}

// recorder keeps what an http.Handler writes.
type recorder struct {
	header  http.Header
	status  int // 0: not written
	body    bytes.Buffer
	written http.Header // the header when the status was written
}

func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the first status, as a server does.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.written = status, w.header.Clone()
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// response returns the answer of the function. API Gateway computes the length.
func (w *recorder) response() events.APIGatewayProxyResponse {
	w.WriteHeader(http.StatusOK)
	w.written.Del("Content-Length")
	r := events.APIGatewayProxyResponse{StatusCode: w.status, MultiValueHeaders: w.written, Body: w.body.String()}
	if !utf8.ValidString(r.Body) {
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return r
}
