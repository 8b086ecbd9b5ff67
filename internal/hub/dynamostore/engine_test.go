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

// shared has what all tests share: one engine for the test binary.
var shared struct {
	once      sync.Once
	endpoint  string
	err       error
	stop      func()
	transport *http.Transport
}

// testRunner runs the tests, and stops what they share before goleak counts
// goroutines.
type testRunner struct{ m *testing.M }

// Run implements goleak.TestingM.
func (t testRunner) Run() int {
	shared.transport = http.DefaultTransport.(*http.Transport).Clone()
	shared.transport.MaxIdleConnsPerHost = 50
	code := t.m.Run()
	shared.transport.CloseIdleConnections()
	if shared.stop != nil {
		shared.stop()
	}
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(testRunner{m}) }

// engine returns the endpoint of the engine, and skips the test if there is none.
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

// settings returns the configuration of an account if the endpoint belongs to AWS.
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

// testDB is an engine with fresh tables.
type testDB struct {
	client  *dynamodb.Client
	streams *dynamodbstreams.Client
	options dynamostore.Options
}

func newTestDB(t testing.TB) testDB { return newTestDBWithLayout(t, table.Layout{}) }

// newTestDBWithLayout returns a testDB with the attribute names of a shop.
func newTestDBWithLayout(t testing.TB, layout table.Layout) testDB {
	t.Helper()
	db := connect(t, engine(t), layout)
	db.createTables(t)
	return db
}

// connect returns a testDB at an endpoint, without tables.
func connect(t testing.TB, endpoint string, layout table.Layout) testDB {
	t.Helper()
	config := settings(t, endpoint)
	streams := endpoint
	if isAWS(t, endpoint) {
		streams = strings.Replace(endpoint, "//dynamodb.", "//streams.dynamodb.", 1)
	}
	prefix := "hubtest-" + rand.Text() + "-"
	return testDB{
		client:  dynamodb.NewFromConfig(config, func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint }),
		streams: dynamodbstreams.NewFromConfig(config, func(o *dynamodbstreams.Options) { o.BaseEndpoint = &streams }),
		options: dynamostore.Options{HubTable: prefix + "hub", InventoryTable: prefix + "inventory",
			CartTable: prefix + "cart", SweepTable: prefix + "sweeps", Layout: layout},
	}
}

// createTables creates the tables, and deletes them after the test.
func (db testDB) createTables(t testing.TB) {
	t.Helper()
	if err := dynamostore.CreateTables(t.Context(), db.client, db.options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, name := range []string{
			db.options.HubTable, db.options.InventoryTable, db.options.CartTable, db.options.SweepTable,
		} {
			if _, err := db.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
				t.Errorf("delete table: %v", err)
			}
		}
	})
}

// store returns a store on api, without pauses.
func (db testDB) store(api dynamostore.API) *dynamostore.Store {
	return dynamostore.NewWith(api, db.options, nil, noPause)
}

func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// errOf returns the error of a call.
func errOf[T any](_ T, err error) error { return err }
