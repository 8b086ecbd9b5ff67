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
	missing, err := h.readItems(ctx, p, v, &s)
	if err != nil {
		return wire.Snapshot{}, nil, err
	}
	for _, t := range v.topics() {
		switch t.Kind {
		case KindCart:
			err = h.readCart(ctx, t, v, &s)
		case KindVendor:
			err = h.readVendor(ctx, t, v, after, &s)
		}
		if err != nil {
			return wire.Snapshot{}, nil, fmt.Errorf("read %s: %w", t.Redacted(), err)
		}
	}
	return s, missing, nil
}

// readItems adds the SKUs of a view to s and returns those that do not exist. A SKU
// that does not exist and that the caller shows was removed by the shop, which may
// make it again.
func (h *Hub) readItems(ctx context.Context, p Principal, v view, s *wire.Snapshot) (missing []Topic, err error) {
	var skus []string
	for _, t := range v.topics() {
		if t.Kind == KindSKU {
			skus = append(skus, t.Name)
		}
	}
	if len(skus) == 0 {
		return nil, nil
	}
	items, err := h.store.Items(ctx, skus)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
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
	return missing, nil
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

// readCart adds a cart to s, or refuses it alone if its row cannot be read. The
// subscription stays: a readable row will be pushed. The cart is whole, whatever
// version the caller has: the shop may have rewritten that version.
func (h *Hub) readCart(ctx context.Context, t Topic, v view, s *wire.Snapshot) error {
	cart, err := h.store.Cart(ctx, t.Name)
	if errors.Is(err, ErrUnreadable) {
		s.Refused[v.names[t]] = wire.CodeInternal // the other topics are served
		return nil
	}
	if err != nil {
		return err
	}
	s.Topics[v.names[t]] = cart.WholeAfter(v.versions[t])
	return nil
}

// readVendor adds a page of a vendor's list to s: at most vendorPage SKUs, and
// [wire.MaxSKUBytes] of them, so that it fits into one message.
func (h *Hub) readVendor(ctx context.Context, t Topic, v view, after string, s *wire.Snapshot) error {
	skus, more, err := h.store.VendorSKUs(ctx, t.Name, after, vendorPage)
	if err != nil {
		return err
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
	s.Topics[v.names[t]] = list
	return nil
}
