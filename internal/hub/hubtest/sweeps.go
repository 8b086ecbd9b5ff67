package hubtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/securecart/hub/internal/hub"
)

// oneSweep returns the only sweep of a store.
func oneSweep(ctx context.Context, f Fixture) (hub.Sweep, error) {
	sweeps, err := f.Store.Sweeps(ctx)
	if err != nil || len(sweeps) != 1 {
		return hub.Sweep{}, fmt.Errorf("got sweeps %v, %v, want one", sweeps, err)
	}
	return sweeps[0], nil
}

// wantSweep fails unless the store has one sweep with these texts.
func wantSweep(ctx context.Context, f Fixture, want string) error {
	s, err := oneSweep(ctx, f)
	if err != nil {
		return err
	}
	got := fmt.Sprintf("%s wanted %q rev %q serving %q from %q at %q %t %s",
		s.Topic, s.Wanted, s.Rev, s.Serving, s.From, s.At, s.Wrapped, s.Updated.Format("15:04"))
	return same("sweep", got, want)
}

func sweepRaised(ctx context.Context, f Fixture) error {
	ask := func(sequence, rev string, m int) error {
		return f.Store.AskSweep(ctx, sku("A"), sequence, rev, minute(m))
	}
	err := errors.Join(ask("98", "98", 1), ask("100", "", 2), ask("99", "", 3))
	if err := errors.Join(err, wantSweep(ctx, f,
		`sku:A wanted "100" rev "98" serving "" from "" at "" false `+minute(2).Format("15:04"))); err != nil {
		return err
	}
	err = errors.Join(ask("99", "99", 4), ask("98", "98", 5), ask("100", "", 6))
	return errors.Join(err, wantSweep(ctx, f,
		`sku:A wanted "100" rev "99" serving "" from "" at "" false `+minute(4).Format("15:04")))
}

func sweepsListed(ctx context.Context, f Fixture) error {
	if sweeps, err := f.Store.Sweeps(ctx); err != nil || len(sweeps) > 0 {
		return fmt.Errorf("a new store has sweeps %v, %v", sweeps, err)
	}
	var err error
	for _, name := range []string{"B", "A", "#~=", "C"} {
		err = errors.Join(err, f.Store.AskSweep(ctx, sku(name), "7", "", minute(0)))
	}
	sweeps, listErr := f.Store.Sweeps(ctx)
	var got []string
	for _, s := range sweeps {
		got = append(got, s.Topic.String())
	}
	return errors.Join(err, listErr, same("sweeps", fmt.Sprint(got), "[sku:#~= sku:A sku:B sku:C]"))
}

func sweepSaved(ctx context.Context, f Fixture) error {
	if err := f.Store.AskSweep(ctx, sku("A"), "7", "7", minute(0)); err != nil {
		return err
	}
	before, err := oneSweep(ctx, f)
	if err != nil {
		return err
	}
	next := before
	next.Serving, next.From, next.At, next.Wrapped = "7", "c5", "c2", true
	// What was asked for meanwhile stays, and does not prevent the save.
	err = errors.Join(f.Store.AskSweep(ctx, sku("A"), "9", "", minute(1)), f.Store.SaveSweep(ctx, next, minute(2)))
	if err := errors.Join(err, wantSweep(ctx, f,
		`sku:A wanted "9" rev "7" serving "7" from "c5" at "c2" true `+minute(2).Format("15:04"))); err != nil {
		return err
	}
	if err := isKind("save an earlier step", f.Store.SaveSweep(ctx, next, minute(3)), hub.ErrConflict); err != nil {
		return err
	}
	after, err := oneSweep(ctx, f)
	if err := errors.Join(err, same("step of a new sweep", before.Step, minute(0).UnixMilli()),
		same("step", after.Step, minute(2).UnixMilli())); err != nil {
		return err
	}
	after.From, after.At, after.Wrapped = "", "", false
	err = f.Store.SaveSweep(ctx, after, minute(1)) // by a clock that is behind
	latest, latestErr := oneSweep(ctx, f)
	return errors.Join(err, latestErr, same("step by a clock that is behind", latest.Step, after.Step+1), wantSweep(ctx, f,
		`sku:A wanted "9" rev "7" serving "7" from "" at "" false `+minute(1).Format("15:04")))
}

func sweepRung(ctx context.Context, f Fixture) error {
	if err := errors.Join(f.Store.RingSweep(ctx, sku("A"), minute(0)),
		f.Store.AskSweep(ctx, sku("A"), "7", "7", minute(0))); err != nil {
		return err
	}
	before, err := oneSweep(ctx, f)
	if err != nil {
		return err
	}
	before.Serving, before.From, before.At = "7", "c5", "c2"
	if err := errors.Join(f.Store.RingSweep(ctx, sku("A"), minute(1)), wantSweep(ctx, f,
		`sku:A wanted "7" rev "7" serving "" from "" at "" false `+minute(1).Format("15:04"))); err != nil {
		return err
	}
	// A page that ran meanwhile is saved.
	err = errors.Join(f.Store.SaveSweep(ctx, before, minute(2)), f.Store.RingSweep(ctx, sku("A"), minute(3)))
	return errors.Join(err, wantSweep(ctx, f,
		`sku:A wanted "7" rev "7" serving "7" from "c5" at "c2" false `+minute(3).Format("15:04")))
}

func sweepEnds(ctx context.Context, f Fixture) error {
	s := hub.Sweep{Topic: sku("A")}
	err := errors.Join(f.Store.EndSweep(ctx, s), f.Store.AskSweep(ctx, sku("A"), "7", "", minute(0)))
	if err == nil {
		s, err = oneSweep(ctx, f)
	}
	if err != nil {
		return err
	}
	if err := isKind("end before it serves what is wanted", f.Store.EndSweep(ctx, s), hub.ErrConflict); err != nil {
		return err
	}
	s.Serving = "7"
	stale := s
	if err := f.Store.SaveSweep(ctx, s, minute(1)); err != nil {
		return err
	}
	if s, err = oneSweep(ctx, f); err != nil {
		return err
	}
	if err := f.Store.AskSweep(ctx, sku("A"), "8", "", minute(1)); err != nil {
		return err
	}
	if err := isKind("end although a newer change is wanted", f.Store.EndSweep(ctx, s), hub.ErrConflict); err != nil {
		return err
	}
	s.Serving, stale.Serving = "8", "8"
	if err := isKind("end at an earlier step", f.Store.EndSweep(ctx, stale), hub.ErrConflict); err != nil {
		return err
	}
	if _, err := oneSweep(ctx, f); err != nil {
		return err
	}
	err = errors.Join(f.Store.EndSweep(ctx, s), f.Store.EndSweep(ctx, s))
	if sweeps, listErr := f.Store.Sweeps(ctx); listErr != nil || len(sweeps) > 0 {
		return fmt.Errorf("after the end there are %v, %v", sweeps, listErr)
	}
	return errors.Join(err, isKind("save what has ended", f.Store.SaveSweep(ctx, s, minute(2)), hub.ErrConflict))
}

// exactConnection returns a connection of a vendor.
func exactConnection(id string) hub.Connection {
	c := connection(id)
	c.Principal.Role, c.Principal.Vendor = hub.RoleVendor, "acme"
	return c
}

// wantLists fails unless the subscribers of a topic are in these lists.
func wantLists(ctx context.Context, f Fixture, t hub.Topic, exact, others string) error {
	var ids []string
	for after, more := "", true; more; more = after != "" {
		page, next, err := f.Store.ExactSubscribers(ctx, t, after, 2)
		if err != nil {
			return err
		}
		if len(page) > 2 {
			return fmt.Errorf("got a page of %d, limit 2", len(page))
		}
		for _, s := range page {
			ids = append(ids, s.ConnectionID)
		}
		after = next
	}
	rest, err := subscriberIDs(ctx, f, t, 2)
	return errors.Join(err, same("exact subscribers of "+t.String(), fmt.Sprint(ids), exact),
		same("other subscribers", fmt.Sprint(rest), others))
}

func exactListed(ctx context.Context, f Fixture) error {
	cart, list := hub.Topic{Kind: hub.KindCart, Name: "u~v"}, hub.Topic{Kind: hub.KindVendor, Name: "acme"}
	for _, c := range []hub.Connection{
		exactConnection("v1"), connection("c1"), exactConnection("v2"), exactConnection("v3"), connection("z1"),
	} {
		err := errors.Join(f.Store.PutConnection(ctx, c),
			errOf(f.Store.Subscribe(ctx, c, []hub.Topic{sku("A"), cart, list})))
		if err != nil {
			return err
		}
	}
	return errors.Join(
		wantLists(ctx, f, sku("A"), "[v1 v2 v3]", "[c1 z1]"),
		wantLists(ctx, f, cart, "[]", "[c1 v1 v2 v3 z1]"), wantLists(ctx, f, list, "[]", "[c1 v1 v2 v3 z1]"),
		errOf(f.Store.Unsubscribe(ctx, "v1", []hub.Topic{sku("A")})), f.Store.Forget(ctx, "v2"),
		f.Store.EndConnection(ctx, "v3", minute(1), 0),
		wantLists(ctx, f, sku("A"), "[]", "[c1 z1]"))
}

func exactMoves(ctx context.Context, f Fixture) error {
	guest, vendor := connection("c1"), exactConnection("c1")
	subscribe := func(c hub.Connection) error {
		err := f.Store.PutConnection(ctx, c)
		c, err2 := f.Store.Connection(ctx, c.ID)
		return errors.Join(err, err2, errOf(f.Store.Subscribe(ctx, c, []hub.Topic{sku("A")})))
	}
	if err := errors.Join(subscribe(guest), wantLists(ctx, f, sku("A"), "[]", "[c1]"),
		subscribe(vendor), wantLists(ctx, f, sku("A"), "[c1]", "[]"),
		subscribe(guest), wantLists(ctx, f, sku("A"), "[c1]", "[]")); err != nil {
		return err
	}
	page, _, err := f.Store.ExactSubscribers(ctx, sku("A"), "", 1)
	if err != nil || len(page) != 1 {
		return fmt.Errorf("got subscribers %v, %v, want one", page, err)
	}
	return errors.Join(same("principal", page[0].Principal, guest.Subscriber(sku("A")).Principal),
		errOf(f.Store.Unsubscribe(ctx, "c1", []hub.Topic{sku("A")})), wantLists(ctx, f, sku("A"), "[]", "[]"),
		subscribe(guest), f.Store.Forget(ctx, "c1"), wantLists(ctx, f, sku("A"), "[]", "[]"))
}
