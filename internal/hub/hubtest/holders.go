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
	aliceHolder = "u~alice"
	homeHash    = "home"
)

// heldIDs reads the connections of a holder page by page.
func heldIDs(ctx context.Context, f Fixture, holder string, limit int) ([]string, error) {
	var all []string
	for after, more := "", true; more; more = after != "" {
		page, err := f.Store.Holder(ctx, holder, after, limit)
		if err != nil {
			return nil, err
		}
		if len(page.Connections) > limit {
			return nil, fmt.Errorf("got a page of %d, limit %d", len(page.Connections), limit)
		}
		for _, c := range page.Connections {
			if err := same("connected at", c.ConnectedAt, minute(0)); err != nil {
				return nil, err
			}
			all = append(all, c.ID)
		}
		after = page.Next
	}
	return all, nil
}

func wantHeld(ctx context.Context, f Fixture, holder string, want ...string) error {
	got, err := heldIDs(ctx, f, holder, 100)
	return errors.Join(err, same("connections of "+holder, fmt.Sprint(got), fmt.Sprint(want)))
}

// homeConnection returns a connection from an address.
func homeConnection(id string) hub.Connection {
	c := connection(id)
	c.ClientHash = homeHash
	return c
}

func holdersSeen(ctx context.Context, f Fixture) error {
	for i, id := range []string{"c1", "c2", "c3"} {
		if err := f.Store.PutConnection(ctx, homeConnection(id)); err != nil {
			return err
		}
		want := []string{"c1", "c2", "c3"}[:i+1]
		if err := wantHeld(ctx, f, aliceHolder, want...); err != nil {
			return err
		}
	}
	return wantHeld(ctx, f, "u~nobody")
}

func holdersPage(ctx context.Context, f Fixture) error {
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
			if err := f.Store.Revoke(ctx, aliceHolder, minute(1)); err != nil {
				return err
			}
		}
		for _, limit := range []int{1, 4, 13, 100} {
			got, err := heldIDs(ctx, f, aliceHolder, limit)
			if err := errors.Join(err, same(fmt.Sprint("pages of ", limit), got, want)); err != nil {
				return err
			}
		}
	}
	return nil
}

func holdersForget(ctx context.Context, f Fixture) error {
	err := errors.Join(f.Store.PutConnection(ctx, homeConnection("c1")),
		f.Store.PutConnection(ctx, homeConnection("c2")), f.Store.Forget(ctx, "c1"))
	return errors.Join(err, wantHeld(ctx, f, aliceHolder, "c2"))
}

func endedStaysAway(ctx context.Context, f Fixture) error {
	err := errors.Join(f.Store.PutConnection(ctx, homeConnection("c1")),
		errOf(f.Store.Subscribe(ctx, homeConnection("c1"), []hub.Topic{sku("A")})))
	for range 2 {
		err = errors.Join(err, f.Store.EndConnection(ctx, "c1", minute(2), 0),
			f.Store.EndConnection(ctx, "never", minute(2), 0))
	}
	if err := errors.Join(err, wantSubscribers(ctx, f, sku("A"))); err != nil {
		return err
	}
	prev := connection("c1").Principal
	// What late messages of the connection do, and what a 410 does.
	for _, late := range []struct {
		what string
		do   func() error
		want error
	}{
		{"put", func() error { return f.Store.PutConnection(ctx, homeConnection("c1")) }, hub.ErrGone},
		{"put unknown", func() error { return f.Store.PutConnection(ctx, homeConnection("never")) }, hub.ErrGone},
		{"replace principal", func() error { return f.Store.ReplacePrincipal(ctx, "c1", prev, prev) }, hub.ErrGone},
		{"subscribe", func() error {
			return errOf(f.Store.Subscribe(ctx, homeConnection("c1"), []hub.Topic{sku("A")}))
		}, hub.ErrGone},
		{"unsubscribe", func() error { return errOf(f.Store.Unsubscribe(ctx, "c1", []hub.Topic{sku("A")})) }, nil},
		{"forget", func() error { return f.Store.Forget(ctx, "c1") }, nil},
		{"put after forget", func() error { return f.Store.PutConnection(ctx, homeConnection("c1")) }, hub.ErrGone},
	} {
		if err := late.do(); !errors.Is(err, late.want) {
			return fmt.Errorf("%s: got %v, want %v", late.what, err, late.want)
		}
		_, err := f.Store.Connection(ctx, "c1")
		err = errors.Join(isKind("connection after "+late.what, err, hub.ErrGone),
			wantSubscribers(ctx, f, sku("A")), wantHeld(ctx, f, aliceHolder))
		if err != nil {
			return fmt.Errorf("%s: %w", late.what, err)
		}
	}
	return nil
}

func forgottenReturns(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1", sku("A")), f.Store.Forget(ctx, "c1"),
		f.Store.PutConnection(ctx, homeConnection("c1")))
	got, err2 := topicsOf(ctx, f, "c1")
	return errors.Join(err, err2, same("topics", got, "[]"), wantHeld(ctx, f, aliceHolder, "c1"))
}

func holdersChange(ctx context.Context, f Fixture) error {
	guest := homeConnection("c1")
	guest.Principal = hub.Principal{User: "guest:g1", Role: hub.RoleGuest}
	err := errors.Join(f.Store.PutConnection(ctx, guest), f.Store.PutConnection(ctx, homeConnection("c1")))
	return errors.Join(err, wantHeld(ctx, f, "g~g1"), wantHeld(ctx, f, aliceHolder, "c1"))
}

func revocationKept(ctx context.Context, f Fixture) error {
	until, err := f.Store.Revocation(ctx, aliceHolder)
	if err := errors.Join(err, same("no revocation", until.IsZero(), true)); err != nil {
		return err
	}
	// The latest one counts, in whatever order they arrive.
	for _, m := range []int{5, 9, 7} {
		if err := f.Store.Revoke(ctx, aliceHolder, minute(m)); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Store.PutConnection(ctx, connection("c1")), f.Store.Forget(ctx, "c1")); err != nil {
		return err
	}
	until, err = f.Store.Revocation(ctx, aliceHolder)
	other, err2 := f.Store.Revocation(ctx, "u~bob")
	return errors.Join(err, err2, same("revoked", until, minute(9)),
		same("revocation of another user", other.IsZero(), true))
}

func principalConditional(ctx context.Context, f Fixture) error {
	prev := connection("c1").Principal
	next := prev
	next.Expires = minute(0)
	if err := isKind("no such connection", f.Store.ReplacePrincipal(ctx, "c1", prev, next), hub.ErrGone); err != nil {
		return err
	}
	if err := connect(ctx, f, "c1", sku("A")); err != nil {
		return err
	}
	for _, other := range []hub.Principal{
		next,
		{User: prev.User, Role: hub.RoleAdmin, Expires: prev.Expires},
		{User: prev.User, Role: prev.Role, Expires: prev.Expires, Issued: minute(1)},
		{User: prev.User, Role: prev.Role},
		{User: prev.User, Role: prev.Role, Expires: prev.Expires, Vendor: "acme"},
	} {
		if err := isKind(fmt.Sprintf("of %v", other), f.Store.ReplacePrincipal(ctx, "c1", other,
			hub.Principal{User: prev.User}), hub.ErrConflict); err != nil {
			return err
		}
	}
	for range 2 { // the second time, it is done already
		if err := f.Store.ReplacePrincipal(ctx, "c1", prev, next); err != nil {
			return err
		}
	}
	c, err := f.Store.Connection(ctx, "c1")
	topics, err2 := topicsOf(ctx, f, "c1")
	return errors.Join(err, err2, same("principal", c.Principal, next), same("topics", topics, "[sku:A]"),
		wantHeld(ctx, f, aliceHolder, "c1"))
}

func countersCount(ctx context.Context, f Fixture) error {
	const n = 20
	var wg sync.WaitGroup
	counts := make([]int, n)
	failures := make([]error, n)
	for i := range n {
		wg.Go(func() { counts[i], failures[i] = f.Store.Count(ctx, aliceHolder, "a", 1, minute(60)) })
	}
	wg.Wait()
	slices.Sort(counts)
	want := make([]int, n)
	for i := range want {
		want[i] = i + 1
	}
	other, err := f.Store.Count(ctx, aliceHolder, "b", 7, minute(60))
	both, err2 := f.Store.Count(ctx, aliceHolder, "b", 5, minute(60))
	bobs, err3 := f.Store.Count(ctx, "u~bob", "a", 1, minute(60))
	return errors.Join(errors.Join(failures...), err, err2, err3, same("counted", counts, want),
		same("another counter", []int{other, both}, []int{7, 12}), same("another holder's", bobs, 1))
}

func setLimited(ctx context.Context, f Fixture) error {
	for _, step := range []struct {
		holder, set string
		names, want []string
	}{
		{aliceHolder, "a", nil, nil},
		{aliceHolder, "a", []string{"B", "A"}, []string{"B", "A"}},
		{aliceHolder, "a", []string{"B"}, []string{"B"}},
		{aliceHolder, "a", []string{"C", "D"}, []string{"C", "D"}}, // the set had two names
		{aliceHolder, "a", []string{"E"}, nil},
		{aliceHolder, "a", []string{"D", "E", "A"}, []string{"D", "A"}}, // members stay members
		{aliceHolder, "a", []string{"A", "D"}, []string{"A", "D"}},
		{aliceHolder, "b", []string{"E"}, []string{"E"}},
		{"u~bob", "a", []string{"E"}, []string{"E"}},
		{aliceHolder, "a", []string{"E"}, nil}, // the set is still full
	} {
		got, err := f.Store.Collect(ctx, step.holder, step.set, step.names, 3, minute(60))
		if err := errors.Join(err, same(fmt.Sprint("collect ", step.names, " into ", step.set), fmt.Sprint(got),
			fmt.Sprint(step.want))); err != nil {
			return err
		}
	}
	return nil
}
