package replay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// remoteBound is how long a frame may take from a hub elsewhere. In AWS a missed frame is
// healed within a minute, but a replay does not wait for that.
const remoteBound = 10 * time.Second

// Remote is a hub elsewhere as a target. socket is its URL. admin sends requests to its admin
// API, at whatever host they name; nil: it has none, and then time passes by waiting. Users
// have names that the hub has not seen before.
func Remote(socket *url.URL, admin func(*http.Request) (*http.Response, error)) Target {
	root := *socket
	root.Scheme, root.Path = strings.Replace(socket.Scheme, "ws", "http", 1), ""
	t := Target{
		Dial: func(ctx context.Context, query string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
			address := *socket
			address.RawQuery = query
			return websocket.Dial(ctx, address.String(), o)
		},
		Admin: admin, REST: at(&root), Waits: true, Pass: sleep, Bound: remoteBound,
		Suffix: "-" + strings.ToLower(rand.Text()[:8]),
	}
	if admin != nil {
		t.Waits, t.Pass = false, func(ctx context.Context, by time.Duration) error { return warp(ctx, admin, by) }
	}
	return t
}

// at returns a function that sends requests to a server.
func at(root *url.URL) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		req.URL = root.ResolveReference(req.URL)
		return http.DefaultClient.Do(req)
	}
}

// sleep lets time pass.
func sleep(ctx context.Context, by time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(by):
		return nil
	}
}

// maxWarp is the most that a localhub moves its clock at once.
const maxWarp = 366 * 24 * time.Hour

// warp moves the clock of a localhub.
func warp(ctx context.Context, admin func(*http.Request) (*http.Response, error), by time.Duration) error {
	a, err := call(ctx, admin, http.MethodPost, "/admin/warp", nil, fmt.Sprintf(`{"by":%q}`, min(by, maxWarp)))
	if err == nil && a.status != http.StatusOK {
		err = errors.New("the target's clock cannot be moved: " + clip(string(a.body)))
	}
	return err
}
