package hubtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// revokedWriteRefused: carts and receipts are not written with a revoked session.
func revokedWriteRefused(ctx context.Context, f Fixture) error {
	const alice, bob = "hash-of-alice", "hash-of-bob"
	if err := f.Store.Revoke(ctx, alice, minute(5)); err != nil {
		return err
	}
	at := func(name string, issued time.Time) hub.Session { return hub.Session{Revocation: name, Issued: issued} }
	writes := func(name string) ([]hub.CartWrite, *hub.Receipt) {
		return []hub.CartWrite{{Cart: cart("u~"+name, 1, nil)}},
			&hub.Receipt{CartID: "u~" + name, Key: "k", Answer: []byte("1"), At: minute(9)}
	}
	for i, tt := range []struct {
		sessions []hub.Session
		revoked  bool
	}{
		{[]hub.Session{at(alice, minute(4))}, true},
		{[]hub.Session{at(alice, minute(5))}, true},
		{[]hub.Session{at(alice, time.Time{})}, true},
		{[]hub.Session{at(bob, minute(4)), at(alice, minute(4))}, true},
		{[]hub.Session{at(alice, minute(6))}, false},
		{[]hub.Session{at(bob, time.Time{})}, false},
		{nil, false},
	} {
		name := fmt.Sprint("writer", i)
		carts, receipt := writes(name)
		for _, err := range []error{
			f.Store.PutCarts(ctx, nil, receipt, tt.sessions...),
			f.Store.PutCarts(ctx, carts, nil, tt.sessions...),
		} {
			if errors.Is(err, hub.ErrConflict) != tt.revoked || err != nil && !tt.revoked {
				return fmt.Errorf("write with the sessions %v: got %v, want a conflict: %t", tt.sessions, err, tt.revoked)
			}
		}
		stored, err := f.Store.Cart(ctx, "u~"+name)
		_, receiptErr := f.Store.Receipt(ctx, "u~"+name, "k")
		if err := errors.Join(err, same("a cart was written", stored.Version > 0, !tt.revoked),
			same("a receipt was written", receiptErr == nil, !tt.revoked)); err != nil {
			return err
		}
	}
	return nil
}

// eraseUser: what is stored under a user's id goes, and nothing else.
func eraseUser(ctx context.Context, f Fixture) error {
	fill := func(id string) error {
		var err error
		for i := range 30 { // more than one batch
			receipt := hub.Receipt{CartID: id, Key: fmt.Sprint("k", i), Answer: []byte("1"), At: minute(0)}
			_, countErr := f.Store.Count(ctx, id, fmt.Sprint("m~", i), 1, minute(60))
			err = errors.Join(err, countErr, f.Store.PutCarts(ctx, nil, &receipt))
		}
		_, collectErr := f.Store.Collect(ctx, id, "s~1", []string{"A"}, 9, minute(60))
		full := []hub.CartWrite{{Cart: cart(id, 1, map[string]int{"A": 1})}}
		return errors.Join(err, collectErr, f.Store.PutCarts(ctx, full, nil))
	}
	// check returns an error unless all rows of a user are there, or none.
	check := func(id string, there bool) error {
		stored, err := f.Store.Cart(ctx, id)
		err = errors.Join(err, same(id+" has a cart", stored.Version > 0, there))
		for _, key := range []string{"k0", "k29"} {
			_, receiptErr := f.Store.Receipt(ctx, id, key)
			err = errors.Join(err, same(id+" has the receipt "+key, receiptErr == nil, there))
		}
		for _, counter := range []string{"m~0", "m~29"} {
			n, countErr := f.Store.Count(ctx, id, counter, 1, minute(60))
			err = errors.Join(err, countErr, same(id+" has the counter "+counter, n > 1, there))
		}
		members, collectErr := f.Store.Collect(ctx, id, "s~1", []string{"A", "B"}, 1, minute(60))
		return errors.Join(err, collectErr, same(id+" has its set", len(members) == 1, there))
	}
	err := errors.Join(fill(aliceHolder), fill("u~alice2"), f.Store.Revoke(ctx, "hash", minute(1)),
		f.Store.PutConnection(ctx, connection("c1")))
	for range 2 {
		err = errors.Join(err, f.Store.Erase(ctx, aliceHolder))
	}
	until, revocationErr := f.Store.Revocation(ctx, "hash")
	if err := errors.Join(err, revocationErr, same("revoked", until, minute(1)), wantHeld(ctx, f, aliceHolder, "c1"),
		check(aliceHolder, false), check("u~alice2", true)); err != nil {
		return err
	}
	changes, err := f.Changes(ctx)
	if err != nil {
		return err
	}
	last := changes[len(changes)-1]
	if !last.Removed || last.OldCart == nil || last.OldCart.ID != aliceHolder {
		return fmt.Errorf("the last change is %+v, want the removal of the cart", last)
	}
	return nil
}

// releaseConnection: a connection leaves the list of a holder, and no other list.
func releaseConnection(ctx context.Context, f Fixture) error {
	err := errors.Join(f.Store.PutConnection(ctx, connection("c1")), f.Store.PutConnection(ctx, connection("c2")))
	for range 2 {
		err = errors.Join(err, f.Store.Release(ctx, aliceHolder, "c1"), f.Store.Release(ctx, "u~bob", "c2"))
	}
	_, connectionErr := f.Store.Connection(ctx, "c1")
	return errors.Join(err, connectionErr, wantHeld(ctx, f, aliceHolder, "c2"))
}
