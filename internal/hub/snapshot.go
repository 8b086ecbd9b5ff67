package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/securecart/hub/internal/wire"
)

// read returns the current state of a view's topics. It leaves out what the caller
// has already, in that epoch. It also returns the topics that do not exist.
func (h *Hub) read(ctx context.Context, p Principal, v view, epoch, after string) (wire.Snapshot, []Topic, error) {
	s := wire.Snapshot{Topics: map[string]wire.Value{}, Refused: v.refused}
	var err error
	if s.Epoch, err = h.Epoch(ctx); err != nil {
		return wire.Snapshot{}, nil, err
	}
	if epoch != s.Epoch {
		v.versions, v.shown = nil, nil // versions of another epoch mean nothing
	}
	var skus []string
	var others []Topic
	for _, t := range v.topics() {
		if t.Kind == KindSKU {
			skus = append(skus, t.Name)
		} else {
			others = append(others, t)
		}
	}
	items, values, err := h.readTogether(ctx, skus, others, v, after)
	if err != nil {
		return wire.Snapshot{}, nil, err
	}
	for i, t := range others {
		if values[i] == nil { // the other topics are served
			s.Refused[v.names[t]] = wire.CodeInternal
		} else {
			s.Topics[v.names[t]] = values[i]
		}
	}
	return s, h.addItems(p, v, skus, items, &s), nil
}

// readTogether reads SKUs, and the values of other topics, at once.
func (h *Hub) readTogether(
	ctx context.Context, skus []string, others []Topic, v view, after string,
) (items map[string]Item, values []wire.Value, err error) {
	values = make([]wire.Value, len(others))
	errs := make([]error, len(others)+1)
	var calls []func()
	if len(skus) > 0 {
		calls = append(calls, func() {
			if items, errs[len(others)] = h.store.Items(ctx, skus); errs[len(others)] != nil {
				errs[len(others)] = fmt.Errorf("read items: %w", errs[len(others)])
			}
		})
	}
	for i, t := range others {
		calls = append(calls, func() {
			if values[i], errs[i] = h.readTopic(ctx, t, v, after); errs[i] != nil {
				errs[i] = fmt.Errorf("read %s: %w", t.Redacted(), errs[i])
			}
		})
	}
	h.store.Together(calls...)
	return items, values, firstError(errs)
}

// readTopic reads a cart or the list of a vendor.
func (h *Hub) readTopic(ctx context.Context, t Topic, v view, after string) (wire.Value, error) {
	if t.Kind == KindVendor {
		return h.readVendor(ctx, t, after)
	}
	return h.readCart(ctx, t, v)
}

// addItems adds the SKUs of a view to s and returns those that do not exist. A SKU
// that does not exist and that the caller shows was removed by the shop, which may
// make it again.
func (h *Hub) addItems(
	p Principal, v view, skus []string, items map[string]Item, s *wire.Snapshot,
) (missing []Topic) {
	for _, sku := range skus {
		t := Topic{KindSKU, sku}
		item, known := items[sku]
		switch {
		case known && item.SKU == "": // unreadable; its subscription stays
			s.Refused[v.names[t]] = wire.CodeDenied
		case !known && v.shown[t] == nil:
			missing = append(missing, t)
			s.Refused[v.names[t]] = wire.CodeDenied
		case !known:
			v.putBadge(s, t, noItem)
		default:
			v.putBadge(s, t, item.Badge(p.sees(t, item.Vendor, h.now())))
		}
	}
	return missing
}

// putBadge adds a badge to s, unless the caller shows it already. A caller that
// names a version only has the right value of it if the shop counts its changes.
func (v view) putBadge(s *wire.Snapshot, t Topic, b wire.Badge) {
	shown, version := v.shown[t], v.versions[t]
	if shown != nil && shown.LooksLike(b) || shown == nil && version > 0 && version == b.Version {
		s.Unchanged++
		return
	}
	s.Topics[v.names[t]] = b
}

// readCart reads a cart. It returns nil if its row is malformed; the subscription stays:
// a readable row will be pushed. The cart is whole, whatever version the caller has: the
// shop may have rewritten that version.
func (h *Hub) readCart(ctx context.Context, t Topic, v view) (wire.Value, error) {
	cart, err := h.store.Cart(ctx, t.Name)
	if errors.Is(err, ErrUnreadable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return cart.WholeAfter(v.versions[t]), nil
}

// readVendor reads a page of a vendor's list: at most vendorPage SKUs, and
// [wire.MaxSKUBytes] of them, so that it fits into one message.
func (h *Hub) readVendor(ctx context.Context, t Topic, after string) (wire.Value, error) {
	skus, more, err := h.store.VendorSKUs(ctx, t.Name, after, vendorPage)
	if err != nil {
		return nil, err
	}
	list := wire.Vendor{SKUs: []string{}, More: more}
	size := 0
	for _, sku := range skus {
		if size += wire.TextSize(sku); size > wire.MaxSKUBytes {
			list.More = true
			break
		}
		list.SKUs = append(list.SKUs, sku)
	}
	return list, nil
}
