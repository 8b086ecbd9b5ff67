//go:build dynamodb

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/securecart/hub/internal/dynamolocal"
	"github.com/securecart/hub/internal/dynamostore"
	"github.com/securecart/hub/internal/local"
)

// open opens the tables; nil if there are none.
func (d *dynamodb) open(ctx context.Context, log *slog.Logger, _ io.Writer) (local.Tables, error) {
	if d.endpoint == "" {
		return nil, nil
	}
	o := dynamolocal.Options{
		Endpoint: d.endpoint,
		Names:    dynamostore.Options{HubTable: d.hub, InventoryTable: d.inventory, CartTable: d.carts, Layout: d.layout},
		Create:   d.create, Log: log,
	}
	if o.Endpoint == inAWS {
		o.Endpoint = ""
	}
	tables, err := dynamolocal.Open(ctx, o)
	if errors.Is(err, dynamostore.ErrNoTable) {
		return nil, fmt.Errorf("%w; -create-tables makes it", err)
	}
	return tables, err
}
