// Package load measures a hub: many connections follow some SKUs while their stock changes.
//
// It reads every push as it comes. A client that keeps to the protocol would hide just the
// faults that are looked for here.
package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Options say what to measure.
type Options struct {
	Connections int           // how many
	SKUs        []string      // which each of them follows; their rows must be counted
	Changes     int           // how many
	Every       time.Duration // the time from one change to the next; more if a change takes longer
	Settle      time.Duration // how long after the last change a push may still arrive

	// Dial opens a connection.
	Dial func(context.Context) (*websocket.Conn, error)

	// Change sets the stock of a SKU and returns what the hub says of it, as [AdminAPI] does.
	Change func(ctx context.Context, sku string, available int) (Written, error)

	// Progress hears each second how far it is. nil: nobody does.
	Progress func(Progress)
}

// Progress is how far a measurement is.
type Progress struct {
	Connections int // that have their first values
	Changes     int
	Deltas      int
}

const (
	// maxAvailable is the highest stock figure that is written.
	maxAvailable = 3

	// quiet is how long a push that should not come may still come when all is shown.
	quiet = 250 * time.Millisecond

	progressEvery = time.Second
)

// Written is a change that was made.
type Written struct {
	Version  int64
	State    string // "in", "low" or "out"
	Quantity int    // of "low"; 0: the badge has none
}

// Result is what was measured.
type Result struct {
	Connections int
	Connected   time.Duration // until all had their first values
	Changes     int
	Deltas      int           // values that were pushed
	Took        time.Duration // from the first change to the last push
	P50, P99    time.Duration // from the call of Change until a push of its version arrived

	Lost     int // topics that did not show the newest version at the end
	Older    int // pushes of an older version than the connection had
	Invented int // pushes of a version that nobody wrote, or with another value
}

// String returns the result as a table in Markdown.
func (r Result) String() string {
	perSecond := func(n int, d time.Duration) string { return fmt.Sprintf("%.0f", float64(n)/max(d, 1).Seconds()) }
	return "| Connections | Connects/s | Deltas/s | p50 | p99 | Lost | Older | Invented |\n" +
		"|---|---|---|---|---|---|---|---|\n" +
		fmt.Sprintf("| %d | %s | %s | %s | %s | %d | %d | %d |\n",
			r.Connections, perSecond(r.Connections, r.Connected), perSecond(r.Deltas, r.Took),
			r.P50.Round(time.Millisecond), r.P99.Round(time.Millisecond), r.Lost, r.Older, r.Invented)
}

// Run measures. The error is about the measurement: a connection that could not be opened
// or ended, or a change that failed.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Connections < 1 || len(o.SKUs) < 1 || o.Changes < 1 || o.Every < 0 || o.Dial == nil || o.Change == nil {
		return Result{}, errors.New("load: Connections, SKUs, Changes, Dial and Change are needed")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	m := &meter{written: map[string]map[int64]change{}}
	var showing sync.WaitGroup
	defer showing.Wait()
	defer stop()
	if o.Progress != nil {
		showing.Go(func() { m.show(ctx, o.Progress) })
	}
	began := time.Now()
	screens, err := m.open(ctx, o)
	defer closeAll(screens)
	if err != nil {
		return Result{}, err
	}
	connected := time.Since(began)
	var reading sync.WaitGroup
	for _, s := range screens {
		reading.Go(func() { m.read(ctx, s) })
	}
	began = time.Now()
	err = m.change(ctx, o)
	if err == nil {
		m.settle(ctx, screens, o.Settle)
	}
	stop()
	reading.Wait()
	if err = errors.Join(err, m.err); err != nil {
		return Result{}, err
	}
	r := m.result(screens, began)
	r.Connections, r.Connected, r.Changes = o.Connections, connected, o.Changes
	return r, nil
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// meter collects what happens.
type meter struct {
	mu      sync.Mutex // guards the rest, and the versions of the screens
	opened  int
	changes int
	written map[string]map[int64]change
	pushes  []push
	err     error
}

// show reports the progress until ctx ends.
func (m *meter) show(ctx context.Context, progress func(Progress)) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.mu.Lock()
		p := Progress{m.opened, m.changes, len(m.pushes)}
		m.mu.Unlock()
		progress(p)
	}
}

// settle waits until every screen shows the newest versions, for d at most.
func (m *meter) settle(ctx context.Context, screens []*screen, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		wait(ctx, min(quiet, time.Until(end)))
		m.mu.Lock()
		lost := m.lost(screens)
		m.mu.Unlock()
		if lost == 0 {
			return
		}
	}
}

// lost counts topics of screens that do not show the newest version. m.mu is held.
func (m *meter) lost(screens []*screen) (lost int) {
	for sku, versions := range m.written {
		newest := int64(0)
		for version := range versions {
			newest = max(newest, version)
		}
		for _, s := range screens {
			if s.versions[sku] < newest {
				lost++
			}
		}
	}
	return lost
}

// change is a change that was made, and when it was asked for.
type change struct {
	Written
	at time.Time
}

// push is a value that arrived. It is judged at the end, when every change is known.
type push struct {
	sku   string
	value Written
	had   int64 // the version that the connection had before
	at    time.Time
}

// change makes the changes, one after the other.
func (m *meter) change(ctx context.Context, o Options) error {
	began := time.Now()
	for n := range o.Changes {
		wait(ctx, time.Until(began.Add(time.Duration(n)*o.Every)))
		sku, at := o.SKUs[n%len(o.SKUs)], time.Now()
		w, err := o.Change(ctx, sku, n/len(o.SKUs)%(maxAvailable+1)) // each differs from the one before it
		if err != nil {
			return fmt.Errorf("load: change %s: %w", sku, err)
		}
		m.mu.Lock()
		if m.written[sku] == nil {
			m.written[sku] = map[int64]change{}
		}
		m.written[sku][w.Version] = change{w, at}
		m.changes++
		m.mu.Unlock()
	}
	return nil
}

// result judges the pushes.
func (m *meter) result(screens []*screen, began time.Time) (r Result) {
	var took []time.Duration
	for _, p := range m.pushes {
		r.Took = max(r.Took, p.at.Sub(began))
		w, ok := m.written[p.sku][p.value.Version]
		switch {
		case !ok || w.Written != p.value:
			r.Invented++
		case p.value.Version < p.had:
			r.Older++
		case p.value.Version > p.had: // the same once more is harmless
			took = append(took, p.at.Sub(w.at))
		}
	}
	r.Lost, r.Deltas = m.lost(screens), len(m.pushes)
	if slices.Sort(took); len(took) > 0 {
		r.P50, r.P99 = took[len(took)/2], took[len(took)*99/100]
	}
	return r
}
