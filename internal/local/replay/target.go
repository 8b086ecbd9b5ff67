package replay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Target is what a recording is played against.
type Target struct {
	// Dial opens a socket. query is that of the URL, or "".
	Dial func(ctx context.Context, query string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error)

	// Admin and REST send requests to the two APIs, whose paths are those of localhub. Without
	// Admin there are only guests, and nobody changes stock.
	Admin, REST func(*http.Request) (*http.Response, error)

	// Pass lets time pass. With Waits it waits, without it moves the target's clock: then
	// pauses of less than a second are left out.
	Pass  func(ctx context.Context, by time.Duration) error
	Waits bool

	// Bound is how long a frame may take that the recording has.
	Bound time.Duration

	// Suffix ends the names of users, for a target that has other users. Guests are new ones.
	Suffix string
}

// answer is the status and the body of a response.
type answer struct {
	status int
	body   []byte
}

// call sends a request. header may be nil.
func call(
	ctx context.Context, do func(*http.Request) (*http.Response, error),
	method, path string, header http.Header, body string,
) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	if header != nil {
		req.Header = header
	}
	resp, err := do(req)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return a, nil
}

// Serve returns a function that sends requests to a handler in this process.
func Serve(h http.Handler) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Host, req.RemoteAddr = "127.0.0.1:8788", "127.0.0.1:1" // a program on this machine
		req.RequestURI = req.URL.RequestURI()
		w := &written{header: http.Header{}, status: http.StatusOK}
		h.ServeHTTP(w, req)
		return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: req}, nil
	}
}

// written is a response in memory.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header         { return w.header }
func (w *written) WriteHeader(status int)      { w.status = status }
func (w *written) Write(p []byte) (int, error) { return w.body.Write(p) }
