package issuer

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Client returns a client that reaches the issuer, and nothing else, by calling
// its handler on the caller's goroutine.
func (i *Issuer) Client() *http.Client {
	return &http.Client{Transport: inProcess{i}}
}

type inProcess struct{ issuer *Issuer }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.URL.Host != p.issuer.host {
		return nil, fmt.Errorf("issuer: no way to %s, only to %s", r.URL.Host, p.issuer.host)
	}
	a := &answer{header: make(http.Header)}
	p.issuer.ServeHTTP(a, r)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.header,
		Body:          io.NopCloser(&a.body),
		ContentLength: int64(a.body.Len()),
		Request:       r,
	}, nil
}

// answer collects what the handler writes. net/http/httptest has the like, but it
// registers a command line flag in every program that links it.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}
