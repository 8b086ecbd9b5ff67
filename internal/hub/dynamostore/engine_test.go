package dynamostore_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"go.uber.org/goleak"

	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/table"
)

// shared is what all tests use: one engine for the test binary.
var shared struct {
	once      sync.Once
	endpoint  string
	err       error
	stop      func()
	transport *http.Transport
}

// tests runs them, and ends what they share before goroutines are counted.
type tests struct{ m *testing.M }

func (t tests) Run() int {
	shared.transport = http.DefaultTransport.(*http.Transport).Clone()
	shared.transport.MaxIdleConnsPerHost = 50
	code := t.m.Run()
	shared.transport.CloseIdleConnections()
	if shared.stop != nil {
		shared.stop()
	}
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(tests{m}) }

// engine returns the endpoint, and skips the test if there is none.
func engine(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.endpoint, shared.stop, shared.err = dynamotest.Start("../../..", os.Getenv) })
	switch {
	case dynamotest.MaySkip(shared.err, os.Getenv):
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	}
	return shared.endpoint
}

// settings are those of an account if the endpoint is AWS's.
func settings(t testing.TB, endpoint string) aws.Config {
	t.Helper()
	config := aws.Config{
		Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	if isAWS(t, endpoint) {
		var err error
		if config, err = awsconfig.LoadDefaultConfig(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	config.HTTPClient = &http.Client{Transport: shared.transport}
	return config
}

func isAWS(t testing.TB, endpoint string) bool {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasSuffix(u.Hostname(), ".amazonaws.com")
}

// world is an engine with three fresh tables.
type world struct {
	client  *dynamodb.Client
	streams *dynamodbstreams.Client
	options dynamostore.Options
}

func newWorld(t testing.TB) world { return newWorldOf(t, table.Layout{}) }

// newWorldOf is a world of a shop with names of its own.
func newWorldOf(t testing.TB, layout table.Layout) world {
	t.Helper()
	endpoint := engine(t)
	config := settings(t, endpoint)
	streams := endpoint
	if isAWS(t, endpoint) {
		streams = strings.Replace(endpoint, "//dynamodb.", "//streams.dynamodb.", 1)
	}
	prefix := "hubtest-" + rand.Text() + "-"
	w := world{
		client:  dynamodb.NewFromConfig(config, func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint }),
		streams: dynamodbstreams.NewFromConfig(config, func(o *dynamodbstreams.Options) { o.BaseEndpoint = &streams }),
		options: dynamostore.Options{HubTable: prefix + "hub", InventoryTable: prefix + "inventory", CartTable: prefix + "cart", Layout: layout},
	}
	if err := dynamostore.CreateTables(t.Context(), w.client, w.options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, name := range []string{w.options.HubTable, w.options.InventoryTable, w.options.CartTable} {
			if _, err := w.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
				t.Errorf("delete table: %v", err)
			}
		}
	})
	return w
}

// store is a store on the engine, without pauses.
func (w world) store(api dynamostore.API) *dynamostore.Store {
	return dynamostore.NewWith(api, w.options, nil, noPause)
}

func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }
