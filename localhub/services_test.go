package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// serviceRequest is what a stub of an AWS service got.
type serviceRequest struct {
	method, path, contentType, target, authorization, body string
	query                                                  url.Values
}

// startService starts a stub that gives the same response to all requests.
func startService(t *testing.T, response string) (address string, requests <-chan serviceRequest) {
	t.Helper()
	got := make(chan serviceRequest, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- serviceRequest{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("X-Amz-Target"),
			r.Header.Get("Authorization"), string(body), r.URL.Query()}
		_, _ = io.WriteString(w, response) // localhub may be gone
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// TestServiceTemplate serves an API whose routes call SQS, SNS, Step Functions and
// EventBridge themselves. What each gets is checked here, its signature in gatewaytest.
func TestServiceTemplate(t *testing.T) {
	sqs, orders := startService(t, `{"SendMessageResponse":{"SendMessageResult":{"MessageId":"m1"}}}`)
	sns, news := startService(t, `{"PublishResponse":{}}`)
	states, starts := startService(t, `{"executionArn":"arn:x"}`)
	bus, entries := startService(t, `{"FailedEntryCount":0}`)
	api := serveTemplate(t, "../testdata/services/template.yaml",
		"-service", "sqs="+sqs, "-service", "sns="+sns, "-service", "states="+states, "-service", "events="+bus)
	c := dial(t, api.socket, nil)

	const lines = `"lines":[{"sku":"MUG \"L\"","n":2},{"sku":"TEE","n":1}]`
	for _, tt := range []struct {
		message, answer string
		requests        <-chan serviceRequest
		service         string
		want            serviceRequest
	}{
		{`{"action":"order","urgent":true,` + lines + `}`, `{"queued":"m1"}`, orders, "sqs",
			serviceRequest{path: "/123456789012/orders", contentType: "application/x-www-form-urlencoded",
				body: "Action=SendMessage&MessageBody=%5B%7B%22sku%22%3A%22MUG+%5C%22L%5C%22%22%2C%22n%22%3A2%7D%2C" +
					"%7B%22sku%22%3A%22TEE%22%2C%22n%22%3A1%7D%5D &DelaySeconds=0"}},
		{`{"action":"news","text":"new mugs"}`, `{"PublishResponse":{}}`, news, "sns",
			serviceRequest{path: "/", contentType: "application/json", body: `{"action":"news","text":"new mugs"}`,
				query: url.Values{
					"Action": {"Publish"}, "TopicArn": {"arn:aws:sns:eu-central-1:123456789012:news"}, "Message": {"new mugs"},
					"MessageAttributes.entry.1.Name":              {"connection"},
					"MessageAttributes.entry.1.Value.StringValue": {"ID"},
				}}},
		{`{"action":"start","text":"it's \"5/6\""}`, `{"started":"arn:x"}`, starts, "states",
			serviceRequest{path: "/", contentType: "application/x-amz-json-1.0", target: "AWSStepFunctions.StartExecution",
				body: `{"stateMachineArn":"arn:aws:states:eu-central-1:123456789012:stateMachine:order","name":"NAME",` +
					`"input":"{\"action\":\"start\",\"text\":\"it's \\\"5/6\\\"\"}"}`,
				query: url.Values{"Action": {"StartExecution"}}}},
		{`{"action":"event",` + lines + `}`, `{"failed":0}`, entries, "events",
			serviceRequest{path: "/", contentType: "application/x-amz-json-1.1", target: "AWSEvents.PutEvents",
				body: `{"Entries":[{"Source":"shop.live","DetailType":"several","Detail":"{\"sku\":\"MUG \\\"L\\\"\",\"n\":2}"},` +
					`{"Source":"shop.live","DetailType":"one","Detail":"{\"sku\":\"TEE\",\"n\":1}"}]}`,
				query: url.Values{"Action": {"PutEvents"}}}},
	} {
		t.Run(tt.service, func(t *testing.T) {
			if got := ask(t, c, tt.message); got != tt.answer {
				t.Fatalf("the client got %s, want %s", got, tt.answer)
			}
			checkService(t, <-tt.requests, tt.service, tt.want)
		})
	}
}

// executionName matches the name of an execution, which is made of an id.
var executionName = regexp.MustCompile(`"name": "[A-Za-z0-9_-]{14,15}"`)

// checkService compares a request with what a service should get.
func checkService(t *testing.T, got serviceRequest, service string, want serviceRequest) {
	t.Helper()
	const credential = "AWS4-HMAC-SHA256 Credential=AKIALOCALHUB/"
	scope := "/eu-central-1/" + service + "/aws4_request, SignedHeaders="
	if !strings.HasPrefix(got.authorization, credential) || !strings.Contains(got.authorization, scope) {
		t.Errorf("the signature is %s", got.authorization)
	}
	if got.method != "POST" || got.path != want.path || got.contentType != want.contentType || got.target != want.target {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if query := ids.ReplaceAllString(got.query.Get("MessageAttributes.entry.1.Value.StringValue"), "ID"); query != "" {
		got.query.Set("MessageAttributes.entry.1.Value.StringValue", query)
	}
	if got.query.Encode() != want.query.Encode() {
		t.Errorf("query: got %v, want %v", got.query, want.query)
	}
	got.body = executionName.ReplaceAllString(got.body, `"name": "NAME"`)
	if got.body != want.body && !sameJSON(got.body, want.body) {
		t.Errorf("body:\n got %s\nwant %s", got.body, want.body)
	}
}
