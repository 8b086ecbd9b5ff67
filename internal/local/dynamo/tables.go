package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/streams"
)

// Options are the settings of [Tables].
type Options struct {
	// Endpoint is the URL of an engine on this machine. Empty means DynamoDB in AWS,
	// with the region and the credentials of the environment.
	Endpoint string

	Names  dynamostore.Options
	Create bool // create missing tables

	Log *slog.Logger
}

// The region and the key for an engine on this machine if the environment has none.
// Some engines keep separate tables for each region and key.
const (
	localRegion     = "eu-central-1"
	localCredential = "local"
)

// idleConnections is how many idle connections to the endpoint are kept: more than
// are in use at once.
const idleConnections = 64

// Tables are the hub's tables and the streams of three of them.
type Tables struct {
	*dynamostore.Store

	// Fixed after construction.
	opts      Options
	cfg       aws.Config
	transport *http.Transport
	client    *dynamodb.Client
	streams   *dynamodbstreams.Client

	// Set by Start.
	followed []followedTable
}

// followedTable is a table whose stream is read.
type followedTable struct {
	name      string
	streamARN string
	source    *streams.Source
}

// Open returns Tables after it has checked or created them. The error wraps
// dynamostore.ErrNoTable if a table is missing.
func Open(ctx context.Context, o Options) (*Tables, error) {
	cfg, err := loadConfig(ctx, o.Endpoint)
	if err != nil {
		return nil, err
	}
	t := &Tables{opts: o, cfg: cfg, transport: http.DefaultTransport.(*http.Transport).Clone()}
	t.transport.MaxIdleConnsPerHost = idleConnections
	cfg.HTTPClient = &http.Client{Transport: t.transport}
	t.client = dynamodb.NewFromConfig(cfg)
	t.streams = dynamodbstreams.NewFromConfig(cfg)
	names := o.Names
	names.Log = o.Log
	t.Store = dynamostore.New(t.client, names)
	prepare := dynamostore.CheckTables
	if o.Create {
		prepare = dynamostore.CreateTables
	}
	if err := prepare(ctx, t.client, o.Names); err != nil {
		t.Close()
		return nil, fmt.Errorf("dynamodb %s: %w", cmp.Or(o.Endpoint, cfg.Region), err)
	}
	t.checkRows(ctx)
	return t, nil
}

// checkRows warns if no row of the inventory has an attribute that the hub needs.
func (t *Tables) checkRows(ctx context.Context) {
	problems, err := dynamostore.CheckRows(ctx, t.client, t.opts.Names)
	if err != nil {
		t.opts.Log.Warn("rows not checked", "error", err) // the credentials may not allow a scan
	}
	for _, problem := range problems {
		t.opts.Log.Warn("attribute missing", "table", t.opts.Names.InventoryTable, "error", problem)
	}
}

func loadConfig(ctx context.Context, endpoint string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Config{}, fmt.Errorf("dynamodb: %w", err)
	}
	if endpoint == "" {
		if cfg.Region == "" {
			return aws.Config{}, errors.New("dynamodb: no region; set AWS_REGION")
		}
		return cfg, nil
	}
	cfg.BaseEndpoint = &endpoint
	cfg.Region = cmp.Or(cfg.Region, localRegion)
	// For a local engine, do not ask the metadata service of EC2 for credentials.
	env, err := config.NewEnvConfig()
	if err != nil {
		return aws.Config{}, fmt.Errorf("dynamodb: %w", err)
	}
	if !env.Credentials.HasKeys() && env.SharedConfigProfile == "" {
		cfg.Credentials = credentials.NewStaticCredentialsProvider(localCredential, localCredential, "")
	}
	return cfg, nil
}

// Close closes the idle connections to the endpoint.
func (t *Tables) Close() { t.transport.CloseIdleConnections() }

// Start finds the ends of the streams. Run passes on every change that is committed
// after Start has returned. There are no sweeps without a table of them.
func (t *Tables) Start(ctx context.Context, inventory, carts, sweeps func(esm.Record)) error {
	t.followed = nil
	for _, s := range []struct {
		table string
		put   func(esm.Record)
	}{{t.opts.Names.InventoryTable, inventory}, {t.opts.Names.CartTable, carts}, {t.opts.Names.SweepTable, sweeps}} {
		if s.table == "" {
			continue
		}
		arn, err := t.streamOf(ctx, s.table)
		if err != nil {
			return err
		}
		source := streams.New(t.streams, arn, t.cfg.Region, func(r streams.Record) {
			s.put(esm.Record{Key: r.Key, SequenceNumber: r.SequenceNumber, Data: r.Data})
		}, t.opts.Log)
		if err := source.Start(ctx); err != nil {
			return fmt.Errorf("stream of %s: %w", s.table, err)
		}
		t.followed = append(t.followed, followedTable{s.table, arn, source})
	}
	return nil
}

// Check returns an error if a table is missing (dynamostore.ErrNoTable), or if its
// stream is not the one that Start found. That happens when an engine that stores
// nothing on disk is started again; the old stream may still be readable.
func (t *Tables) Check(ctx context.Context) error {
	if err := dynamostore.CheckTables(ctx, t.client, t.opts.Names); err != nil {
		return err
	}
	for _, table := range t.followed {
		arn, err := t.streamOf(ctx, table.name)
		if err != nil {
			return err
		}
		if arn != table.streamARN {
			return fmt.Errorf("table %s was created again: its stream is now %s", table.name, arn)
		}
	}
	return nil
}

// streamOf returns the ARN of a table's stream.
func (t *Tables) streamOf(ctx context.Context, table string) (string, error) {
	out, err := t.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return "", fmt.Errorf("stream of %s: %w", table, err)
	}
	return aws.ToString(out.Table.LatestStreamArn), nil
}

// Run reads the streams until ctx ends.
func (t *Tables) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, table := range t.followed {
		running.Go(func() { _ = table.source.Run(ctx) }) // returns when ctx ends
	}
	running.Wait()
	return ctx.Err()
}

// Env returns the environment variables with which a function that runs as a
// process reaches the tables of an engine on this machine.
func (t *Tables) Env() []string {
	keys, err := t.cfg.Credentials.Retrieve(context.Background())
	if err != nil {
		t.opts.Log.Error("credentials", "error", err) // the functions will report it too
	}
	names := t.opts.Names
	return []string{
		"AWS_REGION=" + t.cfg.Region,
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + keys.SessionToken,
		"AWS_ENDPOINT_URL_DYNAMODB=" + t.opts.Endpoint,
		"HUB_TABLE=" + names.HubTable,
		"INVENTORY_TABLE=" + names.InventoryTable,
		"CART_TABLE=" + names.CartTable,
		"SWEEP_TABLE=" + names.SweepTable,
		"INVENTORY_ATTRIBUTES=" + names.Layout.Inventory.String(),
		"CART_ATTRIBUTES=" + names.Layout.Cart.String(),
	}
}
