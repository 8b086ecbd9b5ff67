package trace

import (
	"fmt"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// public returns what everybody sees of a badge with exact figures.
func public(b wire.Badge) wire.Badge {
	if b.State != wire.StateLow {
		b.Quantity = nil
	}
	b.Version = 0
	return b
}

// seenOnBadge reports whether those who see only the badge see the change. What is not
// known they do not see.
func (c *change) seenOnBadge() bool {
	if c.images.Is == nil {
		return false
	}
	return c.images.Was == nil || !public(*c.images.Was).LooksLike(public(*c.images.Is))
}

// counted reports whether the change raised the version, as far as it is known.
func (c *change) counted() bool { return c.images.Was == nil || c.images.Was.Version < c.version }

// last returns the newest change, nil if there is none.
func (h *history) last() *change {
	if len(h.changes) == 0 {
		return nil
	}
	return h.changes[len(h.changes)-1]
}

// subscribed completes the answer for a connection that follows the topic.
func (t *Tracer) subscribed(asked hub.Asked, h *history, w wire.Why) wire.Why {
	last := h.last()
	if last == nil || last.id < h.since {
		return h.unchanged(w)
	}
	first, accepted, newest := h.delivery(last)
	switch unread := t.Queued(asked.Connection.ID); {
	case newest == nil && last.ended && !last.failed:
		return h.notPosted(last, w)
	case newest == nil && w.Reason == wire.WhyMarked: // its connection was left out
	case newest == nil:
		w.Reason, w.Message = last.pending()
	case accepted == nil:
		w.Reason, w.Message = t.refused(newest)
	case !accepted.out && unread > 0 && h.unread(accepted.At):
		w.Reason, w.Message = wire.WhyWaiting, waiting(unread)
	default:
		w.Reason, w.Message = h.arrived(last, accepted, w)
	}
	w.Changed, w.Path = last.at/1000, last.path(asked, first, accepted)
	return w
}

// unchanged is the answer if there is no change since the connection subscribed.
func (h *history) unchanged(w wire.Why) wire.Why {
	if h.since == 0 || h.outdated() {
		return w // nobody knows when it subscribed, or the client has less than it got then
	}
	switch w.Reason {
	case wire.WhyCurrent, wire.WhyUnchanged, wire.WhyBehind:
		w.Reason, w.Message = wire.WhyUnchanged, "nothing changed since you subscribed"
	}
	return w
}

// outdated reports whether the client has an older version than that of the row when it
// subscribed.
func (h *history) outdated() bool {
	v := h.asked.Version
	return v != nil && h.version >= 0 && *v < h.version
}

// delivery returns the posts of a change to the asking connection: the first one, the one
// that was accepted, and the newest; nil for what there is not.
func (h *history) delivery(c *change) (first, accepted, newest *post) {
	for _, p := range c.posts {
		if p.Conn != h.asked.Connection.ID {
			continue
		}
		if first == nil {
			first = p
		}
		if accepted == nil && p.accepted() {
			accepted = p
		}
		newest = p
	}
	return first, accepted, newest
}

// notPosted is the answer if a change was broadcast, but not to the asking connection.
func (h *history) notPosted(c *change, w wire.Why) wire.Why {
	if h.exact(c) && !c.seenOnBadge() {
		w.Reason, w.Message = wire.WhyQuiet, c.quiet()
		w.Changed, w.Path = c.at/1000, c.path(h.asked, nil, nil)
	}
	return w
}

// pending says where a change is that was not broadcast.
func (c *change) pending() (wire.WhyReason, string) {
	if c.failed {
		return wire.WhyPending, fmt.Sprintf("pending: the batch failed (attempt %d), and comes again", c.attempts)
	}
	return wire.WhyPending, "pending: the change is on its way"
}

// exact reports whether the caller sees exact figures of the SKU that changed.
func (h *history) exact(c *change) bool { return h.asked.Shape != hub.ShapeBadge && c.images.Is != nil }

// refused says why a post was refused.
func (t *Tracer) refused(p *post) (wire.WhyReason, string) {
	by := ""
	if p.fault != "" {
		by = " by " + p.fault
	}
	next := fmt.Sprintf("next attempt within %.0f s", t.Healing.Seconds())
	if p.Event.Status == 429 {
		return wire.WhyThrottled, "throttled: 429" + by + ", " + next
	}
	return wire.WhyFailed, fmt.Sprintf("failed: %d%s, %s", p.Event.Status, by, next)
}

func waiting(bytes int) string {
	if bytes < 1000 {
		return fmt.Sprintf("waiting: %d bytes unread by you", bytes)
	}
	return fmt.Sprintf("waiting: %d kB unread by you", (bytes+500)/1000)
}

// arrived says what is to be said about a change that the client got.
func (h *history) arrived(c *change, accepted *post, w wire.Why) (wire.WhyReason, string) {
	v := h.asked.Version
	if w.Reason == wire.WhyAhead || w.Reason == wire.WhyBehind && (v == nil || *v < c.version) {
		return w.Reason, w.Message
	}
	exact := h.exact(c)
	merged := h.mergedWith(c, accepted)
	switch {
	case exact && !c.counted():
		return wire.WhyUncounted, fmt.Sprintf("version not raised: v%d was written without counting", c.version)
	case merged != nil:
		return wire.WhyCoalesced, fmt.Sprintf("coalesced: v%d went out as v%d", merged.version, c.version)
	case exact && !c.seenOnBadge():
		return wire.WhyQuiet, c.quiet()
	case v != nil:
		return wire.WhyCurrent, fmt.Sprintf("you have v%d, nothing is missing", *v)
	}
	return wire.WhyCurrent, fmt.Sprintf("v%d went to you at %s, nothing is missing",
		c.version, wire.Clock(time.UnixMicro(accepted.At)))
}

// quiet says what a change was that only those with exact figures see.
func (c *change) quiet() string {
	return fmt.Sprintf("quiet: %s -> %s, badge alike", figure(c.images.Was), figure(c.images.Is))
}

func figure(b *wire.Badge) string {
	if b == nil || b.Quantity == nil {
		return "uncounted"
	}
	return fmt.Sprint(*b.Quantity)
}

// mergedWith returns the change before c that went out in the same message, nil if none did
// since the connection subscribed.
func (h *history) mergedWith(c *change, accepted *post) *change {
	for i := len(h.changes) - 1; i >= 0; i-- {
		for _, other := range accepted.of {
			if other == h.changes[i] && other != c && other.id > h.since {
				return other
			}
		}
	}
	return nil
}

// lost completes the answer for a connection that does not follow the topic: the last
// change may have gone to another connection of the user that is gone.
func lost(h *history, w wire.Why) wire.Why {
	last := h.last()
	if last == nil || len(last.posts) == 0 {
		return w
	}
	for _, read := range h.reads {
		if read > last.id {
			return w
		}
	}
	for _, p := range last.posts {
		if p.out || !h.closed[p.Conn] {
			return w
		}
	}
	p := last.posts[len(last.posts)-1]
	w.Reason, w.Message = wire.WhyLost, fmt.Sprintf("no connection of yours got v%d: lost at %s; sub %s",
		last.version, wire.Clock(time.UnixMicro(p.At)), wire.ShortTopic(h.asked.Name))
	w.Changed, w.Path = last.at/1000, last.path(h.asked, last.posts[0], nil)
	return w
}
