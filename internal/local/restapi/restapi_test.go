package restapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/local/restapi"
)

// function is a Lambda function that keeps its event.
type function struct {
	event  events.APIGatewayProxyRequest
	ended  error // of its context
	answer string
	err    error
}

func (f *function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	f.ended = ctx.Err()
	if err := json.Unmarshal(event, &f.event); err != nil {
		return nil, err
	}
	return []byte(f.answer), f.err
}

var _ lambda.Handler = (*function)(nil)

func call(f *function, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	restapi.New(f, restapi.Options{}, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	return w.Result()
}

// TestEvent: the event has the path percent-encoded and all values of a name.
func TestEvent(t *testing.T) {
	f := &function{answer: `{"statusCode":200}`}
	r := httptest.NewRequest("POST", "http://hub.test/v1/stock/A%2FB?sku=A%20B&sku=C", strings.NewReader("body"))
	r.Header.Add("X-Twice", "1")
	r.Header.Add("X-Twice", "2")
	call(f, r)
	e := f.event
	if e.Path != "/v1/stock/A%2FB" || e.RequestContext.Path != "/api/v1/stock/A%2FB" || e.HTTPMethod != "POST" ||
		e.Body != "body" || e.IsBase64Encoded || e.RequestContext.Identity.SourceIP != "192.0.2.1" ||
		e.RequestContext.DomainName != "hub.test" || e.RequestContext.ExtendedRequestID == "" {
		t.Errorf("got %+v", e)
	}
	if got := e.MultiValueQueryStringParameters["sku"]; strings.Join(got, "|") != "A B|C" ||
		e.QueryStringParameters["sku"] != "C" {
		t.Errorf("query: got %v, %v", got, e.QueryStringParameters)
	}
	if got := e.MultiValueHeaders["X-Twice"]; strings.Join(got, "|") != "1|2" || e.Headers["X-Twice"] != "2" ||
		e.Headers["Host"] != "hub.test" {
		t.Errorf("headers: got %v, %v", got, e.Headers)
	}
	call(f, httptest.NewRequest("POST", "/", bytes.NewReader([]byte{0xff})))
	if !f.event.IsBase64Encoded || f.event.Body != base64.StdEncoding.EncodeToString([]byte{0xff}) {
		t.Errorf("bytes: got %+v", f.event)
	}
}

// TestAnswer: what the client gets of an answer of the function.
func TestAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		answer            string
		err               error
		status            int
		body, contentType string
	}{
		"text": {`{"statusCode":201,"body":"tea","multiValueHeaders":{"content-type":["text/plain"]}}`, nil,
			201, "tea", "text/plain"},
		"one value":     {`{"statusCode":200,"headers":{"Content-Type":"a/b"}}`, nil, 200, "", "a/b"},
		"no type":       {`{"statusCode":200,"body":"{}"}`, nil, 200, "{}", "application/json"},
		"nothing new":   {`{"statusCode":304}`, nil, 304, "", ""},
		"nothing":       {`{"statusCode":204}`, nil, 204, "", ""},
		"base64":        {`{"statusCode":200,"isBase64Encoded":true,"body":"dGVh"}`, nil, 200, "tea", "application/json"},
		"not base64":    {`{"statusCode":200,"isBase64Encoded":true,"body":"!"}`, nil, 502, "", "application/json"},
		"not an answer": {`[]`, nil, 502, "", "application/json"},
		"an error":      {``, errors.New("canary"), 502, "", "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(&function{answer: tt.answer, err: tt.err}, httptest.NewRequest("GET", "/v1/stock", nil))
			body, err := io.ReadAll(got.Body)
			if tt.status == 502 {
				tt.body = "{\"message\":\"Internal server error\"}\n"
			}
			if err != nil || got.StatusCode != tt.status || string(body) != tt.body ||
				got.Header.Get("Content-Type") != tt.contentType {
				t.Errorf("got %d %q %v, %v", got.StatusCode, body, got.Header, err)
			}
		})
	}
}

// TestClientGone: a client that has gone ends no function. It may be handing an order over.
func TestClientGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &function{answer: `{"statusCode":200}`}
	call(f, httptest.NewRequestWithContext(ctx, "POST", "/v1/orders", nil))
	if f.event.HTTPMethod == "" || f.ended != nil {
		t.Errorf("the function got %+v, and its context is %v", f.event, f.ended)
	}
}

// TestLongBody: API Gateway refuses it, and the function sees nothing.
func TestLongBody(t *testing.T) {
	f := &function{answer: `{"statusCode":200}`}
	long := io.LimitReader(zeros{}, restapi.MaxBody+1)
	if got := call(f, httptest.NewRequest("POST", "/v1/cart", long)); got.StatusCode != 413 || f.event.HTTPMethod != "" {
		t.Errorf("got %d, the function got %q", got.StatusCode, f.event.HTTPMethod)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
