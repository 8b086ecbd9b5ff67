package issuer

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Client returns a client that reaches only the issuer. It calls the handler on the
// caller's goroutine.
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
		return nil, fmt.Errorf("issuer: this client cannot reach %s, only %s", r.URL.Host, p.issuer.host)
	}
	w := &recorder{header: make(http.Header)}
	p.issuer.ServeHTTP(w, r)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}, nil
}

// recorder keeps what the handler writes. net/http/httptest has the same, but registers
// a command line flag in every program that links it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
