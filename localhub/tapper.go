package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/tap"
)

const (
	// maxLast is the most events that the log gives at once.
	maxLast = 1000

	// retryEvery is how long to wait before the feed is opened again. Our own choice.
	retryEvery = time.Second

	// maxBatch bounds a message of the feed, which has about tap.MaxBytesPerSecond at most.
	maxBatch = 8 << 20
)

// tapper prints events.
type tapper struct {
	api            *endpoint
	output         *outputFlag
	stdout, stderr io.Writer
	filter         url.Values
	last, lines    int // lines 0: no end

	after uint64 // the last id that was seen
	boot  string // of the log that it is of
}

// batch is a message of the feed, or an answer with events.
type batch struct {
	Events  []json.RawMessage
	Boot    string
	Gap     uint64
	Sampled *tap.Sampled
}

// errEnough ends the tap: all lines are printed.
var errEnough = errors.New("enough")

// run prints events until ctx ends or there are enough. The first requests must succeed;
// later it tries again.
func (t *tapper) run(ctx context.Context) error {
	err := t.begin(ctx)
	for err == nil && ctx.Err() == nil {
		err = t.follow(ctx)
		if isBreak := new(feedBreak); errors.As(err, &isBreak) && ctx.Err() == nil {
			fmt.Fprintf(t.stderr, "localhub does not answer at %s; trying again\n", t.api.base.text)
			err = t.resume(ctx)
		}
	}
	if errors.Is(err, errEnough) || ctx.Err() != nil {
		return nil
	}
	return err
}

// feedBreak is the end of a feed.
type feedBreak struct{ error }

// begin finds the newest event, and prints the last ones.
func (t *tapper) begin(ctx context.Context) error {
	newest, err := t.latest(ctx, url.Values{}, 1)
	if err != nil {
		return err
	}
	last, err := t.latest(ctx, t.filter, max(t.last, 1)) // checks the filter, too
	if err != nil {
		return err
	}
	t.boot = newest.Boot
	for _, text := range newest.Events {
		e, err := decodeEvent(text)
		if err != nil {
			return err
		}
		t.after = e.ID
	}
	if t.last == 0 {
		return nil
	}
	return t.print(last.Events)
}

// latest asks for the newest events of a filter.
func (t *tapper) latest(ctx context.Context, filter url.Values, n int) (b batch, err error) {
	query := url.Values{"last": {strconv.Itoa(n)}}
	for name, values := range filter {
		query[name] = values
	}
	body, err := t.api.askShort(ctx, http.MethodGet, "/admin/events?"+query.Encode(), nil)
	if err == nil {
		err = json.Unmarshal(body, &b)
	}
	return b, err
}

// resume waits until localhub answers again.
func (t *tapper) resume(ctx context.Context) error {
	for {
		timer := time.NewTimer(retryEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		now, err := t.latest(ctx, url.Values{}, 1)
		switch {
		case err != nil:
		case now.Boot != t.boot:
			fmt.Fprintln(t.stderr, "localhub has been started again; ids begin anew")
			t.boot, t.after = now.Boot, 0
			return nil
		default:
			return nil
		}
	}
}

// follow prints what the feed sends. It returns a feedBreak when the feed ends.
func (t *tapper) follow(ctx context.Context) error {
	query := url.Values{"after": {strconv.FormatUint(t.after, 10)}}
	for name, values := range t.filter {
		query[name] = values
	}
	conn, err := t.api.feed(ctx, "/admin/tap?"+query.Encode(), tap.Subprotocol)
	if err != nil {
		return &feedBreak{err}
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxBatch)
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return &feedBreak{err}
		}
		var b batch
		if err := json.Unmarshal(text, &b); err != nil {
			return fmt.Errorf("the program at %s is not a localhub: %w", t.api.base.text, err)
		}
		if b.Boot != t.boot {
			return &feedBreak{errors.New("another log")}
		}
		t.say(b)
		if err := t.print(b.Events); err != nil {
			return err
		}
	}
}

// say tells what of a batch is missing.
func (t *tapper) say(b batch) {
	if b.Gap > 0 {
		fmt.Fprintf(t.stderr, "%d events had left the log and are not here\n", b.Gap)
	}
	if b.Sampled != nil {
		fmt.Fprintf(t.stderr, "too many events: of equal messages, %d in %d is here\n", b.Sampled.Kept, b.Sampled.Of)
	}
}

// print prints events, as they came or in words.
func (t *tapper) print(lines []json.RawMessage) error {
	for _, line := range lines {
		e, err := decodeEvent(line)
		if err != nil {
			return err
		}
		t.after = max(t.after, e.ID)
		if err := t.output.print(t.stdout, line, eventText(&e)); err != nil {
			return err
		}
		if t.lines--; t.lines == 0 {
			return errEnough
		}
	}
	return nil
}

func decodeEvent(text []byte) (e events.Event, err error) {
	err = json.Unmarshal(text, &e)
	return e, err
}
