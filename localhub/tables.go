//go:build dynamodb

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/house"
)

// open opens the tables; nil if rows stay in memory.
func (d *dynamodb) open(ctx context.Context, _ []string, log *slog.Logger) (house.Tables, error) {
	if d.endpoint == "" {
		return nil, nil
	}
	sweeps := "" // in this process
	if d.lambda {
		sweeps = d.hub + "-sweeps"
	}
	o := dynamo.Options{
		Endpoint: d.endpoint,
		Names: dynamostore.Options{
			HubTable: d.hub, InventoryTable: d.inventory, CartTable: d.carts, SweepTable: sweeps, Layout: d.layout,
		},
		Create: d.create, Log: log,
	}
	if o.Endpoint == inAWS {
		o.Endpoint = ""
	}
	tables, err := dynamo.Open(ctx, o)
	if errors.Is(err, dynamostore.ErrNoTable) {
		return nil, fmt.Errorf("%w; -create-tables creates it", err)
	}
	return tables, err
}
