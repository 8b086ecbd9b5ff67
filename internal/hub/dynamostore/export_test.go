package dynamostore

import (
	"context"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// Attempts is how often a request is sent.
const Attempts = attempts

// MaxPause is the longest time that one request may wait between its attempts.
const MaxPause = firstPause << (attempts - 1)

// NewWith is New with other randomness and pauses; nil selects those of New.
func NewWith(client API, o Options, random func() uint64, wait func(context.Context, time.Duration) error) *Store {
	s := New(client, o)
	if random != nil {
		s.random = random
	}
	if wait != nil {
		s.wait = wait
	}
	return s
}

// ItemImage returns an item as PutItem writes it.
func ItemImage(i hub.Item) table.Row {
	r := itemRow(i)
	r[table.AttrSKU] = text(i.SKU)
	return imageOf(present(r))
}

// CartImage returns a cart as PutCarts writes it.
func CartImage(c hub.Cart) table.Row {
	r := cartRow(c, nil)
	r[table.AttrCart] = text(c.ID)
	return imageOf(present(r))
}
