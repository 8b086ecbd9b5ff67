package hubtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/securecart/hub/internal/hub"
)

func connection(id string) hub.Connection {
	return hub.Connection{
		ID: id, Endpoint: "127.0.0.1/v1", Protocol: "securecart.v1", ConnectedAt: minute(0),
		Principal: hub.Principal{User: "alice", Role: hub.RoleCustomer, Expires: minute(60)},
	}
}

func sku(name string) hub.Topic { return hub.Topic{Kind: hub.KindSKU, Name: name} }

// subscriberIDs reads the subscribers of t page by page.
func subscriberIDs(ctx context.Context, f Fixture, t hub.Topic, limit int) ([]string, error) {
	var all []string
	for after, more := "", true; more; more = after != "" {
		page, next, err := f.Store.Subscribers(ctx, t, after, limit)
		if err != nil {
			return nil, err
		}
		if len(page) > limit {
			return nil, fmt.Errorf("got a page of %d, limit %d", len(page), limit)
		}
		for _, s := range page {
			all = append(all, s.ConnectionID)
		}
		after = next
	}
	return all, nil
}

// wantSubscribers fails unless exactly the connections want are subscribed to t.
func wantSubscribers(ctx context.Context, f Fixture, t hub.Topic, want ...string) error {
	got, err := subscriberIDs(ctx, f, t, 100)
	if err != nil {
		return err
	}
	return same("subscribers of "+t.String(), fmt.Sprint(got), fmt.Sprint(want))
}

func connect(ctx context.Context, f Fixture, id string, topics ...hub.Topic) error {
	c := connection(id)
	if err := f.Store.PutConnection(ctx, c); err != nil || len(topics) == 0 {
		return err
	}
	_, err := f.Store.Subscribe(ctx, c, topics)
	return err
}

func topicsOf(ctx context.Context, f Fixture, id string) (string, error) {
	c, err := f.Store.Connection(ctx, id)
	names := make([]string, 0, len(c.Topics))
	for _, t := range c.Topics {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return fmt.Sprint(names), err
}

func connectionRoundTrip(ctx context.Context, f Fixture) error {
	vendor := connection("c2")
	vendor.Principal = hub.Principal{User: "v", Role: hub.RoleVendor, Vendor: "acme"}
	vendor.Notice = "token_expired"
	for _, want := range []hub.Connection{connection("c1="), vendor} {
		if err := f.Store.PutConnection(ctx, want); err != nil {
			return err
		}
		want.Exact = want.Principal.MaySeeExact()
		got, err := f.Store.Connection(ctx, want.ID)
		if len(got.Topics) == 0 {
			got.Topics = nil
		}
		if err := errors.Join(err, same("connection", got, want)); err != nil {
			return err
		}
	}
	return nil
}

func connectionKeepsTopics(ctx context.Context, f Fixture) error {
	if err := connect(ctx, f, "c1", sku("A")); err != nil {
		return err
	}
	if err := f.Store.PutConnection(ctx, connection("c1")); err != nil {
		return err
	}
	got, err := topicsOf(ctx, f, "c1")
	return errors.Join(err, same("topics", got, "[sku:A]"))
}

// prettyStays: it is set alone, and a connection that is put again keeps it.
func prettyStays(ctx context.Context, f Fixture) error {
	if err := f.Store.SetPretty(ctx, "c0", true); !errors.Is(err, hub.ErrGone) {
		return fmt.Errorf("of a connection without a row: got %v, want ErrGone", err)
	}
	if _, err := f.Store.Connection(ctx, "c0"); !errors.Is(err, hub.ErrGone) {
		return fmt.Errorf("a row was made: %v", err)
	}
	want := connection("c1")
	if err := f.Store.PutConnection(ctx, want); err != nil {
		return err
	}
	for _, on := range []bool{true, false, true} {
		if err := f.Store.SetPretty(ctx, "c1", on); err != nil {
			return err
		}
		got, err := f.Store.Connection(ctx, "c1")
		err = errors.Join(err, same("pretty", got.Pretty, on), same("principal", got.Principal, want.Principal))
		if err != nil {
			return err
		}
	}
	if err := f.Store.PutConnection(ctx, want); err != nil {
		return err
	}
	got, err := f.Store.Connection(ctx, "c1")
	return errors.Join(err, same("pretty after another put", got.Pretty, true))
}

func subscribersSeen(ctx context.Context, f Fixture) error {
	for i := range 20 {
		id := fmt.Sprintf("c%02d", i)
		if err := connect(ctx, f, id, sku("A"), sku("B")); err != nil {
			return err
		}
		page, _, err := f.Store.Subscribers(ctx, sku("A"), "", 100)
		if err != nil || len(page) != i+1 {
			return fmt.Errorf("after %d subscribers: got %d, %v", i+1, len(page), err)
		}
		if err := same("subscriber", page[i], connection(id).Subscriber(sku("A"))); err != nil {
			return err
		}
		if got, err := topicsOf(ctx, f, id); err != nil || got != "[sku:A sku:B]" {
			return fmt.Errorf("topics: got %s, %v", got, err)
		}
	}
	return nil
}

func subscribeReplaces(ctx context.Context, f Fixture) error {
	if err := connect(ctx, f, "c1", sku("A")); err != nil {
		return err
	}
	later := connection("c1")
	later.Principal.Expires = minute(120)
	if err := errOf(f.Store.Subscribe(ctx, later, []hub.Topic{sku("A")})); err != nil {
		return err
	}
	page, _, err := f.Store.Subscribers(ctx, sku("A"), "", 10)
	if err := errors.Join(err, same("subscribers", page, []hub.Subscriber{later.Subscriber(sku("A"))})); err != nil {
		return err
	}
	got, err := topicsOf(ctx, f, "c1")
	return errors.Join(err, same("topics", got, "[sku:A]"))
}

func subscribersPage(ctx context.Context, f Fixture) error {
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("c%02d", (i*7)%25)
		want = append(want, id)
		if err := connect(ctx, f, id, sku("A")); err != nil {
			return err
		}
	}
	slices.Sort(want)
	for _, limit := range []int{1, 7, 25, 100} {
		got, err := subscriberIDs(ctx, f, sku("A"), limit)
		if err := errors.Join(err, same(fmt.Sprint("pages of ", limit), got, want)); err != nil {
			return err
		}
	}
	return nil
}

func subscribersPageForget(ctx context.Context, f Fixture) error {
	for i := range 9 {
		if err := connect(ctx, f, fmt.Sprintf("c%d", i), sku("A")); err != nil {
			return err
		}
	}
	page, next, err := f.Store.Subscribers(ctx, sku("A"), "", 3)
	if err != nil || len(page) != 3 || next == "" {
		return fmt.Errorf("first page: got %d rows, next %q, %v", len(page), next, err)
	}
	// Forget the last row of the page, and rows before and after it.
	for _, id := range []string{"c0", "c2", "c4"} {
		if err := f.Store.Forget(ctx, id); err != nil {
			return err
		}
	}
	var rest []string
	for next != "" {
		page, next, err = f.Store.Subscribers(ctx, sku("A"), next, 3)
		if err != nil {
			return err
		}
		for _, s := range page {
			rest = append(rest, s.ConnectionID)
		}
	}
	return same("later pages", fmt.Sprint(rest), "[c3 c5 c6 c7 c8]")
}

func subscribeReturnsRow(ctx context.Context, f Fixture) error {
	if err := connect(ctx, f, "c1", sku("A")); err != nil {
		return err
	}
	old := connection("c1")
	next := old.Principal
	next.Expires = minute(120)
	if err := f.Store.ReplacePrincipal(ctx, "c1", old.Principal, next); err != nil {
		return err
	}
	_, err := f.Store.Unsubscribe(ctx, "c1", []hub.Topic{sku("NOPE")})
	latest, err2 := f.Store.Subscribe(ctx, old, []hub.Topic{sku("B")})
	recorded, err3 := f.Store.Connection(ctx, "c1")
	return errors.Join(err, err2, err3, same("connection", latest, recorded),
		same("principal", latest.Principal, next), same("topics", fmt.Sprint(latest.Topics), "[sku:A sku:B]"))
}

// endSpares ends connections whose subscriptions may stay, and some whose may not.
func endSpares(ctx context.Context, f Fixture) error {
	own := hub.Topic{Kind: hub.KindCart, Name: connection("c1").Principal.CartID()}
	err := errors.Join(connect(ctx, f, "c1", sku("A"), sku("B"), own), connect(ctx, f, "c2", sku("A")),
		connect(ctx, f, "c3", sku("A")), connect(ctx, f, "c4", sku("B")),
		f.Store.EndConnection(ctx, "c1", minute(1), 2), // A has more subscribers
		f.Store.EndConnection(ctx, "c4", minute(1), 0))
	if err != nil {
		return err
	}
	for topic, want := range map[hub.Topic]string{sku("A"): "[c2 c3]", own: "[]"} {
		got, err := subscriberIDs(ctx, f, topic, 10)
		if err := errors.Join(err, same("subscribers of "+topic.String(), fmt.Sprint(got), want)); err != nil {
			return err
		}
	}
	page, _, err := f.Store.Subscribers(ctx, sku("B"), "", 10)
	for _, s := range page { // it may stay
		if s.ConnectionID != "c1" || s.Principal.User != "" {
			return fmt.Errorf("a subscriber of B is %+v, want c1 at most, without a user", s)
		}
	}
	return errors.Join(err, f.Store.Forget(ctx, "c1", sku("B")), wantSubscribers(ctx, f, sku("B")))
}

func unsubscribeSome(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1", sku("A"), sku("B")), connect(ctx, f, "c2", sku("A")),
		errOf(f.Store.Unsubscribe(ctx, "c1", []hub.Topic{sku("A"), sku("NOPE")})),
		errOf(f.Store.Unsubscribe(ctx, "nobody", []hub.Topic{sku("A")})))
	if err != nil {
		return err
	}
	got, err := topicsOf(ctx, f, "c1")
	return errors.Join(err, same("topics", got, "[sku:B]"),
		wantSubscribers(ctx, f, sku("A"), "c2"), wantSubscribers(ctx, f, sku("B"), "c1"))
}

func forgetAll(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1", sku("A"), sku("B")), connect(ctx, f, "c2", sku("A")),
		f.Store.Forget(ctx, "c1"), f.Store.Forget(ctx, "c1"))
	if err != nil {
		return fmt.Errorf("forget two times: %w", err)
	}
	_, err = f.Store.Connection(ctx, "c1")
	if err := isKind("connection", err, hub.ErrGone); err != nil {
		return err
	}
	return errors.Join(wantSubscribers(ctx, f, sku("A"), "c2"), wantSubscribers(ctx, f, sku("B")))
}

func readsSeveral(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1", sku("A"), sku("B")), connect(ctx, f, "c2"), connect(ctx, f, "c3"),
		f.Store.EndConnection(ctx, "c2", minute(1), 0), f.Store.Forget(ctx, "c3"))
	if err != nil {
		return err
	}
	ids := []string{"c1", "c2", "c3", "c1", "unknown"}
	for i := range 120 { // more than DynamoDB reads at once
		ids = append(ids, fmt.Sprintf("many%03d", i))
		if err := connect(ctx, f, ids[len(ids)-1]); err != nil {
			return err
		}
	}
	found, err := f.Store.ConnectionsOf(ctx, ids)
	if err != nil || len(found) != 121 {
		return fmt.Errorf("got %d connections, %v, want c1 and 120 others", len(found), err)
	}
	one, err := f.Store.Connection(ctx, "c1")
	none, noneErr := f.Store.ConnectionsOf(ctx, nil)
	return errors.Join(err, noneErr, same("connection", fmt.Sprint(found["c1"]), fmt.Sprint(one)),
		same("topics", len(found["c1"].Topics), 2), same("none", len(none), 0))
}

func forgetOrphans(ctx context.Context, f Fixture) error {
	// This subscription is written after its connection was forgotten.
	err := errors.Join(connect(ctx, f, "c1"), f.Store.Forget(ctx, "c1"),
		isKind("subscribe", errOf(f.Store.Subscribe(ctx, connection("c1"), []hub.Topic{sku("A")})), hub.ErrGone),
		f.Store.Forget(ctx, "c1", sku("A"), sku("B")))
	return errors.Join(err, wantSubscribers(ctx, f, sku("A")))
}

func concurrentSubscribers(ctx context.Context, f Fixture) error {
	const n = 8
	if err := connect(ctx, f, "c"); err != nil {
		return err
	}
	var wg sync.WaitGroup
	failures := make([]error, n)
	for i := range n {
		wg.Go(func() {
			failures[i] = errors.Join(
				connect(ctx, f, fmt.Sprintf("c%d", i), sku("A")),
				errOf(f.Store.Subscribe(ctx, connection("c"), []hub.Topic{sku(fmt.Sprintf("T%d", i))})))
		})
	}
	wg.Wait()
	got, err := topicsOf(ctx, f, "c")
	return errors.Join(errors.Join(failures...), err,
		same("topics of one connection", got, "[sku:T0 sku:T1 sku:T2 sku:T3 sku:T4 sku:T5 sku:T6 sku:T7]"),
		wantSubscribers(ctx, f, sku("A"), "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"))
}
