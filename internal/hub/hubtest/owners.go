package hubtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/securecart/hub/internal/hub"
)

const (
	ofAlice = "u~alice"
	ofHome  = "home"
)

// owned is the names of the connections of an owner, read by pages.
func owned(ctx context.Context, f Fixture, owner string, limit int) ([]string, error) {
	var all []string
	for after, more := "", true; more; more = after != "" {
		o, err := f.Store.Holder(ctx, owner, after, limit)
		if err != nil {
			return nil, err
		}
		if len(o.Connections) > limit {
			return nil, fmt.Errorf("a page of %d, the limit is %d", len(o.Connections), limit)
		}
		for _, c := range o.Connections {
			if err := same("connected at", c.ConnectedAt, at(0)); err != nil {
				return nil, err
			}
			all = append(all, c.ID)
		}
		after = o.Next
	}
	return all, nil
}

func wantOwned(ctx context.Context, f Fixture, owner string, want ...string) error {
	got, err := owned(ctx, f, owner, 100)
	return errors.Join(err, same("connections of "+owner, fmt.Sprint(got), fmt.Sprint(want)))
}

// home is a connection from an address.
func home(id string) hub.Connection {
	c := connection(id)
	c.ClientHash = ofHome
	return c
}

func ownersSeen(ctx context.Context, f Fixture) error {
	for i, id := range []string{"c1", "c2", "c3"} {
		if err := f.Store.PutConnection(ctx, home(id)); err != nil {
			return err
		}
		want := []string{"c1", "c2", "c3"}[:i+1]
		if err := errors.Join(wantOwned(ctx, f, ofAlice, want...), wantOwned(ctx, f, hub.AddressHolder(ofHome), want...)); err != nil {
			return err
		}
	}
	return errors.Join(wantOwned(ctx, f, "u~nobody"), wantOwned(ctx, f, hub.AddressHolder("nowhere")))
}

func ownersPage(ctx context.Context, f Fixture) error {
	var want []string
	for i := range 13 {
		id := fmt.Sprintf("c%02d", (i*5)%13)
		want = append(want, id)
		if err := f.Store.PutConnection(ctx, connection(id)); err != nil {
			return err
		}
	}
	slices.Sort(want)
	for _, revoked := range []bool{false, true} {
		if revoked {
			if err := f.Store.Revoke(ctx, ofAlice, at(1)); err != nil {
				return err
			}
		}
		for _, limit := range []int{1, 4, 13, 100} {
			got, err := owned(ctx, f, ofAlice, limit)
			if err := errors.Join(err, same(fmt.Sprint("pages of ", limit), got, want)); err != nil {
				return err
			}
		}
	}
	return nil
}

func ownersForget(ctx context.Context, f Fixture) error {
	err := errors.Join(f.Store.PutConnection(ctx, home("c1")), f.Store.PutConnection(ctx, home("c2")), f.Store.Forget(ctx, "c1"))
	return errors.Join(err, wantOwned(ctx, f, ofAlice, "c2"), wantOwned(ctx, f, hub.AddressHolder(ofHome), "c2"))
}

func endedStays(ctx context.Context, f Fixture) error {
	err := errors.Join(f.Store.PutConnection(ctx, home("c1")), f.Store.Subscribe(ctx, home("c1"), []hub.Topic{sku("A")}),
		mark(ctx, f, "c1", []hub.Topic{sku("A")}, at(1)))
	for range 2 {
		err = errors.Join(err, f.Store.EndConnection(ctx, "c1", at(2)), f.Store.EndConnection(ctx, "never", at(2)))
	}
	marks, err2 := f.Store.RetryMarks(ctx, 10)
	if err := errors.Join(err, err2, same("marks", len(marks), 0), audience(ctx, f, sku("A"))); err != nil {
		return err
	}
	was := connection("c1").Principal
	// What its messages do that are answered late, and a 410.
	for _, late := range []struct {
		what string
		do   func() error
		want error
	}{
		{"put", func() error { return f.Store.PutConnection(ctx, home("c1")) }, hub.ErrGone},
		{"put, never known", func() error { return f.Store.PutConnection(ctx, home("never")) }, hub.ErrGone},
		{"put authority", func() error { return f.Store.ReplacePrincipal(ctx, "c1", was, was) }, hub.ErrGone},
		{"subscribe", func() error { return f.Store.Subscribe(ctx, home("c1"), []hub.Topic{sku("A")}) }, nil},
		{"unsubscribe", func() error { return f.Store.Unsubscribe(ctx, "c1", []hub.Topic{sku("A")}) }, nil},
		{"forget", func() error { return f.Store.Forget(ctx, "c1") }, nil},
		{"put after forget", func() error { return f.Store.PutConnection(ctx, home("c1")) }, hub.ErrGone},
	} {
		if err := late.do(); !errors.Is(err, late.want) {
			return fmt.Errorf("%s: got %v, want %v", late.what, err, late.want)
		}
		_, err := f.Store.Connection(ctx, "c1")
		err = errors.Join(isKind("connection after "+late.what, err, hub.ErrGone),
			wantOwned(ctx, f, ofAlice), wantOwned(ctx, f, hub.AddressHolder(ofHome)))
		if err != nil {
			return fmt.Errorf("%s: %w", late.what, err)
		}
	}
	return nil
}

func forgottenReturns(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1", sku("A")), f.Store.Forget(ctx, "c1"), f.Store.PutConnection(ctx, home("c1")))
	got, err2 := topicsOf(ctx, f, "c1")
	return errors.Join(err, err2, same("topics", got, "[]"), wantOwned(ctx, f, ofAlice, "c1"))
}

func ownersChange(ctx context.Context, f Fixture) error {
	guest := home("c1")
	guest.Principal = hub.Principal{User: "guest:g1", Role: hub.RoleGuest}
	err := errors.Join(f.Store.PutConnection(ctx, guest), f.Store.PutConnection(ctx, home("c1")))
	return errors.Join(err, wantOwned(ctx, f, "g~g1"), wantOwned(ctx, f, ofAlice, "c1"), wantOwned(ctx, f, hub.AddressHolder(ofHome), "c1"))
}

func revocationKept(ctx context.Context, f Fixture) error {
	o, err := f.Store.Holder(ctx, ofAlice, "", 1)
	if err := errors.Join(err, same("never revoked", o.Revoked.IsZero(), true)); err != nil {
		return err
	}
	// The later one counts, whatever the order.
	for _, minute := range []int{5, 9, 7} {
		if err := f.Store.Revoke(ctx, ofAlice, at(minute)); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Store.PutConnection(ctx, connection("c1")), f.Store.Forget(ctx, "c1")); err != nil {
		return err
	}
	o, err = f.Store.Holder(ctx, ofAlice, "", 1)
	other, err2 := f.Store.Holder(ctx, "u~bob", "", 1)
	return errors.Join(err, err2, same("revoked", o.Revoked, at(9)), same("of another", other.Revoked.IsZero(), true))
}

func authorityConditional(ctx context.Context, f Fixture) error {
	was := connection("c1").Principal
	is := was
	is.Expires = at(0)
	if err := isKind("no such connection", f.Store.ReplacePrincipal(ctx, "c1", was, is), hub.ErrGone); err != nil {
		return err
	}
	if err := connect(ctx, f, "c1", sku("A")); err != nil {
		return err
	}
	for _, other := range []hub.Principal{
		is,
		{User: was.User, Role: hub.RoleAdmin, Expires: was.Expires},
		{User: was.User, Role: was.Role, Expires: was.Expires, Issued: at(1)},
		{User: was.User, Role: was.Role},
		{User: was.User, Role: was.Role, Expires: was.Expires, Vendor: "acme"},
	} {
		if err := isKind(fmt.Sprintf("of %v", other), f.Store.ReplacePrincipal(ctx, "c1", other, hub.Principal{User: was.User}), hub.ErrConflict); err != nil {
			return err
		}
	}
	if err := f.Store.ReplacePrincipal(ctx, "c1", was, is); err != nil {
		return err
	}
	c, err := f.Store.Connection(ctx, "c1")
	topics, err2 := topicsOf(ctx, f, "c1")
	return errors.Join(err, err2, same("authority", c.Principal, is), same("topics", topics, "[sku:A]"), wantOwned(ctx, f, ofAlice, "c1"))
}

func countsEach(ctx context.Context, f Fixture) error {
	const n = 20
	var wg sync.WaitGroup
	seen := make([]int, n)
	failures := make([]error, n)
	for i := range n {
		wg.Go(func() { seen[i], failures[i] = f.Store.Count(ctx, "a", at(60)) })
	}
	wg.Wait()
	slices.Sort(seen)
	want := make([]int, n)
	for i := range want {
		want[i] = i + 1
	}
	other, err := f.Store.Count(ctx, "b", at(60))
	return errors.Join(errors.Join(failures...), err, same("counted", seen, want), same("another counter", other, 1))
}

func collectsOnce(ctx context.Context, f Fixture) error {
	for _, step := range []struct {
		set         string
		names, want []string
	}{
		{"a", nil, nil},
		{"a", []string{"B", "A"}, []string{"B", "A"}},
		{"a", []string{"B"}, []string{"B"}},
		{"a", []string{"C", "D"}, []string{"C", "D"}}, // it had two
		{"a", []string{"E"}, nil},
		{"a", []string{"D", "E", "A"}, []string{"D", "A"}}, // what is in stays in
		{"a", []string{"A", "D"}, []string{"A", "D"}},
		{"b", []string{"E"}, []string{"E"}},
		{"a", []string{"E"}, nil}, // it did not get in beside others
	} {
		got, err := f.Store.Collect(ctx, step.set, step.names, 3, at(60))
		if err := errors.Join(err, same(fmt.Sprint("put ", step.names, " into ", step.set), fmt.Sprint(got), fmt.Sprint(step.want))); err != nil {
			return err
		}
	}
	return nil
}
