package hubtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/securecart/hub/internal/hub"
)

func ticket(hash string, p hub.Principal) hub.Ticket {
	return hub.Ticket{Hash: hash, Principal: p, Expires: minute(1)}
}

func ticketRoundTrip(ctx context.Context, f Fixture) error {
	vendor := ticket("h1", hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: "acme", Expires: minute(60)})
	guest := ticket("h2", hub.Principal{User: "guest:1", Role: hub.RoleGuest})
	if err := errors.Join(f.Store.PutTicket(ctx, vendor), f.Store.PutTicket(ctx, guest)); err != nil {
		return err
	}
	for _, want := range []hub.Ticket{vendor, guest} {
		got, err := f.Store.TakeTicket(ctx, want.Hash)
		if err := errors.Join(err, same("ticket", got, want)); err != nil {
			return err
		}
	}
	_, err := f.Store.TakeTicket(ctx, "h3")
	return isKind("unknown ticket", err, hub.ErrGone)
}

// ticketOnce takes a ticket 100 times concurrently, and once later.
func ticketOnce(ctx context.Context, f Fixture) error {
	want := ticket("h1", hub.Principal{User: "ann", Role: hub.RoleCustomer, Expires: minute(60)})
	if err := f.Store.PutTicket(ctx, want); err != nil {
		return err
	}
	const takers = 100
	results := make(chan error, takers)
	var takes sync.WaitGroup
	for range takers {
		takes.Go(func() {
			got, err := f.Store.TakeTicket(ctx, want.Hash)
			if err == nil {
				err = same("ticket", got, want)
			}
			results <- err
		})
	}
	takes.Wait()
	close(results)
	taken := 0
	for err := range results {
		switch {
		case err == nil:
			taken++
		case !errors.Is(err, hub.ErrGone):
			return err
		}
	}
	if taken != 1 {
		return fmt.Errorf("%d of %d concurrent calls got the ticket, want 1", taken, takers)
	}
	_, err := f.Store.TakeTicket(ctx, want.Hash)
	return isKind("ticket that was taken", err, hub.ErrGone)
}
