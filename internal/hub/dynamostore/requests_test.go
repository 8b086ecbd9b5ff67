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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

var update = flag.Bool("update", false, "rewrite the golden requests; read the diff")

// request is a request on the wire.
type request struct {
	Operation string `json:"operation"`
	Body      any    `json:"body"`
}

// httpRecorder is the HTTP client of an SDK client. It records requests and returns
// the given answers, and "{}" after the last.
type httpRecorder struct {
	t       *testing.T
	sent    []request
	answers []string
	status  int // of all answers; 0 means 200
}

func (w *httpRecorder) client() *dynamodb.Client {
	return dynamodb.NewFromConfig(aws.Config{Region: "us-east-1", HTTPClient: w}, func(o *dynamodb.Options) {
		o.Credentials = aws.AnonymousCredentials{}
	})
}

// Do implements the SDK's HTTPClient.
func (w *httpRecorder) Do(r *http.Request) (*http.Response, error) {
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
		StatusCode: cmp.Or(w.status, http.StatusOK), Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:   io.NopCloser(strings.NewReader(answer)),
	}, nil
}

func parse(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return v
}

// TestRequests compares the requests of each method with a golden file, as JSON
// values.
func TestRequests(t *testing.T) {
	for name, tt := range requestCases {
		t.Run(name, func(t *testing.T) {
			recorder := &httpRecorder{t: t, sent: []request{}, answers: tt.answers}
			n := uint64(0)
			random := func() uint64 { n++; return n << 44 }
			if err := tt.run(t.Context(), dynamostore.NewWith(recorder.client(), tables, random, nil)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "requests", name+".json")
			if *update {
				rewrite(t, file, recorder.sent)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, []byte(show(recorder.sent)))
			if want := parse(t, data); !reflect.DeepEqual(got, want) {
				t.Errorf("requests\n got %s\nwant %s", show(got), show(want))
			}
			for _, r := range recorder.sent {
				wantStrongRead(t, r)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "requests", "*.json"))
	if err != nil || len(files) != len(requestCases) {
		t.Errorf("%d golden files, %v, want one for each case", len(files), err)
	}
}

// TestErrorsOnTheWire checks errors as DynamoDB writes them. The SDK parses them and
// does not retry.
func TestErrorsOnTheWire(t *testing.T) {
	body := func(kind, fields string) string { return `{"__type":"com.amazon` + kind + `",` + fields + `}` }
	dynamo := func(kind, fields string) string { return body("aws.dynamodb.v20120810#"+kind, fields) }
	cancelled := func(reasons string) string {
		return dynamo("TransactionCanceledException",
			`"Message":"Transaction cancelled","CancellationReasons":[`+reasons+`]`)
	}
	for name, tt := range map[string]struct {
		status int
		body   string
		want   error // nil: no kind of package hub
		sent   int
	}{
		"condition": {
			400, dynamo("ConditionalCheckFailedException", `"message":"The conditional request failed"`),
			hub.ErrConflict, 1,
		},
		"throughput": {
			400, dynamo("ProvisionedThroughputExceededException",
				`"message":"The level of configured provisioned throughput for the table was exceeded."`),
			hub.ErrThrottled, dynamostore.Attempts,
		},
		"throttled": {
			400, body(".coral.availability#ThrottlingException",
				`"message":"Rate of requests exceeds the allowed throughput."`),
			hub.ErrThrottled, dynamostore.Attempts,
		},
		"transaction": {
			400, cancelled(`{"Code":"None"},` +
				`{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"}`),
			hub.ErrConflict, 1,
		},
		"transaction conflict": {
			400, cancelled(`{"Code":"TransactionConflict"},{"Code":"None"}`),
			hub.ErrConflict, dynamostore.Attempts,
		},
		"write met a transaction": {
			400, dynamo("TransactionConflictException", `"message":"Transaction is ongoing for the item"`),
			hub.ErrConflict, dynamostore.Attempts,
		},
		"internal": {
			500, dynamo("InternalServerError", `"message":"Internal server error"`),
			nil, dynamostore.Attempts,
		},
		"unavailable": {503, ``, nil, dynamostore.Attempts},
		"validation": {
			400, body(".coral.validate#ValidationException", `"message":"One or more parameter values were invalid"`),
			nil, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := &httpRecorder{t: t, answers: slices.Repeat([]string{tt.body}, dynamostore.Attempts), status: tt.status}
			err := dynamostore.NewWith(recorder.client(), tables, nil, noPause).PutCarts(t.Context(), []hub.CartWrite{testCart},
				&testReceipt)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && hasKind(err) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			if len(recorder.sent) != tt.sent {
				t.Errorf("sent %d requests, want %d", len(recorder.sent), tt.sent)
			}
		})
	}
}

// wantStrongRead fails if a request uses an index or a scan, or if its read is not
// strongly consistent.
func wantStrongRead(t *testing.T, r request) {
	t.Helper()
	body, _ := r.Body.(map[string]any)
	if body["IndexName"] != nil {
		t.Errorf("%s uses an index", r.Operation)
	}
	switch r.Operation {
	case "GetItem", "Query":
		if body["Select"] == "COUNT" { // of subscribers, which decides only what an end costs
			return
		}
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
		t.Errorf("%s is sent, want no such request", r.Operation)
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
