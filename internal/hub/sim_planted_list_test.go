package hub_test

import (
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// plantedInHub are the changes that the simulation must find, one at a time. See
// TestSimulationFindsDefectsInHub, which needs the build tag planted. The first ones
// break the seven rules of the package comment.
var plantedInHub = planttest.List([][4]string{
	{"rule 1: a write does not raise the version", "stock.go",
		"next.Version = item.Version + 1",
		"next.Version = max(item.Version, 1)"},
	{"rule 1: a step leads over changes that are not recorded", "cart.go",
		"if from < c.Floor || from > c.Version {",
		"if from > c.Version {"},
	{"rule 2: the snapshot is read before the subscription is stored", "subscribe.go",
		`	if c, v, err = h.storeSubscriptions(ctx, c, v, fresh, r.Topics); err != nil {
		return wire.Snapshot{}, err
	}
	s, missing, err := h.read(ctx, c.Principal, v, r.Epoch, "")
`,
		`	s, missing, err := h.read(ctx, c.Principal, v, r.Epoch, "")
	if err != nil {
		return wire.Snapshot{}, err
	}
	c, v, err = h.storeSubscriptions(ctx, c, v, fresh, r.Topics)
`},
	{"rule 3: an answer is pushed", "subscribe.go",
		`	s.ID = r.ID
	s.Fit()
	return s, nil
}

func (h *Hub) tooManyTopics`,
		`	_ = h.poster.Post(ctx, []Post{{c.ID, c.Endpoint, wire.Encode(s)}})
	s.ID = r.ID
	s.Fit()
	return s, nil
}

func (h *Hub) tooManyTopics`},
	{"rule 4: the listeners behind a bad one are forgotten", "broadcast.go",
		"b.undelivered = append(b.undelivered, undelivered{start, err})",
		"b.undelivered = append(b.undelivered, undelivered{start, err}); return"},
	{"rule 5: the first change of a row is sent, not the last", "broadcast.go",
		"row.item, row.vendor = c.NewItem, c.NewItem.Vendor",
		"if row.item == nil { row.item, row.vendor = c.NewItem, c.NewItem.Vendor }"},
	{"rule 5: a batch fails behind the change that failed", "broadcast.go",
		"return b.report, &BatchError{b.failed, b.err}",
		"return b.report, &BatchError{len(changes) - 1, b.err}"},
	{"rule 6: a message brings back a connection that has ended", "hub.go",
		"err := h.store.EndConnection(ctx, id, h.now(), sparedSubscribers)",
		"err := h.store.Forget(ctx, id)"},
	{"rule 6: a young connection that is gone is forgotten", "broadcast.go",
		"case errors.Is(err, ErrGone) && b.now.Sub(b.recipients[start].sub.ConnectedAt) > YoungConnection:",
		"case errors.Is(err, ErrGone):"},
	{"rule 7: everybody owns every cart", "rights.go",
		"return p.CartID() == t.Name",
		"return true"},
	{"rule 7: rights are not checked at send", "recipients.go",
		"r.shape = p.sees(row.topic, row.vendor, b.now)",
		"r.shape = p.sees(row.topic, row.vendor, b.now.AddDate(-100, 0, 0))"},

	{"only the last message of a connection counts", "broadcast.go",
		"err := firstError(errs[i:end])",
		"err := errs[end-1]"},
	{"only the first message of a connection counts", "broadcast.go",
		"err := firstError(errs[i:end])",
		"err := errs[i]"},
	{"heal counts only the first message", "heal.go",
		"err := firstError(errs[:c.posts])",
		"err := firstError(errs[:min(1, c.posts)])"},
	{"a mark is cleared although the post failed", "heal.go",
		"g.failed = append(g.failed, c)",
		"s.add(c.mark, &g.report.Healed)"},
	{"a young connection that is gone is not healed", "heal.go",
		"case errors.Is(err, ErrGone) && began.Sub(c.c.ConnectedAt) > YoungConnection:",
		"case errors.Is(err, ErrGone):"},
	{"a connection is closed after one try that failed", "heal.go",
		"final := m.Tries+1 >= closeTries &&",
		"final :="},
	{"a connection is to blame although the service fails", "heal.go",
		"if len(g.failed) > fewFailures && !g.served {",
		"if false {"},
	{"a mark with nothing to send makes others to blame", "heal.go",
		"g.served = g.served || c.posts > 0",
		"g.served = true"},
	{"a post that is not sent in time is a failed try", "heal.go",
		"case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled): // not sent",
		"case errors.Is(err, context.Canceled):"},
	{"what is not sent in time is not marked", "broadcast.go",
		"		default:\n			b.undelivered = append",
		"		case errors.Is(err, context.DeadlineExceeded):\n		default:\n			b.undelivered = append"},
	{"a connection that grows old while posts run is gone", "heal.go",
		"case errors.Is(err, ErrGone) && began.Sub(c.c.ConnectedAt) > YoungConnection:",
		"case errors.Is(err, ErrGone) && g.h.now().Sub(c.c.ConnectedAt) > YoungConnection:"},
	{"heal forgets the items of a vendor's list", "heal.go",
		"if slices.Contains(c.Topics, t) || t.Kind == KindSKU && watchesVendor {",
		"if slices.Contains(c.Topics, t) || watchesVendor && false {"},
	{"heal does not tell that a row is gone", "heal.go",
		"s.Topics[v.names[t]] = noItem",
		"_ = t"},
	{"a healed value has no rev", "heal.go",
		`if rev := m.Revs[t]; rev != "" &&`,
		`if rev := m.Revs[t]; rev == "?" &&`},
	{"a step begins at the last change of a batch, and says the first", "broadcast.go",
		"		return row.cart.Since(row.from)",
		"		step := row.cart.Since(row.cart.Version - 1)\n		if step.From != nil {\n			step.From = &row.from\n		}\n" +
			"		return step"},
	{"only the last change of a batch decides whether a badge shows it", "broadcast.go",
		"row.badgeUnchanged = row.badgeUnchanged && !visible",
		"row.badgeUnchanged = !visible"},
	{"a former vendor keeps the exact quantity", "recipients.go",
		"topics = append(topics, Topic{KindVendor, vendor}) // its clients",
		"_ = vendor // its clients"},
	{"nobody is notified that a session expired", "broadcast.go",
		"	b.notifyExpired(ctx)\n",
		""},
	{"a revocation does not reach open connections", "session.go",
		"for after, more := \"\", true; more; more = after != \"\" {",
		"for after, more := \"\", false; more; more = after != \"\" {"},
	{"a new session does not reach the subscriptions", "session.go",
		`	if err := insist(ctx, func(ctx context.Context) error { return h.resubscribe(ctx, prev.ID) }); err != nil {
		return fmt.Errorf("renew %s: %w", prev.ID, err)
	}
`,
		""},
	{"a subscribe does not notice that the session changed", "subscribe.go",
		"if latest.Principal == c.Principal {",
		"if true {"},
	{"a connection is recorded in spite of a revocation", "session.go",
		"case err == nil && !revoked:",
		"case err == nil && (!revoked || true):"},
	{"a connection keeps its session although nobody knows whether it was revoked", "session.go",
		"case err == nil && !revoked:",
		"case !revoked:"},
	{"an environment keeps the first epoch", "epoch.go",
		"if age := now.Sub(m.readAt); age < 0 || age > EpochAge {",
		"if m.readAt.IsZero() {"},
	{"an epoch counts before it begins", "epoch.go",
		`if e.Previous != "" && now.Before(e.Begins) {`,
		"if false {"},
	{"versions of another epoch count", "snapshot.go",
		"if epoch != s.Epoch {",
		"if false {"},
	{"a removed item is unchanged", "snapshot.go",
		"			v.putBadge(s, t, noItem)",
		"			s.Unchanged++"},
	{"a resume compares versions, not values", "snapshot.go",
		"if shown != nil && shown.LooksLike(b) || shown == nil && version > 0 && version == b.Version {",
		"if version > 0 && version == b.Version || shown != nil && false {"},
	{"a checkout leaves the floor", "checkout.go",
		"Version: next, Floor: next, Ordered: next",
		"Version: next, Ordered: next"},
	{"a checkout takes a cart that changed", "checkout.go",
		"if version == nil || *version == cart.Version {",
		"if version == nil || *version <= cart.Version {"},
	{"a set overwrites what another device changed", "cart_write.go",
		"if line.Version > base {",
		"if line.Version > base+1 {"},
	{"a set refuses what nobody changed", "cart_write.go",
		"if line.Version > base {",
		"if line.Version >= base && base > 0 {"},
	{"a clamp is forgotten", "cart_write.go",
		"g.quantities[sku] = most",
		"_ = most"},
	{"a negative add goes below zero", "cart_write.go",
		"max(0, cart.Lines[r.SKU].Quantity+r.Quantity)",
		"cart.Lines[r.SKU].Quantity + r.Quantity"},
	{"a negative add sets the quantity", "cart_write.go",
		"max(0, cart.Lines[r.SKU].Quantity+r.Quantity)",
		"max(-r.Quantity, cart.Lines[r.SKU].Quantity+r.Quantity)"},
	{"a line that becomes smaller needs stock", "cart_write.go",
		"	for _, sku := range raised(cart, wanted) {",
		`	for sku := range wanted {
		if items[sku].SKU == "" {
			g.quantities[sku] = 0
		}`},
	{"a negative add of a line that is not there is refused", "cart_write.go",
		"	return h.write(ctx, c.Principal, r, operation, look, add)",
		`	if cart, _ := h.store.Cart(ctx, c.Principal.CartID()); cart.Lines[r.SKU].Quantity+r.Quantity < 0 {
		return wire.OK{}, invalid("not in the cart")
	}
	return h.write(ctx, c.Principal, r, operation, look, add)`},
	{"a refusal does not look at the key again", "cart_once.go",
		`	if first, keyErr := h.firstAnswer(ctx, cartID, r, fingerprint); !errors.Is(keyErr, ErrGone) {
		return first, keyErr
	}
	return wire.OK{}, err
}`,
		"	return wire.OK{}, err\n}"},
	{"a write that changes nothing has no receipt", "cart_once.go",
		"if len(out.writes) > 0 || receipt != nil {",
		"if len(out.writes) > 0 {"},
	{"a key lives an hour", "store.go",
		"now.After(r.At.Add(ReceiptLife))",
		"now.After(r.At.Add(ReceiptLife / 24))"},
	{"an erasure: a write under way begins the cart again", "cart_once.go",
		"err := h.store.PutCarts(ctx, writes, receipt, p.session())",
		"err := h.store.PutCarts(ctx, writes, receipt)"},
	{"an erasure: old tokens stay good", "erase.go",
		"if _, err := h.Revoke(ctx, user); err != nil {",
		"if _, err := h.Revoked(ctx, principalOf(user)); err != nil {"},
	{"an erasure: a message under way subscribes again", "erase.go",
		"if err := h.store.EndConnection(ctx, id, h.now(), 0); err != nil {",
		"if err := h.store.Forget(ctx, id); err != nil {"},
	{"an erasure: subscriptions stay", "erase.go",
		"if err := h.store.EndConnection(ctx, id, h.now(), 0); err != nil {",
		"if false {"},
	{"an erasure: the subscriptions that a disconnect leaves name the user", "store.go",
		"if t.Kind == KindSKU {",
		"if false {"},
	{"an erasure: the connections stay open", "erase.go",
		"if err := h.poster.Disconnect(ctx, id, c.Endpoint); err != nil {",
		"if false {"},
	{"an erasure: only the first page of connections ends", "erase.go",
		`		after = page.Next
	}
	if err := h.store.Erase`,
		`	}
	if err := h.store.Erase`},
	{"an erasure: the cart stays", "erase.go",
		"if err := h.store.Erase(ctx, id); err != nil {",
		"if false {"},
	{"an erasure: a connection that ended while it opened stays open", "session.go",
		"if errors.Is(err, ErrGone) && h.ender != nil {",
		"if errors.Is(err, ErrGone) && h.ender == nil {"},
	{"a crowd is not swept", "crowd.go",
		"return nil, b.h.store.AskSweep(ctx, row.topic, row.sequence, row.markRev(), b.now)",
		"_ = row; return nil, nil"},
	{"a batch is done although nobody asked for the sweep", "crowd.go",
		"b.fail(row, fmt.Errorf(\"ask for a sweep of %s: %w\", row.topic, err))",
		"_ = fmt.Errorf(\"ask for a sweep of %s: %w\", row.topic, err)"},
	{"a removed row is swept without its rev", "crowd.go",
		"row.sequence, row.markRev(), b.now)",
		"row.sequence, \"\", b.now)"},
	{"a later change joins a circle without a new beginning", "viewers.go",
		"p.sweep.Serving, p.sweep.From, p.sweep.Wrapped = p.sweep.Wanted, p.sweep.At, false",
		"if p.sweep.Serving = p.sweep.Wanted; p.first { p.sweep.From = p.sweep.At }"},
	{"a page is recorded before it is posted", "sweep.go",
		"	b.send(ctx)\n	b.markUndelivered(ctx)\n	s.save(ctx, b, parts)\n",
		"	s.save(ctx, b, parts)\n	b.send(ctx)\n	b.markUndelivered(ctx)\n"},
	{"a page is recorded before its marks", "sweep.go",
		"	b.markUndelivered(ctx)\n	s.save(ctx, b, parts)\n",
		"	s.save(ctx, b, parts)\n	b.markUndelivered(ctx)\n"},
	{"a page is recorded although a mark is not", "sweep.go",
		"if b.rows[i].failed && p.err == nil {",
		"if b.rows[i].failed && false {"},
	{"a page that fails posts everything again", "recipients.go",
		"&& !b.served.has(row.topic, row.change(), r.sub.ConnectionID)",
		"&& (row.current || !b.served.has(row.topic, row.change(), r.sub.ConnectionID))"},
	{"a page that is recorded is forgotten before the sweep ends", "sweep.go",
		"	b.rememberServed(func(row *changedRow) bool { return row.failed })\n",
		`	b.rememberServed(func(row *changedRow) bool { return row.failed })
	for i := range b.rows {
		if !b.rows[i].failed {
			b.served.forget(b.rows[i].topic)
		}
	}
`},
	{"a page that fails is forgotten", "sweep.go",
		"func(row *changedRow) bool { return row.failed }",
		"func(*changedRow) bool { return false }"},
	{"a circle does not come round", "viewers.go",
		"if p.sweep.Wrapped || p.sweep.From == \"\" {",
		"if true {"},
	{"a sweep sends a value without its rev", "broadcast.go",
		"if rev := row.rev(); row.current && rev != \"\" {",
		"if rev := row.rev(); row.current && rev == \"never\" {"},
	{"a sweep ends at an item that is not there", "sweep.go",
		"exists && item.SKU != \"\" || !exists && p.sweep.Rev != \"\"",
		"exists && item.SKU != \"\""},
	{"a sweep marks nobody", "sweep.go",
		"	b.markUndelivered(ctx)\n",
		""},
	{"a sweep notifies nobody of the end of a session", "sweep.go",
		"	b.notifyExpired(ctx)\n",
		""},
	{"a retry posts again what was posted", "served.go",
		"return newest != \"\" && !NewerRev(sequence, newest)",
		"return newest != \"\" && connectionID == wholeCrowd"},
	{"a retry asks again for a sweep", "served.go",
		"return newest != \"\" && !NewerRev(sequence, newest)",
		"return newest != \"\" && !NewerRev(sequence, newest) && connectionID != wholeCrowd"},
	{"a retry skips whoever has an older change", "served.go",
		"return newest != \"\" && !NewerRev(sequence, newest)",
		"return newest != \"\""},
	{"a retry skips whoever has no mark", "undelivered.go",
		"		if err == nil {\n			b.settled",
		"		if true {\n			b.settled"},
	{"a merge leaves the guest's cart", "cart_merge.go",
		"out.writes = append(out.writes, CartWrite{Cart: theirs, Base: from})",
		"_ = from"},
})

// TestPlantedDefectsApply: each defect still fits its file.
func TestPlantedDefectsApply(t *testing.T) { planttest.CheckAll(t, ".", plantedInHub) }
