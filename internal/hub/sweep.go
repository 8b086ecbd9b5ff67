package hub

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

const (
	// ringAfter is how long a sweep may make no progress until [Hub.RingSweeps] rings
	// its bell.
	ringAfter = time.Minute

	// startProbes is how many places a sweep tries for its start.
	startProbes = 16
)

// SweepReport counts what a call of Sweep did.
type SweepReport struct {
	Begun     int // sweeps whose first page was served
	Ended     int // sweeps that ended: their crowds have the newest value
	Pages     int // pages that were served
	Posts     int // connections that received everything
	Gone      int // connections that were gone
	Marked    int // connections that did not receive everything: they are marked, or their page failed
	Throttled int // marked connections that stayed throttled
	Expired   int // connections whose session had expired: their clients were notified
	Failed    int // pages that failed, and come again
}

// Sweep serves crowds, one page of each in turn, until none is left or more reports
// false before a page. It serves one page at least. Each page reads the item anew, so a
// change that comes meanwhile joins the sweep: everybody gets it once.
//
// One Sweep may run at a time; a second one would post twice. A crowd with an error does
// not stop the others. After an error call Sweep again: a page that was posted and not
// recorded is posted again then. Sweep may return with work left: the change of a row
// that it made last has rung the bell.
func (h *Hub) Sweep(ctx context.Context, more func() bool) (SweepReport, error) {
	s := sweeping{h: h, failed: map[Topic]bool{}}
	for {
		sweeps, err := h.store.Sweeps(ctx)
		if err != nil {
			s.report.Failed++
			return s.report, errors.Join(s.err, fmt.Errorf("list sweeps: %w", err))
		}
		sweeps = slices.DeleteFunc(sweeps, func(sweep Sweep) bool { return s.failed[sweep.Topic] })
		if len(sweeps) == 0 {
			return s.report, s.err
		}
		for _, sweep := range sweeps {
			if s.tried && !more() {
				return s.report, s.err
			}
			s.tried = true
			if err := s.servePage(ctx, sweep); err != nil {
				s.report.Failed++
				s.failed[sweep.Topic] = true
				s.err = errors.Join(s.err, fmt.Errorf("sweep %s: %w", sweep.Topic, err))
			}
		}
	}
}

// RingSweeps rings the bell of each sweep that made no progress for a minute, because
// its bell may be lost. It sweeps nothing itself, so that one Sweep runs at a time.
func (h *Hub) RingSweeps(ctx context.Context) error {
	sweeps, err := h.store.Sweeps(ctx)
	if err != nil {
		return fmt.Errorf("list sweeps: %w", err)
	}
	for _, s := range sweeps {
		if h.now().Sub(s.Updated) <= ringAfter {
			continue
		}
		if saveErr := h.store.SaveSweep(ctx, s, h.now()); saveErr != nil && !errors.Is(saveErr, ErrConflict) {
			err = errors.Join(err, fmt.Errorf("ring the bell of %s: %w", s.Topic, saveErr))
		}
	}
	return err
}

// sweeping is one call of Sweep.
type sweeping struct {
	h      *Hub
	report SweepReport
	tried  bool // a page
	failed map[Topic]bool
	err    error
}

// servePage serves the next page of a sweep. A change that came since the circle began starts
// a new circle from here.
func (s *sweeping) servePage(ctx context.Context, sweep Sweep) error {
	first := sweep.Serving == ""
	if first {
		var err error
		if sweep.At, err = s.start(ctx, sweep); err != nil {
			return err
		}
	}
	if NewerRev(sweep.Wanted, sweep.Serving) {
		sweep.Serving, sweep.From, sweep.Wrapped = sweep.Wanted, sweep.At, false
	}
	// The item is read after the row of the sweep, so it has the change that is wanted.
	// The viewers are read after the item: who subscribes later reads it later.
	row, known, err := s.read(ctx, sweep)
	if err != nil {
		return err
	}
	done := !known // a change that makes the row readable, or removes it, is swept too
	if known {
		var viewers []Subscriber
		if viewers, done, err = s.viewers(ctx, &sweep); err != nil {
			return err
		}
		if err := s.post(ctx, row, viewers); err != nil {
			return err
		}
	}
	if err := s.saveProgress(ctx, sweep, done); err != nil {
		return err
	}
	if first {
		s.report.Begun++
	}
	s.report.Pages++
	return nil
}

// saveProgress records that a page was served. After a conflict the sweep goes on from what
// is stored.
func (s *sweeping) saveProgress(ctx context.Context, sweep Sweep, done bool) error {
	var err error
	if done {
		if err = s.h.store.EndSweep(ctx, sweep); err == nil {
			s.report.Ended++
		}
	} else {
		err = s.h.store.SaveSweep(ctx, sweep, s.h.now())
	}
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// start returns a place among the viewers where a sweep begins, by the digits of its
// sequence number, so that nobody is always the last. Ids may have a common beginning.
func (s *sweeping) start(ctx context.Context, sweep Sweep) (string, error) {
	page, _, err := s.h.store.Subscribers(ctx, sweep.Topic, "", 1)
	if err != nil || len(page) == 0 {
		return "", err
	}
	id := page[0].ConnectionID
	sum := fnv.New64a()
	for i := range min(len(id), startProbes) {
		sum.Write([]byte(sweep.Wanted))
		if id[i] >= '~' {
			continue
		}
		place := id[:i] + string(rune(uint64(id[i])+1+sum.Sum64()%uint64('~'-id[i])))
		if page, _, err := s.h.store.Subscribers(ctx, sweep.Topic, place, 1); err != nil || len(page) > 0 {
			return place, err
		}
	}
	return "", nil
}

// read reads the item of a sweep. known is false if there is nothing to show: the row
// cannot be read, or it is not there and no removal was wanted.
func (s *sweeping) read(ctx context.Context, sweep Sweep) (row changedRow, known bool, err error) {
	items, err := s.h.store.Items(ctx, []string{sweep.Topic.Name})
	if err != nil {
		return row, false, fmt.Errorf("read the item: %w", err)
	}
	item, exists := items[sweep.Topic.Name]
	row = changedRow{
		topic: sweep.Topic, current: true, item: &item, vendor: item.Vendor,
		removed: !exists, unordered: sweep.Rev != "", sequence: sweep.Rev,
	}
	return row, exists && item.SKU != "" || !exists && sweep.Rev != "", nil
}

// viewers reads the next page of a circle, and moves the sweep behind it. done reports
// that the circle is complete.
func (s *sweeping) viewers(ctx context.Context, sweep *Sweep) (viewers []Subscriber, done bool, err error) {
	for len(viewers) < s.h.crowd {
		limit := min(subscriberPage, s.h.crowd-len(viewers))
		page, next, err := s.h.store.Subscribers(ctx, sweep.Topic, sweep.At, limit)
		if err != nil {
			return nil, false, fmt.Errorf("viewers: %w", err)
		}
		for _, v := range page {
			if sweep.Wrapped && v.ConnectionID > sweep.From {
				return viewers, true, nil
			}
			viewers = append(viewers, v)
		}
		sweep.At = next
		if next != "" {
			continue
		}
		if sweep.Wrapped || sweep.From == "" {
			return viewers, true, nil
		}
		sweep.Wrapped = true
	}
	return viewers, false, nil
}

// post sends the current value of a row to viewers, and does everything for them that a
// batch does.
func (s *sweeping) post(ctx context.Context, row changedRow, viewers []Subscriber) error {
	b := broadcast{h: s.h, now: s.h.now(), rows: []changedRow{row}, failed: 1, expired: map[string]bool{}}
	var err error
	if b.epoch, err = s.h.Epoch(ctx); err != nil {
		return err
	}
	for _, v := range viewers {
		b.addRecipient(recipient{sub: v, topic: row.topic})
	}
	b.send(ctx)
	b.recordUndelivered(ctx)
	b.notifyExpired(ctx)
	s.report.Posts += b.report.Posts
	s.report.Gone += b.report.Gone
	s.report.Marked += b.report.Marked
	s.report.Throttled += b.report.Throttled
	s.report.Expired += b.report.Expired
	return b.err
}
