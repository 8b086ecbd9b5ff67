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

// Options of Tables.
type Options struct {
	// Endpoint is the URL of an engine on this machine. "" is DynamoDB in AWS, with
	// the region and the credentials of the environment.
	Endpoint string

	Names  dynamostore.Options
	Create bool // the tables that are not there

	Log *slog.Logger
}

// What an engine on this machine is told if the environment names neither a region
// nor credentials. Some engines keep other tables for other ones.
const (
	localRegion     = "eu-central-1"
	localCredential = "local"
)

// idleConnections is how many connections to the endpoint are kept: more than are
// used at once.
const idleConnections = 64

// Tables are the hub's three tables and the streams of two of them.
type Tables struct {
	*dynamostore.Store

	// Fixed after construction.
	opts      Options
	cfg       aws.Config
	transport *http.Transport
	client    *dynamodb.Client
	streams   *dynamodbstreams.Client

	// Set by Start.
	followed map[string]string // the stream of a table, by the table's name
	sources  []*streams.Source
}

// Open returns the Tables, checked, or made if that is asked for. An error that is
// dynamostore.ErrNoTable says that a table is not there.
func Open(ctx context.Context, o Options) (*Tables, error) {
	cfg, err := load(ctx, o.Endpoint)
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
	return t, nil
}

func load(ctx context.Context, endpoint string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Config{}, fmt.Errorf("dynamodb: %w", err)
	}
	if endpoint == "" {
		if cfg.Region == "" {
			return aws.Config{}, errors.New("dynamodb: no region; AWS_REGION names one")
		}
		return cfg, nil
	}
	cfg.BaseEndpoint = &endpoint
	cfg.Region = cmp.Or(cfg.Region, localRegion)
	// Nobody looks for the credentials of a machine in AWS on the way to an engine
	// on a desk.
	env, err := config.NewEnvConfig()
	if err != nil {
		return aws.Config{}, fmt.Errorf("dynamodb: %w", err)
	}
	if !env.Credentials.HasKeys() && env.SharedConfigProfile == "" {
		cfg.Credentials = credentials.NewStaticCredentialsProvider(localCredential, localCredential, "")
	}
	return cfg, nil
}

// Close closes the connections to the endpoint.
func (t *Tables) Close() { t.transport.CloseIdleConnections() }

// Start finds the ends of both streams. Each change committed after it returned is
// handed on.
func (t *Tables) Start(ctx context.Context, inventory, carts func(esm.Record)) error {
	t.followed = map[string]string{}
	for _, s := range []struct {
		table string
		put   func(esm.Record)
	}{{t.opts.Names.InventoryTable, inventory}, {t.opts.Names.CartTable, carts}} {
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
		t.followed[s.table] = arn
		t.sources = append(t.sources, source)
	}
	return nil
}

// Check is an error if a table is not there (dynamostore.ErrNoTable), or has another
// stream than the one that is followed, as after an engine that keeps nothing was
// started again. The old stream of a table that was made again may still be read.
func (t *Tables) Check(ctx context.Context) error {
	if err := dynamostore.CheckTables(ctx, t.client, t.opts.Names); err != nil {
		return err
	}
	for table, followed := range t.followed {
		arn, err := t.streamOf(ctx, table)
		if err != nil {
			return err
		}
		if arn != followed {
			return fmt.Errorf("table %s was made again: its stream is %s now", table, arn)
		}
	}
	return nil
}

// streamOf is the ARN of a table's stream.
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
	for _, s := range t.sources {
		running.Go(func() { _ = s.Run(ctx) }) // it returns when ctx ends
	}
	running.Wait()
	return ctx.Err()
}

// Env is what a function that is a process has to be told to reach the tables of
// an engine on this machine.
func (t *Tables) Env() []string {
	keys, err := t.cfg.Credentials.Retrieve(context.Background())
	if err != nil {
		t.opts.Log.Error("credentials", "error", err) // the functions will say so too
	}
	return []string{
		"AWS_REGION=" + t.cfg.Region, "AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey, "AWS_SESSION_TOKEN=" + keys.SessionToken,
		"AWS_ENDPOINT_URL_DYNAMODB=" + t.opts.Endpoint,
		"HUB_TABLE=" + t.opts.Names.HubTable, "INVENTORY_TABLE=" + t.opts.Names.InventoryTable, "CART_TABLE=" + t.opts.Names.CartTable,
		"INVENTORY_ATTRIBUTES=" + t.opts.Names.Layout.Inventory.String(), "CART_ATTRIBUTES=" + t.opts.Names.Layout.Cart.String(),
	}
}
