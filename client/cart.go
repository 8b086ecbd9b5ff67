package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"

	"github.com/securecart/hub/internal/wire"
)

// Add adds pieces to a line of the cart, from -999 to 999 and not 0. A negative n takes
// pieces away, but never more than there are.
func (c *Client) Add(ctx context.Context, sku string, n int) (Result, error) {
	return c.change(ctx, wire.Request{Action: wire.ActionAdd, SKU: sku, Quantity: n})
}

// Set sets the quantities of lines; 0 removes a line. basis is the cart that somebody saw
// when they decided: it is a [CodeConflict] if one of the lines has changed since. nil:
// whatever the cart is.
func (c *Client) Set(ctx context.Context, lines map[string]int, basis *Cart) (Result, error) {
	req := based(wire.Request{Action: wire.ActionSet, Lines: []wire.LineChange{}}, basis)
	for _, sku := range slices.Sorted(maps.Keys(lines)) {
		req.Lines = append(req.Lines, wire.LineChange{SKU: sku, Quantity: lines[sku]})
	}
	return c.change(ctx, req)
}

// Merge moves the cart of a guest into this one, and empties it. guest is the guest's token.
func (c *Client) Merge(ctx context.Context, guest string, p Policy) (Result, error) {
	return c.change(ctx, wire.Request{Action: wire.ActionMerge, From: guest, Policy: wire.Policy(p)})
}

// Checkout orders the cart: [Result.Ordered] is what it had, and the cart is empty. It is a
// [CodeConflict] if anything has changed since basis, see [Client.Set].
func (c *Client) Checkout(ctx context.Context, basis *Cart) (Result, error) {
	return c.change(ctx, based(wire.Request{Action: wire.ActionCheckout}, basis))
}

// based bases a change on a cart.
func based(req wire.Request, basis *Cart) wire.Request {
	if basis != nil {
		version := basis.Version
		req.Version, req.Epoch = &version, basis.Epoch
	}
	return req
}

// change queues a change and waits for its answer.
func (c *Client) change(ctx context.Context, req wire.Request) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	// These are guarded by mu. They are not the results: the answer to a change that was
	// given up may come at any time.
	var r Result
	var err error
	isDone := false
	ch := &change{req: req, done: func(result Result, e error) { r, err, isDone = result, e, true }}
	c.do(func() {
		if c.e.status == ended {
			return
		}
		c.keys++
		ch.req.Key = fmt.Sprint(c.keyBase, ".", c.keys)
		c.e.push(ch)
	})
	failed := c.wait(ctx, func() bool { return isDone })
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case isDone:
		return r, err
	case ctx.Err() != nil && !c.e.changes.takeBack(ch):
		return Result{}, &Error{Code: CodeUncertain, Message: "the answer has not come yet", cause: failed}
	}
	return Result{}, failed
}

// newKeyBase returns the first part of the keys of a client, which no other client has.
func newKeyBase() string { return "go-" + rand.Text() }
