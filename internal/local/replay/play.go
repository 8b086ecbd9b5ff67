package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/recording"
)

const (
	// jump is the least time by which a target's clock is moved. Shorter pauses of a
	// recording are not waited for.
	jump = time.Second

	// phase is the longest time of day that the hub counts in: quotas begin anew with each
	// full hour. A replay begins at the same minute and second as the recording.
	phase = time.Hour

	// extraWithin is how long a replay waits at its end for frames that the recording does
	// not have.
	extraWithin = 500 * time.Millisecond

	// leavingTime is how long before its end a connection gets something or not: it depends on
	// who is faster. Our own choice: some times the time between a change and its frame.
	leavingTime = 50 * time.Millisecond

	// readLimit is more than the longest message.
	readLimit = 1 << 20
)

// player plays one recording.
type player struct {
	target  Target
	rec     *recording.Recording
	names   *names
	offsets offsets
	all     []*conversation
	byName  map[string]*conversation
	arrived chan arrival
	reading int // goroutines
	began   time.Time
	passed  time.Duration               // that the target's clock was moved
	known   map[string]bool             // ids of connections
	tokens  map[string]*recording.Event // by stand-in
}

// arrival is a frame that came, or the end of a connection.
type arrival struct {
	c    *conversation
	text string
	err  error
}

// Play plays a recording against a target and compares what comes. An error means that it
// could not be played.
func Play(ctx context.Context, rec *recording.Recording, t Target) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &player{
		target: t, rec: rec, names: newNames(), offsets: offsets{}, byName: map[string]*conversation{},
		arrived: make(chan arrival, 1024), known: map[string]bool{},
		tokens: map[string]*recording.Event{},
	}
	p.expect()
	err := p.start(ctx)
	for i := 0; err == nil && i < len(rec.Events); i++ {
		if err = p.event(ctx, &rec.Events[i]); err != nil {
			err = fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	if err == nil {
		err = p.wait(ctx, extraWithin, func() bool { return false })
		p.stillOpen()
	}
	p.end(cancel)
	if err != nil {
		return nil, err
	}
	r := p.result()
	if n := r.NotPlayed(); n > 0 && n == len(r) {
		return nil, errNothingPlayed
	}
	return r, nil
}

var errNothingPlayed = errors.New("nothing can be played without an admin API: no conversation is a guest's")

// expect collects what each client got.
func (p *player) expect() {
	for i := range p.rec.Events {
		switch e := &p.rec.Events[i]; e.Type {
		case recording.Open:
			c := newConversation(e.Conn, p.names, p.offsets)
			c.cart = "cart:" + e.User
			p.all = append(p.all, c)
			p.byName[e.Conn] = c
		case recording.Token:
			p.tokens[e.Token] = e
		case recording.Close:
			p.byName[e.Conn].leaves = e.At
		case recording.In:
			p.byName[e.Conn].ask()
		case recording.Out:
			p.byName[e.Conn].add(e.Text)
		}
	}
}

// start checks that the target answers, and brings its clock to the minute and second of the
// recording's.
func (p *player) start(ctx context.Context) error {
	if _, err := call(ctx, p.target.REST, http.MethodGet, "/", nil, ""); err != nil {
		return fmt.Errorf("the target does not answer: %w", err)
	}
	p.began = time.Now()
	if p.target.Admin == nil {
		return nil
	}
	a, err := call(ctx, p.target.Admin, http.MethodGet, "/admin/warp", nil, "")
	if err != nil {
		return err
	}
	var clock struct{ Now time.Time }
	if a.status != http.StatusOK || json.Unmarshal(a.body, &clock) != nil {
		return fmt.Errorf("the program that answers is not a localhub, or needs its admin token: status %d", a.status)
	}
	ahead := p.rec.Header.Started.Sub(clock.Now) % phase
	if ahead < 0 {
		ahead += phase
	}
	if ahead < jump {
		return nil
	}
	return p.target.Pass(ctx, ahead)
}

// event plays an event, or waits for it.
func (p *player) event(ctx context.Context, e *recording.Event) error {
	if err := p.passTo(ctx, time.Duration(e.At)*time.Millisecond); err != nil {
		return err
	}
	if e.Played() {
		if err := p.wait(ctx, p.target.Bound, p.answered); err != nil {
			return err
		}
		for _, c := range p.all { // those have had their time
			c.slow = c.slow || c.first != nil && c.answered < min(c.requests, c.answers)
		}
	}
	for _, c := range p.all {
		c.leaving = c.leaves > 0 && c.leaves-e.At < leavingTime.Milliseconds()
	}
	c := p.byName[e.Conn]
	if c != nil && c.notPlayed {
		return nil
	}
	switch e.Type {
	case recording.Stock:
		return p.stock(ctx, e)
	case recording.Token:
		return p.token(ctx, e)
	case recording.Open:
		return p.open(ctx, c, e)
	case recording.In:
		return p.send(ctx, c, e)
	case recording.Out:
		return p.await(ctx, c)
	case recording.Close:
		return p.close(ctx, c, e)
	}
	return p.request(ctx, e)
}

// answered reports whether all messages are answered that the recording has answers to. A
// client need not wait for that, but the order in which the hub acts on messages that wait
// together is free, and a replay could differ. That holds for the messages of a conversation
// that differs too: what they do decides what others get.
func (p *player) answered() bool {
	for _, c := range p.all {
		if !c.ended && !c.slow && c.answered < min(c.requests, c.answers) {
			return false
		}
	}
	return true
}

// passTo lets time pass until it is as late as in the recording.
func (p *player) passTo(ctx context.Context, at time.Duration) error {
	by := at - time.Since(p.began) - p.passed
	if p.target.Waits {
		if by > 0 {
			return p.target.Pass(ctx, by)
		}
		return nil
	}
	if by < jump {
		return nil
	}
	p.passed += by
	return p.target.Pass(ctx, by)
}

// await waits for the next frame of a conversation.
func (p *player) await(ctx context.Context, c *conversation) error {
	if c.next == len(c.frames) {
		return nil // close has waited for it
	}
	f := c.frames[c.next]
	c.next++
	err := p.wait(ctx, p.target.Bound, func() bool { return c.first != nil || c.settled(f) || c.ended })
	if err == nil && c.first == nil && !f.done && !(c.ended && c.leaving) {
		c.missing(f)
	}
	return err
}

// wait takes what comes until done, or until a bound has passed.
func (p *player) wait(ctx context.Context, bound time.Duration, done func() bool) error {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		case a := <-p.arrived:
			p.take(a)
		}
	}
	return nil
}

func (p *player) take(a arrival) {
	if a.err == nil {
		a.c.got(a.text)
		return
	}
	p.reading--
	a.c.ended, a.c.code = true, websocket.CloseStatus(a.err)
}

func (p *player) result() Result {
	var r Result
	for _, c := range p.all {
		r = append(r, Conversation{Name: c.name, Frames: len(c.frames), NotPlayed: c.notPlayed, Difference: c.first})
	}
	return r
}
