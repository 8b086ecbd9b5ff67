package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// ringAfter is how long a sweep may make no progress until [Hub.RingSweeps] rings
	// its bell.
	ringAfter = time.Minute

	// sweepGroup is how many sweeps share a page. Their items are read at once.
	sweepGroup = 100
)

// SweepReport counts what a call of Sweep did.
type SweepReport struct {
	Begun     int // sweeps whose first viewers were served
	Ended     int // sweeps that ended: their crowds have the newest value
	Pages     int // pages that were served, each for one sweep or many
	Posts     int // connections that received everything
	Gone      int // connections that were gone
	Marked    int // connections that did not receive everything: they are marked, or their sweeps failed
	Throttled int // marked connections that stayed throttled
	Expired   int // connections whose session had expired: their clients were notified
	Failed    int // sweeps whose page failed, and comes again
}

// Sweep serves crowds, page by page, until none is left or more reports false before a
// page. It serves one page at least. The sweeps that have waited longest share a page
// evenly; what a small crowd does not need, the others get. Each page reads the items
// anew, so a change that comes meanwhile joins the sweep: everybody gets it once.
//
// One Sweep may run at a time; a second one would post twice. A crowd with an error does
// not stop the others. After an error call Sweep again: it skips what the page that failed
// has posted. Sweep may return with work left: the change of a row that it made last has
// rung the bell.
func (h *Hub) Sweep(ctx context.Context, more func() bool) (SweepReport, error) {
	s := sweeping{h: h, failed: map[Topic]bool{}}
	for tried := false; ; tried = true {
		sweeps, err := h.store.Sweeps(ctx)
		if err != nil {
			s.report.Failed++
			return s.report, errors.Join(s.err, fmt.Errorf("list sweeps: %w", err))
		}
		sweeps = slices.DeleteFunc(sweeps, func(sweep Sweep) bool { return s.failed[sweep.Topic] })
		if len(sweeps) == 0 || tried && !more() {
			return s.report, s.err
		}
		slices.SortStableFunc(sweeps, func(x, y Sweep) int { return cmp.Compare(x.Step, y.Step) })
		s.servePage(ctx, sweeps[:min(len(sweeps), sweepGroup, h.crowd)])
	}
}

// RingSweeps rings the bell of a sweep that made no progress for a minute, because its bell
// may be lost. One bell is enough: it stands for all the work. RingSweeps sweeps nothing
// itself, so that one Sweep runs at a time.
func (h *Hub) RingSweeps(ctx context.Context) error {
	sweeps, err := h.store.Sweeps(ctx)
	if err != nil {
		return fmt.Errorf("list sweeps: %w", err)
	}
	for _, s := range sweeps {
		if h.now().Sub(s.Updated) <= ringAfter {
			continue
		}
		ringErr := h.store.RingSweep(ctx, s.Topic, h.now())
		if ringErr == nil {
			return nil
		}
		err = errors.Join(err, fmt.Errorf("ring the bell of %s: %w", s.Topic, ringErr))
	}
	return err
}

// sweeping is one call of Sweep.
type sweeping struct {
	h      *Hub
	report SweepReport
	failed map[Topic]bool
	err    error
}

// part is what a page serves of one sweep.
type part struct {
	sweep   Sweep
	first   bool // the sweep was not served before
	done    bool // the circle is complete
	ended   bool // the sweep is
	viewers []Subscriber
	err     error
}

// servePage serves a page of some sweeps.
func (s *sweeping) servePage(ctx context.Context, sweeps []Sweep) {
	parts := make([]*part, len(sweeps))
	for i, sweep := range sweeps {
		parts[i] = &part{sweep: sweep, first: sweep.Serving == ""}
	}
	// The items are read after the rows of the sweeps, so they have the changes that are
	// wanted. The viewers are read after the items: who subscribes later reads them later.
	b := s.newBroadcast(ctx, parts)
	s.readViewers(ctx, parts)
	for i, p := range parts {
		if p.err != nil {
			continue // all of its viewers come again
		}
		for _, v := range p.viewers {
			b.addRecipient(recipient{sub: v, topic: p.sweep.Topic, rowIndex: i})
		}
	}
	b.send(ctx)
	b.markUndelivered(ctx)
	s.save(ctx, b, parts)
	b.rememberServed(func(row *changedRow) bool { return row.failed })
	b.forgetGone(ctx)
	b.notifyExpired(ctx)
	s.count(b, parts)
}

// newBroadcast returns what sends the current values of the items of sweeps to viewers, and
// does everything for them that a batch does. It has a row for each part.
func (s *sweeping) newBroadcast(ctx context.Context, parts []*part) *broadcast {
	b := &broadcast{h: s.h, now: s.h.now(), served: s.h.swept, expired: map[string]bool{}, failed: len(parts)}
	skus := make([]string, len(parts))
	for i, p := range parts {
		skus[i] = p.sweep.Topic.Name
	}
	var err error
	var items map[string]Item
	if b.epoch, err = s.h.Epoch(ctx); err == nil {
		b.served.begin(b.epoch)
		if items, err = s.h.store.Items(ctx, skus); err != nil {
			err = fmt.Errorf("read the items: %w", err)
		}
	}
	for _, p := range parts {
		item, exists := items[p.sweep.Topic.Name]
		b.rows = append(b.rows, changedRow{
			topic: p.sweep.Topic, current: true, item: &item, vendor: item.Vendor, serving: p.sweep.Wanted,
			removed: !exists, unordered: p.sweep.Rev != "", sequence: p.sweep.Rev,
		})
		p.err = err
		// There is nothing to show if the row cannot be read, or is not there and no removal
		// was wanted. A change that makes it readable, or removes it, is swept too.
		if known := exists && item.SKU != "" || !exists && p.sweep.Rev != ""; !known {
			p.sweep.Serving, p.done = p.sweep.Wanted, true
		}
	}
	return b
}

// save records that a page was served. After a conflict a sweep goes on from what is
// stored.
func (s *sweeping) save(ctx context.Context, b *broadcast, parts []*part) {
	var calls []func()
	for i, p := range parts {
		if b.rows[i].failed && p.err == nil {
			p.err = b.err
		}
		if p.err == nil {
			calls = append(calls, func() { p.err = s.saveProgress(ctx, p) })
		}
	}
	s.h.store.Together(calls...)
	for i, p := range parts {
		b.rows[i].failed = p.err != nil
	}
}

func (s *sweeping) saveProgress(ctx context.Context, p *part) error {
	var err error
	if p.done {
		err = s.h.store.EndSweep(ctx, p.sweep)
		p.ended = err == nil
	} else {
		err = s.h.store.SaveSweep(ctx, p.sweep, s.h.now())
	}
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// count counts what became of a page.
func (s *sweeping) count(b *broadcast, parts []*part) {
	served := false
	for _, p := range parts {
		topic := p.sweep.Topic
		switch {
		case p.err != nil:
			s.report.Failed++
			s.failed[topic] = true
			s.err = errors.Join(s.err, fmt.Errorf("sweep %s: %w", topic, p.err))
			continue
		case p.ended:
			s.report.Ended++
			s.h.swept.forget(topic)
		}
		if p.first {
			s.report.Begun++
		}
		served = true
	}
	if served {
		s.report.Pages++
	}
	s.report.Posts += b.report.Posts
	s.report.Gone += b.report.Gone
	s.report.Marked += b.report.Marked
	s.report.Throttled += b.report.Throttled
	s.report.Expired += b.report.Expired
}
