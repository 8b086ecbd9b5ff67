package hub_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// faultyStore is the memory store as the simulated hub sees it. Every access may
// fail, before or after its work, and other events may come first.
type faultyStore struct {
	hub.Store
	sim *simulation

	cartRead bool                           // a cart was read, and neither a key looked up nor a cart written since
	heldBack []func()                       // subscriptions that the defect delays
	cache    map[hub.Topic][]hub.Subscriber // for the defect
}

// before lets other events happen and may fail the access.
func (s *faultyStore) before(ctx context.Context) error {
	crashAt(&s.sim.crash.accesses)
	s.sim.passTime(10)
	s.sim.interrupt()
	if err := ctx.Err(); err != nil {
		s.sim.meet("access behind the deadline")
		return err
	}
	if s.sim.chance(60) {
		return errInjected
	}
	return nil
}

// after may fail an access that succeeded, so the caller cannot know its outcome.
func (s *faultyStore) after(err error) error {
	crashAt(&s.sim.crash.accesses)
	if err == nil && s.sim.chance(60) {
		return errInjected
	}
	return err
}

func (s *faultyStore) PutConnection(ctx context.Context, c hub.Connection) error {
	if s.sim.nesting == 0 && s.sim.chance(50) {
		s.sim.nested(func() { s.sim.revoke(c.Principal.User) }) // after the hub looked for one
	}
	if err := s.before(ctx); err != nil {
		return err
	}
	s.sim.eraseSomebody(50, c.Principal)
	s.sim.put++
	s.sim.putAt[c.ID] = s.sim.put
	return s.after(s.Store.PutConnection(ctx, c))
}

func (s *faultyStore) ReplacePrincipal(ctx context.Context, id string, prev, next hub.Principal) error {
	if s.sim.expiryNotRecorded {
		return nil
	}
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Store.ReplacePrincipal(ctx, id, prev, next))
}

func (s *faultyStore) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	if err := s.before(ctx); err != nil {
		return hub.Holder{}, err
	}
	for _, c := range s.sim.clients {
		if c.principal.ID() == id && s.sim.requesting {
			s.sim.eraseSomebody(50, c.principal)
			break
		}
	}
	return s.Store.Holder(ctx, id, after, s.sim.pageSize(limit))
}

func (s *faultyStore) Revocation(ctx context.Context, holder string) (time.Time, error) {
	if err := s.before(ctx); err != nil {
		return time.Time{}, err
	}
	return s.Store.Revocation(ctx, holder)
}

func (s *faultyStore) Revoke(ctx context.Context, holder string, until time.Time) error {
	if s.sim.revocationNotRecorded {
		return nil
	}
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Store.Revoke(ctx, holder, until))
}

func (s *faultyStore) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	if err := s.before(ctx); err != nil {
		return nil, err
	}
	found, err := s.Store.ConnectionsOf(ctx, ids)
	for _, id := range ids {
		if strings.HasPrefix(id, stuckPrefix) {
			found[id] = stuckConnection(id, s.sim.now)
		}
	}
	return found, err
}

func (s *faultyStore) Connection(ctx context.Context, id string) (hub.Connection, error) {
	if err := s.before(ctx); err != nil {
		return hub.Connection{}, err
	}
	return s.Store.Connection(ctx, id)
}

func (s *faultyStore) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	if s.sim.snapshotBeforeSubscribe {
		s.heldBack = append(s.heldBack, func() { _, _ = s.Store.Subscribe(ctx, c, topics) })
		return s.Store.Connection(ctx, c.ID)
	}
	s.sim.interruptOneIn(3) // what was read before the subscription may change
	if err := s.before(ctx); err != nil {
		return hub.Connection{}, err
	}
	s.sim.eraseSomebody(50, c.Principal)
	latest, err := s.Store.Subscribe(ctx, c, topics)
	return latest, s.after(err)
}

func (s *faultyStore) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) (int64, error) {
	if err := s.before(ctx); err != nil {
		return 0, err
	}
	n, err := s.Store.Unsubscribe(ctx, id, topics)
	return n, s.after(err)
}

func (s *faultyStore) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	s.sim.forgotten[id] = true
	return s.after(s.Store.Forget(ctx, id, topics...))
}

func (s *faultyStore) EndConnection(ctx context.Context, id string, now time.Time, spare int) error {
	if s.sim.endNotRecorded {
		return s.Store.Forget(ctx, id)
	}
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Store.EndConnection(ctx, id, now, spare))
}

func (s *faultyStore) MarkForRetry(ctx context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	errs := make([]error, len(undelivered))
	for i := range undelivered {
		s.sim.judgeTry(undelivered[i])
		if s.sim.revNotMarked {
			undelivered[i].Revs = nil
		}
		errs[i] = s.before(ctx)
		if s.sim.chance(10) || s.sim.sweeps.running() && s.sim.chance(3) { // healing makes up for most
			errs[i] = errInjected
		}
		if errs[i] == nil {
			errs[i] = s.after(s.Store.MarkForRetry(ctx, undelivered[i:i+1], now)[0])
		}
	}
	return errs
}

func (s *faultyStore) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	if err := s.before(ctx); err != nil {
		return nil, "", err
	}
	if s.sim.oneMarkPage {
		marks, _, err := s.Store.RetryMarks(ctx, "", stuckCount)
		s.sim.healing.read(marks)
		return marks, "", err
	}
	marks, next, err := s.Store.RetryMarks(ctx, after, s.sim.pageSize(limit))
	s.sim.healing.read(marks)
	return marks, next, err
}

func (s *faultyStore) ClearRetryMarks(ctx context.Context, marks []hub.RetryMark) []error {
	errs := make([]error, len(marks))
	for i, m := range marks {
		if s.sim.chance(3) {
			s.changeMarked(m)
		}
		if s.sim.renewedMarksCleared {
			for range 6 {
				s.changeMarked(m)
			}
			m.Revision = 0
		}
		if errs[i] = s.before(ctx); errs[i] == nil {
			errs[i] = s.after(s.Store.ClearRetryMarks(ctx, []hub.RetryMark{m})[0])
		}
	}
	return errs
}

// changeMarked lets an item that a connection missed change while it is healed.
func (s *faultyStore) changeMarked(m hub.RetryMark) {
	sku := slices.IndexFunc(m.Topics, func(t hub.Topic) bool { return t.Kind == hub.KindSKU })
	if sku < 0 || s.sim.nesting > 0 || !s.sim.faults {
		return
	}
	s.sim.meet("item that changes while it is healed")
	ctx := context.Background() // of other invocations
	s.sim.nested(func() {
		s.sim.changeItem(ctx, m.Topics[sku].Name)
		s.sim.stepBatches(ctx)
	})
}

func (s *faultyStore) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if err := s.before(ctx); err != nil {
		return nil, "", err
	}
	if s.sim.viewersCached && s.sim.sweeps.running() {
		return s.sim.sweeps.cachedViewers(t, after), "", nil
	}
	if s.sim.subscribersCached {
		page, known := s.cache[t]
		if !known {
			page, _, _ = s.Store.Subscribers(ctx, t, "", 1000)
			s.cache[t] = page
		}
		return page, "", nil
	}
	if s.sim.vendorAmongOthers {
		return s.others(ctx, t, after), "", nil
	}
	page, next, err := s.Store.Subscribers(ctx, t, after, s.sim.pageSize(limit))
	return s.wrong(page), next, err
}

// wrong returns subscribers as defects read them.
func (s *faultyStore) wrong(page []hub.Subscriber) []hub.Subscriber {
	for i := range page {
		if s.sim.sessionNotChecked {
			page[i].Principal.Expires = time.Time{}
		}
		if s.sim.subscribedInConnect {
			page[i].ConnectedAt = page[i].ConnectedAt.Add(-time.Minute)
		}
	}
	return page
}

func (s *faultyStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if err := s.before(ctx); err != nil {
		return nil, err
	}
	items, err := s.Store.Items(ctx, skus)
	if s.sim.sweeps.running() {
		items = s.sim.sweeps.readItems(skus, items)
	}
	for sku := range items {
		if s.sim.unreadable[sku] {
			items[sku] = hub.Item{}
		}
	}
	s.flush()
	return items, err
}

func (s *faultyStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if strings.Contains(id, stuckPrefix) {
		return hub.Cart{}, errInjected // always
	}
	if err := s.before(ctx); err != nil {
		return hub.Cart{}, err
	}
	s.retry()
	s.cartRead = true
	cart, err := s.Store.Cart(ctx, id)
	s.flush()
	return cart, err
}

// Together makes the calls in any order.
func (s *faultyStore) Together(calls ...func()) {
	for _, i := range s.sim.rng.Perm(len(calls)) {
		calls[i]()
	}
}

func (s *faultyStore) Epoch(context.Context) (hub.Epoch, error) { return s.sim.epoch, nil }

// retry lets the client whose write runs send it again, because this store is slow: often
// a write with a version, which its own first attempt makes a conflict.
func (s *faultyStore) retry() {
	c := s.sim.writer
	if c == nil || c.pending == nil || c.socket == nil || !c.socket.open || s.sim.nesting > 0 {
		return
	}
	if often := c.pending.Version != nil; !s.sim.chance(8) && !(often && s.sim.chance(2)) {
		return
	}
	s.sim.meet("overlapping retry")
	s.sim.nested(c.write)
}

// flush stores the delayed subscriptions. Other events come first: the window
// between the snapshot and the subscription, in which the defect loses changes.
func (s *faultyStore) flush() {
	if len(s.heldBack) == 0 {
		return
	}
	s.interruptOften()
	for _, subscribe := range s.heldBack {
		subscribe()
	}
	s.heldBack = nil
}

// interruptOften lets several other events happen, where a defect opens a window.
func (s *faultyStore) interruptOften() {
	for range 8 {
		s.sim.interruptOneIn(2)
	}
}

func (s *faultyStore) Receipt(ctx context.Context, cartID, key string) (hub.Receipt, error) {
	if err := s.before(ctx); err != nil {
		return hub.Receipt{}, err
	}
	refusal := s.cartRead
	s.cartRead = false
	if s.sim.duplicateAppliedTwice || s.sim.refusedWithoutKey && refusal {
		return hub.Receipt{}, hub.ErrGone
	}
	return s.Store.Receipt(ctx, cartID, key)
}

func (s *faultyStore) PutItem(ctx context.Context, item hub.Item, base int64) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	if s.sim.versionResetOnRecreate {
		old, _ := s.Store.Items(ctx, []string{item.SKU})
		if old[item.SKU].Deleted && !item.Deleted {
			item.Version = 1
		}
	}
	return s.after(s.Store.PutItem(ctx, item, base))
}

func (s *faultyStore) IndexItem(ctx context.Context, item hub.Item, former []string) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Store.IndexItem(ctx, item, former))
}

func (s *faultyStore) PutCarts(
	ctx context.Context, carts []hub.CartWrite, receipt *hub.Receipt, sessions ...hub.Session,
) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	s.retry()
	if c := s.sim.writer; c != nil {
		s.sim.eraseSomebody(30, c.principal)
	}
	s.cartRead = false
	isCheckout := len(carts) == 1 && carts[0].Cart.Ordered == carts[0].Cart.Version
	if s.sim.duplicateAppliedTwice || s.sim.checkoutRepeated && isCheckout {
		receipt = nil
	}
	guest, _ := s.Store.Cart(ctx, guestCart)
	err := s.Store.PutCarts(ctx, carts, receipt, sessions...)
	if err == nil {
		s.sim.countSkipped(carts, receipt, guest.Lines[countedSKU])
	}
	if err == nil && receipt != nil {
		s.sim.done[receipt.Key] = receipt.Answer
	}
	return s.after(err)
}

func (s *faultyStore) Release(ctx context.Context, holder, id string) error {
	s.sim.judgeReach(erasureOf(ctx), holder)
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Store.Release(ctx, holder, id))
}

func (s *faultyStore) Erase(ctx context.Context, id string) error {
	s.sim.judgeReach(erasureOf(ctx), id)
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Store.Erase(ctx, id))
}
