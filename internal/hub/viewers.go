package hub

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
)

const (
	// smallCrowd is how many viewers are read from the first on, in one request. A larger
	// crowd begins elsewhere, and that read was for nothing.
	smallCrowd = 100

	// startProbes is how many places a sweep tries for its start.
	startProbes = 16
)

// readViewers reads who is on a page. Each sweep gets the same share of it. What a small
// crowd leaves of its share goes to the others.
func (s *sweeping) readViewers(ctx context.Context, parts []*part) {
	for room := s.h.crowd; ; {
		open := slices.DeleteFunc(slices.Clone(parts), func(p *part) bool { return p.done || p.err != nil })
		if len(open) == 0 || room < len(open) {
			return
		}
		calls := make([]func(), len(open))
		for i, p := range open {
			calls[i] = func() { p.err = s.readShare(ctx, p, room/len(open)) }
		}
		s.h.store.Together(calls...)
		room = s.h.crowd
		for _, p := range parts {
			room -= len(p.viewers)
		}
	}
}

// readShare reads the next viewers of a sweep. A change that came since the circle began
// starts a new circle from here.
func (s *sweeping) readShare(ctx context.Context, p *part, share int) error {
	if p.sweep.Serving == "" {
		page, next, err := s.h.store.Subscribers(ctx, p.sweep.Topic, "", smallCrowd)
		if err != nil {
			return fmt.Errorf("viewers: %w", err)
		}
		if next == "" && len(page) <= share {
			p.sweep.Serving, p.viewers, p.done = p.sweep.Wanted, page, true
			return nil
		}
		if p.sweep.At, err = s.start(ctx, p.sweep, page, next == ""); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	if NewerRev(p.sweep.Wanted, p.sweep.Serving) {
		p.sweep.Serving, p.sweep.From, p.sweep.Wrapped = p.sweep.Wanted, p.sweep.At, false
	}
	return s.goOn(ctx, p, share)
}

// goOn reads a number of viewers of a circle, and moves the sweep behind them.
func (s *sweeping) goOn(ctx context.Context, p *part, share int) error {
	for end := len(p.viewers) + share; len(p.viewers) < end; {
		limit := min(subscriberPage, end-len(p.viewers))
		page, next, err := s.h.store.Subscribers(ctx, p.sweep.Topic, p.sweep.At, limit)
		if err != nil {
			return fmt.Errorf("viewers: %w", err)
		}
		for _, v := range page {
			if p.sweep.Wrapped && v.ConnectionID > p.sweep.From {
				p.done = true
				return nil
			}
			p.viewers = append(p.viewers, v)
		}
		p.sweep.At = next
		if next != "" {
			continue
		}
		if p.sweep.Wrapped || p.sweep.From == "" {
			p.done = true
			return nil
		}
		p.sweep.Wrapped = true
	}
	return nil
}

// start returns a place among the viewers where a sweep begins, by the digits of its
// sequence number, so that nobody is always the last. Ids may have a common beginning. page
// has the first viewers, or all of them.
func (s *sweeping) start(ctx context.Context, sweep Sweep, page []Subscriber, all bool) (string, error) {
	if len(page) == 0 {
		return "", nil
	}
	id := page[0].ConnectionID
	sum := fnv.New64a()
	if all {
		sum.Write([]byte(sweep.Wanted))
		return page[sum.Sum64()%uint64(len(page))].ConnectionID, nil
	}
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
