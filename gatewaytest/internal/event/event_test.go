package event

import "testing"

// TestEvent. Our own: an event has the keys of the service, in its order.
func TestEvent(t *testing.T) {
	no, code, text := false, 1001, "<b>&"
	e := Event{
		Headers:           ByName[string]{"x-b": "2", "Host": "h", "X-A": "1", "x-a": "0"},
		MultiValueHeaders: ByName[[]string]{},
		RequestContext:    RequestContext{EventType: Disconnect, DisconnectStatusCode: &code},
		Body:              &text,
		IsBase64Encoded:   &no,
	}
	got, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"headers":{"Host":"h","X-A":"1","x-a":"0","x-b":"2"},"requestContext":{"routeKey":"",` +
		`"disconnectStatusCode":1001,"eventType":"DISCONNECT","extendedRequestId":"","requestTime":"",` +
		`"messageDirection":"","stage":"","connectedAt":0,"requestTimeEpoch":0,"identity":{"sourceIp":""},` +
		`"requestId":"","domainName":"","connectionId":"","apiId":""},"body":"<b>&","isBase64Encoded":false}`
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestEventError. Our own: a value that JSON cannot hold is an error, not a panic.
func TestEventError(t *testing.T) {
	e := Event{RequestContext: RequestContext{Authorizer: map[string]any{"f": func() {}}}}
	if got, err := e.Encode(); err == nil {
		t.Errorf("got %s, want an error", got)
	}
}
