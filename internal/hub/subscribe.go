package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// vendorPage is how many SKUs of a vendor one answer lists.
const vendorPage = 200

// view is the part of a request's topics that its caller may see.
type view struct {
	names    map[Topic]string      // the caller's name for each topic
	versions map[Topic]int64       // the version that the caller has, 0: none
	shown    map[Topic]*wire.Badge // what the caller shows of SKUs, as far as it said so
	refused  map[string]wire.Code
}

// topics returns the topics that the caller may see, in a fixed order.
func (v view) topics() []Topic {
	return slices.SortedFunc(maps.Keys(v.names), compareTopics)
}

func compareTopics(a, b Topic) int {
	return strings.Compare(a.String(), b.String())
}

// authorize parses the topics that a caller names. It refuses those that are not
// topics and those that the caller may not see, and judges each one alone.
func (h *Hub) authorize(p Principal, requested []wire.Topic) view {
	v := view{
		names: map[Topic]string{}, versions: map[Topic]int64{}, shown: map[Topic]*wire.Badge{},
		refused: map[string]wire.Code{},
	}
	for _, r := range requested {
		t, err := resolve(p, r.Name)
		if err != nil {
			v.refused[r.Name] = wire.CodeBadTopic
			continue
		}
		shape := p.sees(t, "", h.now())
		switch {
		case shape == ShapeNone && !p.Active(h.now()):
			v.refused[r.Name] = wire.CodeTokenExpired
		case shape == ShapeNone:
			v.refused[r.Name] = wire.CodeDenied
		default:
			v.names[t] = topicName(t, shape)
			v.versions[t] = max(v.versions[t], r.Version)
			if r.Shown != nil {
				v.shown[t] = r.Shown
			}
		}
	}
	return v
}

// resolve parses a topic as the caller p names it.
func resolve(p Principal, name string) (Topic, error) {
	if name == ownCart {
		return Topic{KindCart, p.CartID()}, nil
	}
	return ParseTopic(name)
}

// topicName returns what a viewer with shape s calls a topic.
func topicName(t Topic, s Shape) string {
	if t.Kind == KindCart && s == ShapeOwn {
		return ownCart
	}
	return t.String()
}

// viewOf returns the connection of a caller and its view of the requested topics, or of
// all that it is subscribed to.
// SKUs that the caller may not look at are refused.
func (h *Hub) viewOf(ctx context.Context, caller Connection, r wire.Request) (Connection, view, error) {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return Connection{}, view{}, err
	}
	requested := r.Topics
	if r.All {
		for _, t := range c.Topics {
			requested = append(requested, wire.Topic{Name: t.String()})
		}
	}
	v := h.authorize(c.Principal, requested)
	return c, v, h.limitSKUs(ctx, c, v)
}

// limitSKUs refuses SKUs of a guest's view that are over the guest's limit, whether
// they exist or not. SKUs that it is subscribed to were counted before.
func (h *Hub) limitSKUs(ctx context.Context, c Connection, v view) error {
	var skus []string
	for _, t := range v.topics() {
		if t.Kind == KindSKU && !slices.Contains(c.Topics, t) {
			skus = append(skus, t.Name)
		}
	}
	allowed, err := h.allowedSKUs(ctx, c, skus)
	if err != nil {
		return err
	}
	for _, sku := range without(skus, allowed) {
		t := Topic{KindSKU, sku}
		v.refused[v.names[t]] = wire.CodeSlowDown
		delete(v.names, t)
	}
	return nil
}

// Subscribe adds topics to those of the connection, or replaces them if the request
// says only. The answer has what is newer than what the caller has. The
// subscriptions are stored before anything is read, so a change is in the answer,
// or is pushed, or both.
func (h *Hub) Subscribe(ctx context.Context, caller Connection, r wire.Request) (wire.Snapshot, error) {
	c, v, err := h.viewOf(ctx, caller, r)
	if err != nil {
		return wire.Snapshot{}, err
	}
	var fresh, dropped []Topic
	for _, t := range v.topics() {
		if !slices.Contains(c.Topics, t) {
			fresh = append(fresh, t)
		}
	}
	if r.Only {
		for _, t := range c.Topics {
			if _, requested := v.names[t]; !requested {
				dropped = append(dropped, t)
			}
		}
	}
	if n := len(c.Topics) + len(fresh) - len(dropped); n > h.limits.Topics {
		return wire.Snapshot{}, h.tooManyTopics(n)
	}
	if c, err = h.leave(ctx, c, dropped); err != nil {
		return wire.Snapshot{}, err
	}
	if c, v, err = h.storeSubscriptions(ctx, c, v, fresh, r.Topics); err != nil {
		return wire.Snapshot{}, err
	}
	s, missing, err := h.read(ctx, c.Principal, v, r.Epoch, "")
	if err != nil {
		return wire.Snapshot{}, err
	}
	if err := h.unsubscribe(ctx, c.ID, missing); err != nil {
		return wire.Snapshot{}, err
	}
	s.ID = r.ID
	s.Fit()
	return s, nil
}

func (h *Hub) tooManyTopics(n int) error {
	return &Error{
		Code:    wire.CodeTooManyTopics,
		Message: fmt.Sprintf("a connection has at most %d topics, this would be %d", h.limits.Topics, n),
	}
}

// storeSubscriptions stores subscriptions of c to the fresh topics, and looks at the
// connection as it is recorded then, because messages of one connection may be handled
// concurrently. If the session changed meanwhile, [Hub.Renew] did not see these
// topics, so storeSubscriptions authorizes and stores them again. If the connection
// has too many topics, it removes those that it stored; after an error too, because
// nobody knows whether the session still sees them.
func (h *Hub) storeSubscriptions(
	ctx context.Context, c Connection, v view, fresh []Topic, requested []wire.Topic,
) (Connection, view, error) {
	unsubscribe := func(topics []Topic) func(context.Context) error {
		return func(ctx context.Context) error { return h.unsubscribe(ctx, c.ID, topics) }
	}
	for len(fresh) > 0 {
		latest, err := h.store.Subscribe(ctx, c, fresh)
		switch {
		case errors.Is(err, ErrGone):
			return c, v, nil // forgotten meanwhile; its subscriptions expire
		case err != nil:
			err = fmt.Errorf("subscribe %s: %w", c.ID, err)
			return c, v, errors.Join(err, insist(ctx, unsubscribe(fresh)))
		}
		if n := len(latest.Topics); n > h.limits.Topics {
			return c, v, errors.Join(h.tooManyTopics(n), h.unsubscribe(ctx, c.ID, fresh))
		}
		if latest.Principal == c.Principal {
			return c, v, nil
		}
		latestView := h.authorize(latest.Principal, requested)
		if err := h.limitSKUs(ctx, latest, latestView); err != nil {
			return c, v, errors.Join(err, insist(ctx, unsubscribe(fresh)))
		}
		denied := slices.DeleteFunc(fresh, func(t Topic) bool { _, ok := latestView.names[t]; return ok })
		if err := insist(ctx, unsubscribe(denied)); err != nil {
			return c, v, err
		}
		c, v, fresh = latest, latestView, latestView.topics()
	}
	return c, v, nil
}

// Unsubscribe removes some or all topics of the connection.
func (h *Hub) Unsubscribe(ctx context.Context, caller Connection, r wire.Request) (wire.Snapshot, error) {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return wire.Snapshot{}, err
	}
	topics := c.Topics
	refused := map[string]wire.Code{}
	if !r.All {
		topics = nil
		for _, requested := range r.Topics {
			t, err := resolve(c.Principal, requested.Name)
			if err != nil {
				refused[requested.Name] = wire.CodeBadTopic
				continue
			}
			topics = append(topics, t)
		}
	}
	if err := h.unsubscribe(ctx, c.ID, topics); err != nil {
		return wire.Snapshot{}, err
	}
	epoch, err := h.Epoch(ctx)
	if err != nil {
		return wire.Snapshot{}, err
	}
	return wire.Snapshot{ID: r.ID, Epoch: epoch, Topics: map[string]wire.Value{}, Refused: refused}, nil
}

func (h *Hub) unsubscribe(ctx context.Context, id string, topics []Topic) error {
	_, err := h.leave(ctx, Connection{ID: id}, topics)
	return err
}

// leave unsubscribes c from topics, and returns c with its new count.
func (h *Hub) leave(ctx context.Context, c Connection, topics []Topic) (Connection, error) {
	if len(topics) == 0 {
		return c, nil
	}
	var err error
	if c.Unsubscribed, err = h.store.Unsubscribe(ctx, c.ID, topics); err != nil {
		return c, fmt.Errorf("unsubscribe %s: %w", c.ID, err)
	}
	return c, nil
}

// Get answers with the current state and subscribes to nothing.
func (h *Hub) Get(ctx context.Context, caller Connection, r wire.Request) (wire.Snapshot, error) {
	c, v, err := h.viewOf(ctx, caller, r)
	if err != nil {
		return wire.Snapshot{}, err
	}
	s, _, err := h.read(ctx, c.Principal, v, "", r.After)
	if err != nil {
		return wire.Snapshot{}, err
	}
	s.ID = r.ID
	s.Fit()
	return s, nil
}
