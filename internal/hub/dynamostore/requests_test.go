package dynamostore_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

var update = flag.Bool("update", false, "rewrite the golden requests; read the diff")

// request is one as it went over the wire.
type request struct {
	Operation string `json:"operation"`
	Body      any    `json:"body"`
}

// wiretap is the HTTP client of an SDK client: it keeps requests and gives the
// answers of a script, "{}" once that is over.
type wiretap struct {
	t       *testing.T
	sent    []request
	answers []string
	status  int // of all answers, 0: 200
}

func (w *wiretap) client() *dynamodb.Client {
	return dynamodb.NewFromConfig(aws.Config{Region: "us-east-1", HTTPClient: w}, func(o *dynamodb.Options) {
		o.Credentials = aws.AnonymousCredentials{}
	})
}

// Do implements the SDK's HTTPClient.
func (w *wiretap) Do(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.sent = append(w.sent, request{operation, parse(w.t, data)})
	answer := "{}"
	if len(w.answers) > 0 {
		answer, w.answers = w.answers[0], w.answers[1:]
	}
	return &http.Response{
		StatusCode: cmp.Or(w.status, http.StatusOK), Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

func parse(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return v
}

// TestRequests: what goes over the wire, request by request. The golden files are
// compared as JSON values.
func TestRequests(t *testing.T) {
	vendor := connection("L0SM9cOFvHcCIhw=")
	vendor.Principal = hub.Principal{User: "v", Role: hub.RoleVendor, Vendor: "acme"}
	vendor.Protocol, vendor.Notice = "securecart.v1", "token_expired"
	home := connection("c1")
	home.ClientHash = "h"
	mark := hub.RetryMark{ConnectionID: "c1", Since: now, Revision: now.UnixMilli() << 20}
	item := hub.Item{SKU: "TEE", Version: 43, Available: 3, LowAt: 5, Vendor: "acme", UpdatedAt: now}
	gone := item
	gone.Available, gone.Deleted = 0, true
	guest := hub.CartWrite{Cart: hub.Cart{ID: "g~1", Version: 3, Floor: 2, UpdatedAt: now}, Was: 2}
	for name, tt := range map[string]struct {
		answers []string
		run     func(s hub.Store) error
	}{
		"put-connection":        {nil, func(s hub.Store) error { return s.PutConnection(t.Context(), connection("L0SM9cOFvHcCIhw=")) }},
		"put-connection-vendor": {nil, func(s hub.Store) error { return s.PutConnection(t.Context(), vendor) }},
		"put-connection-login":  {[]string{`{}`, `{"Attributes":{"user":{"S":"guest:g1"},"role":{"S":"guest"}}}`}, func(s hub.Store) error { return s.PutConnection(t.Context(), home) }},
		"put-authority": {nil, func(s hub.Store) error {
			is := vendor.Principal
			is.Issued, is.Expires = now, now.Add(time.Hour)
			return s.ReplacePrincipal(t.Context(), "c1", vendor.Principal, is)
		}},
		"owner":      {[]string{`{"Items":[{"pk":{"S":"O#u~ann"},"sk":{"S":"!"},"revoked":{"N":"1"}},{"pk":{"S":"O#u~ann"},"sk":{"S":"c#c1"}}]}`}, func(s hub.Store) error { _, err := s.Holder(t.Context(), "u~ann", "", 100); return err }},
		"owner-next": {nil, func(s hub.Store) error { _, err := s.Holder(t.Context(), "u~ann", "c1", 100); return err }},
		"revoke":     {nil, func(s hub.Store) error { return s.Revoke(t.Context(), "u~ann", now) }},
		"count":      {[]string{`{"Attributes":{"count":{"N":"7"}}}`}, func(s hub.Store) error { _, err := s.Count(t.Context(), "m~c1~1", now); return err }},
		"collect": {nil, func(s hub.Store) error {
			_, err := s.Collect(t.Context(), "s~h~1", []string{"TEE", "MUG", "TEE"}, 500, now)
			return err
		}},
		"connection": {[]string{`{"Item":{"pk":{"S":"C#c1"},"sk":{"S":"!"},"user":{"S":"ann"}}}`}, func(s hub.Store) error {
			_, err := s.Connection(t.Context(), "c1")
			return err
		}},
		"subscribe": {[]string{`{"Item":{"pk":{"S":"C#c1"},"sk":{"S":"!"}}}`}, func(s hub.Store) error {
			return s.Subscribe(t.Context(), connection("c1"), []hub.Topic{{Kind: hub.KindSKU, Name: "TEE"}, {Kind: hub.KindCart, Name: "u~ann"}})
		}},
		"subscribe-after-unsubscribe": {[]string{`{"Item":{"pk":{"S":"C#c1"},"sk":{"S":"!"},"left":{"N":"4"}}}`}, func(s hub.Store) error {
			return s.Subscribe(t.Context(), vendor, []hub.Topic{{Kind: hub.KindVendor, Name: "acme"}})
		}},
		"unsubscribe": {nil, func(s hub.Store) error { return s.Unsubscribe(t.Context(), "c1", topics("A", "B")) }},
		"forget": {[]string{
			`{"Items":[{"pk":{"S":"C#c1"},"sk":{"S":"!"},"user":{"S":"ann"},"address":{"S":"h"},"topics":{"SS":["sku:A"]}},{"pk":{"S":"C#c1"},"sk":{"S":"stale"},"mark":{"N":"1853172529944854528"}}]}`,
			`{}`,
			`{"Attributes":{"pk":{"S":"C#c1"},"sk":{"S":"!"},"user":{"S":"ann"},"address":{"S":"h"},"topics":{"SS":["sku:A","sku:B"]}}}`,
		}, func(s hub.Store) error { return s.Forget(t.Context(), "c1", topics("C")...) }},
		"end-connection": {[]string{
			`{"Items":[{"pk":{"S":"C#c1"},"sk":{"S":"!"},"user":{"S":"ann"},"topics":{"SS":["sku:A"]}}]}`,
			`{}`,
			`{"Attributes":{"pk":{"S":"C#c1"},"sk":{"S":"!"},"user":{"S":"ann"},"address":{"S":"h"},"topics":{"SS":["sku:A","sku:B"]}}}`,
		}, func(s hub.Store) error { return s.EndConnection(t.Context(), "c1", now) }},
		"subscribers": {[]string{
			`{"Items":[{"pk":{"S":"T#sku:TEE#0"},"sk":{"S":"c#c2"}}],"LastEvaluatedKey":{"pk":{"S":"T#sku:TEE#0"},"sk":{"S":"c#c2"}}}`,
			`{"Items":[],"LastEvaluatedKey":{"pk":{"S":"T#sku:TEE#0"},"sk":{"S":"c#c3"}}}`,
		}, func(s hub.Store) error { _, _, err := s.Subscribers(t.Context(), topic, "c1", 1000); return err }},
		"mark-stale": {[]string{`{"Attributes":{"mark":{"N":"1853172529944854528"}}}`}, func(s hub.Store) error {
			return s.MarkForRetry(t.Context(), []hub.Undelivered{{ConnectionID: "c1", Topics: topics("A", "B")}}, now.Add(time.Minute))[0]
		}},
		"stale": {[]string{
			`{"Items":[{"pk":{"S":"S#0"},"sk":{"S":"m#1853172529944854528#c1"}},{"pk":{"S":"S#0"},"sk":{"S":"m#1853172529944854529#c2"}},{"pk":{"S":"S#0"},"sk":{"S":"m#1853172529944854530#c3"}}]}`,
			`{"Responses":{"hub":[{"pk":{"S":"C#c1"},"sk":{"S":"stale"},"mark":{"N":"1853172529944854528"}},{"pk":{"S":"C#c3"},"sk":{"S":"stale"},"mark":{"N":"1853172586800709700"}}]}}`,
		}, func(s hub.Store) error { _, err := s.RetryMarks(t.Context(), 100); return err }},
		"clear-stale": {nil, func(s hub.Store) error { return s.ClearRetryMark(t.Context(), mark) }},
		"epoch": {[]string{`{}`, `{}`, `{"Item":{"epoch":{"S":"e1"}}}`}, func(s hub.Store) error {
			_, err := s.Epoch(t.Context())
			return err
		}},
		"items": {nil, func(s hub.Store) error { _, err := s.Items(t.Context(), []string{"TEE", "MUG", "TEE"}); return err }},
		"vendor-skus": {[]string{`{"Items":[{"sk":{"S":"s#MUG"}},{"sk":{"S":"s#TEE"}}]}`}, func(s hub.Store) error {
			_, _, err := s.VendorSKUs(t.Context(), "acme", "CAP", 200)
			return err
		}},
		"cart":             {nil, func(s hub.Store) error { _, err := s.Cart(t.Context(), "u~ann"); return err }},
		"request":          {[]string{`{"Item":{"answer":{"B":"e30="}}}`}, func(s hub.Store) error { _, err := s.Receipt(t.Context(), "u~ann", "k"); return err }},
		"put-item-new":     {nil, func(s hub.Store) error { return s.PutItem(t.Context(), hub.Item{SKU: "MUG", Version: 1, LowAt: 5}, 0) }},
		"put-item-moved":   {[]string{`{}`, `{"Attributes":{"vendor":{"S":"other"}}}`}, func(s hub.Store) error { return s.PutItem(t.Context(), item, 42) }},
		"put-item-deleted": {[]string{`{"Attributes":{"vendor":{"S":"acme"}}}`}, func(s hub.Store) error { return s.PutItem(t.Context(), gone, 42) }},
		"put-carts-one":    {nil, func(s hub.Store) error { return s.PutCarts(t.Context(), []hub.CartWrite{cart}, nil) }},
		"put-carts-merge":  {nil, func(s hub.Store) error { return s.PutCarts(t.Context(), []hub.CartWrite{cart, guest}, &asked) }},
		"put-ticket": {nil, func(s hub.Store) error {
			return s.PutTicket(t.Context(), hub.Ticket{Hash: "h4sh", Principal: vendor.Principal, Expires: now})
		}},
		"take-ticket": {[]string{`{"Attributes":{"user":{"S":"ann"},"role":{"S":"customer"},"until":{"N":"1767323045678"}}}`}, func(s hub.Store) error {
			_, err := s.TakeTicket(t.Context(), "h4sh")
			return err
		}},
		"put-carts-none": {nil, func(s hub.Store) error { return s.PutCarts(t.Context(), nil, nil) }},
	} {
		t.Run(name, func(t *testing.T) {
			tap := &wiretap{t: t, sent: []request{}, answers: tt.answers}
			n := uint64(0)
			random := func() uint64 { n++; return n << 44 }
			if err := tt.run(dynamostore.NewWith(tap.client(), tables, random, nil)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "requests", name+".json")
			if *update {
				rewrite(t, file, tap.sent)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, []byte(show(tap.sent)))
			if want := parse(t, data); !reflect.DeepEqual(got, want) {
				t.Errorf("requests\n got %s\nwant %s", show(got), show(want))
			}
			for _, r := range tap.sent {
				wantStrong(t, r)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "requests", "*.json"))
	if err != nil || len(files) != 32 {
		t.Errorf("%d golden files, %v, want one for each case", len(files), err)
	}
}

// TestErrorsOnTheWire: errors as DynamoDB writes them, through the SDK, which does
// not retry on its own.
func TestErrorsOnTheWire(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   error // nil: none of the hub's kinds
		sent   int
	}{
		"condition":            {400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}`, hub.ErrConflict, 1},
		"throughput":           {400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"The level of configured provisioned throughput for the table was exceeded."}`, hub.ErrThrottled, dynamostore.Attempts},
		"throttled":            {400, `{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate of requests exceeds the allowed throughput."}`, hub.ErrThrottled, dynamostore.Attempts},
		"transaction":          {400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"}]}`, hub.ErrConflict, 1},
		"transaction conflict": {400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]}`, hub.ErrConflict, dynamostore.Attempts},
		"write met one":        {400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"Transaction is ongoing for the item"}`, hub.ErrConflict, dynamostore.Attempts},
		"internal":             {500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"}`, nil, dynamostore.Attempts},
		"unavailable":          {503, ``, nil, dynamostore.Attempts},
		"validation":           {400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"One or more parameter values were invalid"}`, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			tap := &wiretap{t: t, answers: slices.Repeat([]string{tt.body}, dynamostore.Attempts), status: tt.status}
			err := dynamostore.NewWith(tap.client(), tables, nil, noPause).PutCarts(t.Context(), []hub.CartWrite{cart}, &asked)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && isKind(err) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			if len(tap.sent) != tt.sent {
				t.Errorf("sent %d requests, want %d", len(tap.sent), tt.sent)
			}
		})
	}
}

// wantStrong: no index, no scan, no read that may be behind.
func wantStrong(t *testing.T, r request) {
	t.Helper()
	body, _ := r.Body.(map[string]any)
	if body["IndexName"] != nil {
		t.Errorf("%s uses an index", r.Operation)
	}
	switch r.Operation {
	case "GetItem", "Query":
		if body["ConsistentRead"] != true {
			t.Errorf("%s is not strongly consistent", r.Operation)
		}
	case "BatchGetItem":
		for table, keys := range body["RequestItems"].(map[string]any) {
			if keys.(map[string]any)["ConsistentRead"] != true {
				t.Errorf("%s of %s is not strongly consistent", r.Operation, table)
			}
		}
	case "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems":
	default:
		t.Errorf("%s is sent", r.Operation)
	}
}

func rewrite(t *testing.T, file string, sent []request) {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(sent); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
