package events_test

import (
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/events"
)

func TestFunctionText(t *testing.T) {
	for name, tt := range map[string]struct{ text, want, private string }{
		"a message": {
			`{"requestContext": {"routeKey":"send","connectionId":"L0SM=","authorizer":{"principalId":"ann","pin":12}},` +
				` "body":"{\"text\":\"hi\",\"jwt\":\"` + jwt + `\"}"}`,
			`{"requestContext": {"routeKey":"send","connectionId":"L0SM=","authorizer":` +
				`{"principalId":"ann","pin":"[2 bytes]"}}, "body":"{\"text\":\"hi\",\"jwt\":\"[44 bytes]\"}"}`,
			`{"requestContext": {"routeKey":"send","connectionId":"L0SM=","authorizer":{"principalId":"ann","pin":12}},` +
				` "body":"{\"text\":\"hi\",\"jwt\":\"[44 bytes]\"}"}`,
		},
		"a handshake": {
			`{"headers":{"Host":"a","Authorization":"Basic YTpi","Sec-WebSocket-Protocol":"v1, bearer.x"},` +
				`"multiValueHeaders":{"Cookie":["a=b","c"],"User-Agent":["wscat"]},"queryStringParameters":{"token":"x"},` +
				`"stageVariables":{"key":"y"},"requestContext":{"identity":{"sourceIp":"127.0.0.1","apiKey":"z"}}}`,
			`{"headers":{"Host":"a","Authorization":"[10 bytes]","Sec-WebSocket-Protocol":"v1, [9 bytes]"},` +
				`"multiValueHeaders":{"Cookie":["[3 bytes]","[1 bytes]"],"User-Agent":["wscat"]},` +
				`"queryStringParameters":{"token":"[1 bytes]"},"stageVariables":{"key":"[1 bytes]"},` +
				`"requestContext":{"identity":{"sourceIp":"127.0.0.1","apiKey":"[1 bytes]"}}}`,
			`{"headers":{"Host":"a","Authorization":"Basic YTpi","Sec-WebSocket-Protocol":"v1, bearer.x"},` +
				`"multiValueHeaders":{"Cookie":["a=b","c"],"User-Agent":["wscat"]},"queryStringParameters":{"token":"x"},` +
				`"stageVariables":{"key":"y"},"requestContext":{"identity":{"sourceIp":"127.0.0.1","apiKey":"z"}}}`,
		},
		"an answer of an authorizer": {
			`{"principalId":"ann","policyDocument":{"Version":"2012-10-17"},"context":{"role":"x"},"usageIdentifierKey":"k"}`,
			`{"principalId":"ann","policyDocument":{"Version":"2012-10-17"},"context":{"role":"[1 bytes]"},` +
				`"usageIdentifierKey":"[1 bytes]"}`,
			`{"principalId":"ann","policyDocument":{"Version":"2012-10-17"},"context":{"role":"x"},"usageIdentifierKey":"k"}`,
		},
		"an answer": {`{"statusCode":200,"body":"hi"}`, `{"statusCode":200,"body":"hi"}`, `{"statusCode":200,"body":"hi"}`},
		"no JSON":   {"failed: " + jwt, "failed: [44 bytes]", "failed: [44 bytes]"},
		"a name":    {`{"` + jwt + `":1}`, `{"[44 bytes]":1}`, `{"[44 bytes]":1}`},
		"other texts": {
			`["a",true,null,{"headers":"x"}]`, `["a",true,null,{"headers":"x"}]`, `["a",true,null,{"headers":"x"}]`,
		},
	} {
		if got := events.FunctionText([]byte(tt.text), false); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tt.want)
		}
		if got := events.FunctionText([]byte(tt.text), true); got != tt.private {
			t.Errorf("%s, with -show-private:\ngot  %s\nwant %s", name, got, tt.private)
		}
	}
	if got := events.FunctionText([]byte(strings.Repeat("a", 9000)), false); len(got) != events.MaxText {
		t.Errorf("got %d bytes", len(got))
	}
}
