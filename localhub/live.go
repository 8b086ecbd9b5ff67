package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/client"
	"github.com/securecart/hub/internal/hub"
)

// bounds say when a word ends that goes on until it is interrupted.
type bounds struct {
	lines int
	time  time.Duration
}

func (b *bounds) flags(fs *pflag.FlagSet) {
	fs.IntVar(&b.lines, "n", 0, "`COUNT` end after so many lines")
	fs.DurationVar(&b.time, "for", 0, "`TIME` end after this time, such as 10s")
}

func (b *bounds) check() error {
	if b.lines < 0 || b.time < 0 {
		return usagef("-n and -for cannot be negative")
	}
	return nil
}

// context returns a context that ends when the time is over.
func (b *bounds) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.time == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, b.time)
}

// topicName returns a topic that somebody typed: MUG stands for sku:MUG.
func topicName(text string) (string, error) {
	if text == ownCart {
		return ownCart, nil
	}
	name := text
	if !strings.Contains(name, ":") {
		name = string(hub.KindSKU) + ":" + name
	}
	topic, err := hub.ParseTopic(name)
	if err != nil {
		return "", usagef("%q is not a topic", text)
	}
	return topic.String(), nil
}

// live is a connection to a hub, for as long as its context.
type live struct {
	*client.Client
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// connect connects to the hub as its clients do. If the hub does not answer, or refuses the
// token, the connection ends with that error; later breaks are the client's to mend.
func (e *endpoint) connect(ctx context.Context, stderr io.Writer) (*live, error) {
	token, err := e.currentToken()
	if err != nil {
		return nil, err
	}
	l := &live{}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	o := client.Options{URL: e.base.socket()}
	connected := make(chan struct{})
	o.Report = func(err error) {
		var refused *client.Error
		var deprecated *client.DeprecationError
		switch {
		case errors.As(err, &refused) && token == "": // the client is a new guest now
		case errors.As(err, &refused):
			l.cancel(fmt.Errorf("the hub refused the token: %s", refused.Code))
		case errors.As(err, &deprecated):
			fmt.Fprintln(stderr, "localhub:", strings.TrimPrefix(err.Error(), "client: "))
		case !isClosed(connected):
			l.cancel(e.noAnswer(err))
		}
	}
	if token != "" {
		o.Token = func(context.Context, client.Code) (string, error) { return token, nil }
	}
	within, stop := context.WithTimeoutCause(l.ctx, answerTimeout, e.noAnswer(errors.New("it took too long")))
	defer stop()
	if l.Client, err = client.Connect(within, o); err != nil {
		if cause := context.Cause(within); cause != nil {
			err = cause
		}
		l.cancel(nil)
		return nil, err
	}
	close(connected)
	return l, nil
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// noAnswer is the error of a server that cannot be reached, or that refuses the handshake.
func (e *endpoint) noAnswer(err error) error {
	var handshake *client.HandshakeError
	if errors.As(err, &handshake) {
		return fmt.Errorf("the program at %s refused the connection: %d %s", e.base.text, handshake.Status,
			http.StatusText(handshake.Status))
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the URL, which is long
	}
	return fmt.Errorf("no localhub answers at %s: %w (start localhub, or name its address with %s)", e.base.text, err,
		e.flag)
}

// close ends the connection. It returns why it had ended already; nil for an interrupt.
func (l *live) close() error {
	cause := context.Cause(l.ctx)
	l.Client.Close()
	l.cancel(nil)
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return nil
	}
	return cause
}

// feed opens a WebSocket of the admin API.
func (e *endpoint) feed(ctx context.Context, path, subprotocol string) (*websocket.Conn, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base.http()+path, nil)
	if err == nil {
		err = e.authorize(req)
	}
	if err != nil {
		return nil, err
	}
	conn, _, err := websocket.Dial(ctx, e.base.socket()+path, &websocket.DialOptions{
		HTTPHeader: req.Header, Subprotocols: []string{subprotocol},
	})
	return conn, err
}
