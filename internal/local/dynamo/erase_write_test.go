package dynamo_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/house"
)

// interruptedTables are tables in which something happens just before the first write of
// a cart.
type interruptedTables struct {
	*dynamo.Tables
	before func()
	once   sync.Once
	result chan error // of that write
}

func (i *interruptedTables) PutCarts(
	ctx context.Context, carts []hub.CartWrite, receipt *hub.Receipt, sessions ...hub.Session,
) error {
	first := false
	i.once.Do(func() {
		first = true
		i.before()
	})
	err := i.Tables.PutCarts(ctx, carts, receipt, sessions...)
	if first {
		i.result <- err
	}
	return err
}

// TestErasedDuringAWrite erases a user whose first write has looked at its session and
// has not written yet, with the handlers in this process: the tables must refuse it.
func TestErasedDuringAWrite(t *testing.T) {
	for name, message := range map[string]string{
		"without a key": "add mark-sku 1",
		"with a key":    "add mark-sku 1 key=mark-key",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			i := &interruptedTables{result: make(chan error, 1)}
			e := eraseTest{t: t, guest: hub.GuestUserPrefix + "nobody"}
			e.testHouse = openHouseOn(t, house.Options{}, func(tables *dynamo.Tables) house.Tables {
				i.Tables = tables
				return i
			})
			i.before = func() { e.erase("/v1/users/", "mark-alice") }
			e.setStock(ctx, "mark-sku", 5)
			c := e.connect(ctx, "mark-alice", []string{"mark-sku"})
			if err := c.conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
				t.Fatal(err)
			}
			if err := <-i.result; !errors.Is(err, hub.ErrConflict) {
				t.Errorf("the write of an erased user: got %v, want ErrConflict", err)
			}
			for range c.answers { // until the connection has ended
			}
			if err := e.Close(); err != nil { // waits for what is under way
				t.Error(err)
			}
			rows := e.text(e.scan(ctx, e.names.CartTable)) + e.text(e.scan(ctx, e.names.HubTable))
			for _, name := range []string{"mark-alice", "mark-key", "mark-sku"} {
				if strings.Contains(rows, name) {
					t.Errorf("the tables have %s: %s", name, rows)
				}
			}
		})
	}
}
