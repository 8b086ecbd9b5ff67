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

// look is a set of topics as one caller named and may see them.
type view struct {
	names   map[Topic]string // what the caller calls it
	have    map[Topic]int64  // the version the caller has, 0: none
	refused map[string]wire.Code
}

// topics returns those that may be seen, in a fixed order.
func (l view) topics() []Topic {
	return slices.SortedFunc(maps.Keys(l.names), compareTopics)
}

func compareTopics(a, b Topic) int {
	return strings.Compare(a.String(), b.String())
}

// judge reads topic names of a caller and sorts out what it may not see.
func (h *Hub) authorize(p Principal, asked []wire.Topic) (view, error) {
	l := view{names: map[Topic]string{}, have: map[Topic]int64{}, refused: map[string]wire.Code{}}
	for _, a := range asked {
		t, err := resolve(p, a.Name)
		if err != nil {
			return view{}, err
		}
		shape := p.sees(t, "", h.now())
		switch {
		case shape == ShapeNone && !p.Active(h.now()):
			l.refused[a.Name] = wire.CodeTokenExpired
		case shape == ShapeNone:
			l.refused[a.Name] = wire.CodeDenied
		default:
			l.names[t] = topicName(t, shape)
			l.have[t] = max(l.have[t], a.Version)
		}
	}
	return l, nil
}

// resolve reads a topic as caller p names it.
func resolve(p Principal, name string) (Topic, error) {
	if name == ownCart {
		return Topic{KindCart, p.CartID()}, nil
	}
	return ParseTopic(name)
}

// topicName is what a viewer of that shape calls a topic.
func topicName(t Topic, s Shape) string {
	if t.Kind == KindCart && s == ShapeOwn {
		return ownCart
	}
	return t.String()
}

// seen is the connection of a caller and the topics of a request as it may see
// them.
func (h *Hub) viewOf(ctx context.Context, caller Connection, asked []wire.Topic) (Connection, view, error) {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return Connection{}, view{}, err
	}
	l, err := h.authorize(c.Principal, asked)
	return c, l, err
}

// meter takes the SKUs out of the look of a guest that do not exist, and those that
// it may not look at for now. Those that it is subscribed to it has looked at
// before.
func (h *Hub) limitSKUs(ctx context.Context, c Connection, l *view) error {
	var skus []string
	for _, t := range l.topics() {
		if t.Kind == KindSKU && !slices.Contains(c.Topics, t) {
			skus = append(skus, t.Name)
		}
	}
	if len(skus) == 0 || !h.skuLimited(c.Principal) {
		return nil
	}
	items, err := h.store.Items(ctx, skus)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	may, err := h.allowedSKUs(ctx, c, slices.Sorted(maps.Keys(items)))
	if err != nil {
		return err
	}
	for _, sku := range skus {
		t := Topic{KindSKU, sku}
		if slices.Contains(may, sku) {
			continue
		}
		l.refused[l.names[t]] = wire.CodeDenied
		if _, exists := items[sku]; exists {
			l.refused[l.names[t]] = wire.CodeSlowDown
		}
		delete(l.names, t)
	}
	return nil
}

// Subscribe adds topics to those of the connection, or with only replaces them,
// and answers with what is newer than what the caller has. The subscriptions are
// stored before anything is read, so a change is in the answer, or is pushed, or
// both.
func (h *Hub) Subscribe(ctx context.Context, caller Connection, r wire.Request) (wire.Snapshot, error) {
	c, l, err := h.viewOf(ctx, caller, r.Topics)
	if err != nil {
		return wire.Snapshot{}, err
	}
	if err := h.limitSKUs(ctx, c, &l); err != nil {
		return wire.Snapshot{}, err
	}
	var fresh, dropped []Topic
	for _, t := range l.topics() {
		if !slices.Contains(c.Topics, t) {
			fresh = append(fresh, t)
		}
	}
	if r.Only {
		for _, t := range c.Topics {
			if _, wanted := l.names[t]; !wanted {
				dropped = append(dropped, t)
			}
		}
	}
	if n := len(c.Topics) + len(fresh) - len(dropped); n > h.limits.Topics {
		return wire.Snapshot{}, h.tooManyTopics(n)
	}
	if err := h.unsubscribe(ctx, c.ID, dropped); err != nil {
		return wire.Snapshot{}, err
	}
	if c, l, err = h.storeSubscriptions(ctx, c, l, fresh, r.Topics); err != nil {
		return wire.Snapshot{}, err
	}
	s, missing, err := h.read(ctx, c.Principal, l, r.Epoch, "")
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

// enroll stores subscriptions of c to the topics that are fresh, and looks at the
// connection again: messages of one connection may be answered side by side. If it
// has another authority by now, which [Hub.Renew] may have given to the topics it
// knew, everything is judged and stored anew; if it has too many topics, these are
// taken back.
func (h *Hub) storeSubscriptions(ctx context.Context, c Connection, l view, fresh []Topic, asked []wire.Topic) (Connection, view, error) {
	for len(fresh) > 0 {
		if err := h.store.Subscribe(ctx, c, fresh); err != nil {
			return c, l, fmt.Errorf("subscribe %s: %w", c.ID, err)
		}
		again, err := h.store.Connection(ctx, c.ID)
		switch {
		case errors.Is(err, ErrGone):
			return c, l, nil // it was forgotten meanwhile; its subscriptions expire
		case err != nil:
			return c, l, fmt.Errorf("connection %s: %w", c.ID, err)
		}
		if n := len(again.Topics); n > h.limits.Topics {
			return c, l, errors.Join(h.tooManyTopics(n), h.unsubscribe(ctx, c.ID, fresh))
		}
		if again.Principal == c.Principal {
			return c, l, nil
		}
		now, err := h.authorize(again.Principal, asked)
		if err != nil {
			return c, l, err
		}
		var lost []Topic
		for _, t := range fresh {
			if _, ok := now.names[t]; !ok {
				lost = append(lost, t)
			}
		}
		if err := h.unsubscribe(ctx, c.ID, lost); err != nil {
			return c, l, err
		}
		c, l, fresh = again, now, now.topics()
	}
	return c, l, nil
}

// Unsubscribe removes topics, or all, from those of the connection.
func (h *Hub) Unsubscribe(ctx context.Context, caller Connection, r wire.Request) (wire.Snapshot, error) {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return wire.Snapshot{}, err
	}
	topics := c.Topics
	if !r.All {
		topics = nil
		for _, a := range r.Topics {
			t, err := resolve(c.Principal, a.Name)
			if err != nil {
				return wire.Snapshot{}, err
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
	return wire.Snapshot{ID: r.ID, Epoch: epoch, Topics: map[string]wire.Value{}}, nil
}

func (h *Hub) unsubscribe(ctx context.Context, id string, topics []Topic) error {
	if len(topics) == 0 {
		return nil
	}
	if err := h.store.Unsubscribe(ctx, id, topics); err != nil {
		return fmt.Errorf("unsubscribe %s: %w", id, err)
	}
	return nil
}

// Get answers with current state and subscribes to nothing.
func (h *Hub) Get(ctx context.Context, caller Connection, r wire.Request) (wire.Snapshot, error) {
	c, l, err := h.viewOf(ctx, caller, r.Topics)
	if err != nil {
		return wire.Snapshot{}, err
	}
	if err := h.limitSKUs(ctx, c, &l); err != nil {
		return wire.Snapshot{}, err
	}
	s, _, err := h.read(ctx, c.Principal, l, "", r.After)
	if err != nil {
		return wire.Snapshot{}, err
	}
	s.ID = r.ID
	s.Fit()
	return s, nil
}

// read is the current state of the topics of a look, without those that the
// caller has in that epoch, and the topics that do not exist.
func (h *Hub) read(ctx context.Context, p Principal, l view, epoch, after string) (wire.Snapshot, []Topic, error) {
	s := wire.Snapshot{Topics: map[string]wire.Value{}, Refused: l.refused}
	var err error
	if s.Epoch, err = h.Epoch(ctx); err != nil {
		return wire.Snapshot{}, nil, err
	}
	have := l.have
	if epoch != s.Epoch {
		have = nil // versions of another history mean nothing
	}
	topics := l.topics()
	var skus []string
	for _, t := range topics {
		if t.Kind == KindSKU {
			skus = append(skus, t.Name)
		}
	}
	items := map[string]Item{}
	if len(skus) > 0 {
		if items, err = h.store.Items(ctx, skus); err != nil {
			return wire.Snapshot{}, nil, fmt.Errorf("read items: %w", err)
		}
	}
	var missing []Topic
	for _, t := range topics {
		name := l.names[t]
		switch t.Kind {
		case KindSKU:
			item, ok := items[t.Name]
			switch {
			case !ok:
				missing = append(missing, t)
				s.Refused[name] = wire.CodeDenied
			case item.Version == have[t]:
				s.Unchanged++
			default:
				s.Topics[name] = item.Badge(p.sees(t, item.Vendor, h.now()))
			}
		case KindCart:
			cart, err := h.store.Cart(ctx, t.Name)
			switch {
			case err != nil:
				return wire.Snapshot{}, nil, fmt.Errorf("read %s: %w", t.Public(), err)
			case have[t] > 0 && cart.Version == have[t]:
				s.Unchanged++
			case have[t] > 0:
				s.Topics[name] = cart.Since(have[t])
			default:
				s.Topics[name] = cart.Whole()
			}
		case KindVendor:
			names, more, err := h.store.VendorSKUs(ctx, t.Name, after, vendorPage)
			if err != nil {
				return wire.Snapshot{}, nil, fmt.Errorf("read %s: %w", t.Public(), err)
			}
			s.Topics[name] = wire.Vendor{SKUs: append([]string{}, names...), More: more}
		}
	}
	return s, missing, nil
}
