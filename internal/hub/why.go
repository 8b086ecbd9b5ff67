package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// healWithin is how soon a marked connection gets what it missed, as long as posts to it
// succeed: the guarantee G3 of docs/protocol.md.
const healWithin = time.Minute

// Asked is what a why is about, for whoever knows more than the rows do.
type Asked struct {
	Connection Connection // who asks, as its row is
	Topic      Topic      // zero: the connection itself
	Name       string     // of the topic in messages to this connection
	Shape      Shape      // what the connection sees of it; ShapeNone: nothing, so nothing may be added
	Version    *int64     // what the client has, in this epoch; nil: it did not say
	Subscribed bool       // to the topic, or to the vendor of the SKU
}

// Why says from the rows why the caller sees what it sees of a topic, or why nothing came.
// Rights, limits and values are those of [Hub.Get]: what a get refuses has no more than the
// reason, and who sees only the badge of a SKU does not learn when its row changed.
// ErrUnreadable: the row of the cart is malformed. ErrInvalid: that is not a topic.
func (h *Hub) Why(ctx context.Context, caller Connection, r wire.Request) (wire.Why, Asked, error) {
	if r.Topic == "" {
		return h.whyConnection(ctx, caller, r)
	}
	c, v, err := h.viewOf(ctx, caller, wire.Request{Topics: []wire.Topic{{Name: r.Topic}}})
	if err != nil {
		return wire.Why{}, Asked{}, err
	}
	q := question{h: h, c: c, v: v, rows: seenStore{Store: h.store}}
	if err := q.read(ctx); err != nil {
		return wire.Why{}, Asked{}, fmt.Errorf("why: %w", err)
	}
	w := wire.Why{ID: r.ID, Epoch: q.snapshot.Epoch, Topic: r.Topic}
	if code, refused := refusal(q.snapshot); refused {
		w.Reason, w.Message, err = h.whyRefused(code, r.Topic, c)
		return w, Asked{Connection: c}, err
	}
	asked := q.asked(r)
	w.Version, w.Badge = versionOf(q.snapshot.Topics[asked.Name])
	if at := q.changedAt(asked); !at.IsZero() {
		w.Changed = at.UnixMilli()
	}
	w.Reason, w.Message = q.judge(asked, r, w)
	return w, asked, nil
}

// question is one why about a topic.
type question struct {
	h    *Hub
	c    Connection
	v    view // of one topic at most
	rows seenStore

	snapshot wire.Snapshot // what a get answers
	mark     *RetryMark    // of the connection; nil: none
}

// seenStore keeps the row that was read through it.
type seenStore struct {
	Store
	item Item
	cart Cart
}

// Items implements [Source].
func (s *seenStore) Items(ctx context.Context, skus []string) (map[string]Item, error) {
	items, err := s.Store.Items(ctx, skus)
	s.item = items[skus[0]]
	return items, err
}

// Cart implements [Source].
func (s *seenStore) Cart(ctx context.Context, id string) (Cart, error) {
	cart, err := s.Store.Cart(ctx, id)
	s.cart = cart
	return cart, err
}

// read does what a get does, and reads the mark of the connection at the same time if the
// topic may be seen.
func (q *question) read(ctx context.Context) error {
	get := *q.h
	get.store = &q.rows
	errs := make([]error, 2)
	calls := []func(){func() { q.snapshot, _, errs[0] = get.read(ctx, q.c.Principal, q.v, "", "") }}
	if len(q.v.names) > 0 {
		calls = append(calls, func() { q.mark, errs[1] = q.h.markOf(ctx, q.c.ID) })
	}
	q.h.store.Together(calls...)
	return firstError(errs)
}

// markOf returns the mark of a connection, nil if it has none.
func (h *Hub) markOf(ctx context.Context, id string) (*RetryMark, error) {
	m, err := h.store.MarkOf(ctx, id)
	switch {
	case errors.Is(err, ErrGone):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("mark of %s: %w", id, err)
	}
	return &m, nil
}

// refusal returns why a snapshot of one topic does not have it.
func refusal(s wire.Snapshot) (code wire.Code, refused bool) {
	for _, code := range s.Refused {
		return code, true
	}
	return "", false
}

// whyRefused returns the reason for what a get refuses.
func (h *Hub) whyRefused(code wire.Code, topic string, c Connection) (wire.WhyReason, string, error) {
	switch code {
	case wire.CodeBadTopic:
		return "", "", invalid("%.80q is not a topic", topic)
	case wire.CodeInternal:
		return "", "", fmt.Errorf("why: %w", ErrUnreadable)
	case wire.CodeTokenExpired:
		return wire.WhyExpired, endedMessage(c.Principal), nil
	case wire.CodeSlowDown:
		next := h.now().Truncate(CatalogueWindow).Add(CatalogueWindow)
		return wire.WhyLimit, fmt.Sprintf("limit: ask again after %s UTC, or sign in", next.Format("15:04")), nil
	}
	return wire.WhyDenied, "denied: not yours to see, or no such thing", nil
}

// endedMessage says that a session has ended. Nobody knows when one was revoked.
func endedMessage(p Principal) string {
	if p.Expires == expiredAt {
		return "session ended: hello with a new token"
	}
	return fmt.Sprintf("session ended %s: hello with a new token", wire.Clock(p.Expires))
}

// asked returns what the question is about. The topic may be seen.
func (q *question) asked(r wire.Request) Asked {
	t := q.v.topics()[0]
	a := Asked{Connection: q.c, Topic: t, Name: q.v.names[t], Subscribed: slices.Contains(q.c.Topics, t)}
	a.Shape = q.c.Principal.sees(t, q.rows.item.Vendor, q.h.now())
	if t.Kind == KindSKU && a.Shape == ShapeExact {
		a.Subscribed = a.Subscribed || slices.Contains(q.c.Topics, Topic{KindVendor, q.rows.item.Vendor})
	}
	if r.Epoch == "" || r.Epoch == q.snapshot.Epoch {
		a.Version = r.Version
	}
	return a
}

// versionOf returns what a get tells of a topic, except the lines of a cart and the SKUs of
// a vendor.
func versionOf(v wire.Value) (version *int64, badge *wire.Badge) {
	switch v := v.(type) {
	case wire.Badge:
		return &v.Version, &v
	case wire.Cart:
		return &v.Version, nil
	}
	return nil, nil
}

// changedAt returns when the row changed, for those who see each change of it; else the
// zero time.
func (q *question) changedAt(a Asked) time.Time {
	switch {
	case a.Shape == ShapeBadge:
		return time.Time{}
	case a.Topic.Kind == KindSKU:
		return q.rows.item.UpdatedAt
	}
	return q.rows.cart.UpdatedAt
}

// judge returns the reason that the rows tell, and how people read it.
func (q *question) judge(a Asked, r wire.Request, w wire.Why) (wire.WhyReason, string) {
	topic := wire.ShortTopic(a.Name)
	changed := q.changedAt(a)
	switch {
	case !a.Subscribed:
		return wire.WhyUnsubscribed, "not subscribed: sub " + topic
	case q.mark != nil && slices.Contains(q.mark.Topics, a.Topic):
		return wire.WhyMarked, markedMessage(*q.mark)
	case w.Version == nil:
		return wire.WhyCurrent, "subscribed: changes come by SKU"
	case r.Version != nil && a.Version == nil:
		return wire.WhyBehind, fmt.Sprintf("your version is of another epoch: sub %s", topic)
	case a.Version != nil && *a.Version < *w.Version:
		return wire.WhyBehind, fmt.Sprintf("you have v%d, the newest is v%d: sub %s", *a.Version, *w.Version, topic)
	case a.Version != nil && *a.Version > *w.Version:
		return wire.WhyAhead, fmt.Sprintf("you have v%d, the newest is v%d: sub %s", *a.Version, *w.Version, topic)
	case a.Version != nil:
		return wire.WhyCurrent, fmt.Sprintf("you have v%d, nothing is missing", *a.Version)
	case !changed.IsZero() && changed.Before(q.c.ConnectedAt):
		return wire.WhyUnchanged, "nothing changed since you connected"
	}
	return wire.WhyCurrent, fmt.Sprintf("v%d is the newest; if you have another: sub %s", *w.Version, topic)
}

// markedMessage says when a marked connection gets what it missed.
func markedMessage(m RetryMark) string {
	if m.Tries > 0 {
		return fmt.Sprintf("marked: %d tries failed since %s, the next is within a minute",
			m.Tries, wire.Clock(m.FailingSince))
	}
	return fmt.Sprintf("marked: healed by %s", wire.Clock(m.Since.Add(healWithin)))
}

// whyConnection is Why about the connection itself.
func (h *Hub) whyConnection(ctx context.Context, caller Connection, r wire.Request) (wire.Why, Asked, error) {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return wire.Why{}, Asked{}, err
	}
	w := wire.Why{ID: r.ID}
	if w.Epoch, err = h.Epoch(ctx); err != nil {
		return wire.Why{}, Asked{}, err
	}
	mark, err := h.markOf(ctx, c.ID)
	if err != nil {
		return wire.Why{}, Asked{}, fmt.Errorf("why: %w", err)
	}
	switch n := len(c.Topics); {
	case !c.Principal.Active(h.now()):
		w.Reason, w.Message = wire.WhyExpired, endedMessage(c.Principal)
	case mark != nil:
		w.Reason, w.Message = wire.WhyMarked, markedMessage(*mark)
	case n == 0:
		w.Reason, w.Message = wire.WhyUnsubscribed, "subscribed to nothing: sub TOPIC"
	case n == 1:
		w.Reason, w.Message = wire.WhyCurrent, "1 topic, nothing is missing; why TOPIC says more"
	default:
		w.Reason, w.Message = wire.WhyCurrent, fmt.Sprintf("%d topics, nothing is missing; why TOPIC says more", n)
	}
	return w, Asked{Connection: c, Subscribed: len(c.Topics) > 0}, nil
}
