package gatewaytest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/gatewaytest/internal/sigv4"
)

// wantSigned fails unless a request to a service is signed.
func wantSigned(t *testing.T, r backendRequest, service string) {
	t.Helper()
	credential := func(id string) (sigv4.Credential, bool) {
		return sigv4.Credential{SecretAccessKey: "secret", SessionToken: "token"}, id == "AKIATEST"
	}
	verifier := sigv4.Verifier{Region: "eu-west-1", Service: service, Credential: credential}
	hash := sha256.Sum256([]byte(r.body))
	if _, err := verifier.Verify(r.Request, hex.EncodeToString(hash[:]), time.Now()); err != nil {
		t.Errorf("the signature: %v", err)
	}
}

// serviceAPI is an API with one route, behind which is a service.
func serviceAPI(key, name, url string, route gatewaytest.Route) gatewaytest.API {
	return gatewaytest.API{
		Routes: map[string]gatewaytest.Route{key: route},
		Services: map[string]gatewaytest.ServiceEndpoint{name: {URL: url, Credential: gatewaytest.Credential{
			AccessKeyID: "AKIATEST", SecretAccessKey: "secret", SessionToken: "token"}}},
	}
}

// TestServices. Each service gets the request of its protocol, signed.
func TestServices(t *testing.T) {
	const jsonType, form = "application/json", "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, service, uri string
		parameters         map[string]string
		template           string
		want               string // method, path and query
		contentType        string
		target             string
		body               string
	}{
		{"G-INTEG-11 G-INTEG-20 DynamoDB", "dynamodb", "dynamodb:action/PutItem", nil,
			`{"TableName":"lines","Item":{"text":{"S":$input.json('$.text')}}}`, "POST /?Action=PutItem",
			"application/x-amz-json-1.0", "DynamoDB_20120810.PutItem", `{"TableName":"lines","Item":{"text":{"S":"a b"}}}`},
		{"G-INTEG-11 G-INTEG-20 Step Functions", "states", "states:action/StartExecution", nil,
			`{"stateMachineArn":"arn:x","input":"$util.escapeJavaScript($input.json('$'))"}`, "POST /?Action=StartExecution",
			"application/x-amz-json-1.0", "AWSStepFunctions.StartExecution",
			`{"stateMachineArn":"arn:x","input":"{\"text\":\"a b\"}"}`},
		{"G-INTEG-11 G-INTEG-20 EventBridge", "events", "events:action/PutEvents", nil,
			`{"Entries":[{"Source":"$context.stage"}]}`, "POST /?Action=PutEvents",
			"application/x-amz-json-1.1", "AWSEvents.PutEvents", `{"Entries":[{"Source":"v1"}]}`},
		{"G-INTEG-11 G-INTEG-4 SQS by action", "sqs", "sqs:action/SendMessage", map[string]string{
			"integration.request.querystring.QueueUrl":    "'http://q/1/orders'",
			"integration.request.querystring.MessageBody": "route.request.body.text",
		}, "", "POST /?Action=SendMessage&MessageBody=a+b&QueueUrl=http%3A%2F%2Fq%2F1%2Forders",
			jsonType, "", `{"text":"a b"}`},
		{"G-INTEG-11 SQS by path", "sqs", "sqs:path/1/orders", map[string]string{
			"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
		}, "Action=SendMessage&MessageBody=$util.urlEncode($input.path('$.text'))", "POST /1/orders", form, "",
			"Action=SendMessage&MessageBody=a+b"},
		{"G-INTEG-11 G-INTEG-4 a path with parameters", "execute-api", "abc.execute-api:path/v1/@connections/{to}",
			map[string]string{"integration.request.path.to": "'a/b c'"}, "$input.path('$.text')",
			"POST /v1/@connections/a%2Fb%20c", jsonType, "", "a b"},
		{"G-INTEG-11 SNS", "sns", "sns:action/Publish", map[string]string{
			"integration.request.querystring.TopicArn": "'arn:x'",
			"integration.request.querystring.Message":  "route.request.body",
		}, "", "POST /?Action=Publish&Message=%7B%22text%22%3A%22a+b%22%7D&TopicArn=arn%3Ax",
			jsonType, "", `{"text":"a b"}`},
		{"G-INTEG-11 G-STAGEVAR-2 another host and method", "sqs", "abc.sqs:path/${stageVariables.queue}?Action=Purge", nil,
			"", "GET /1/orders?Action=Purge", jsonType, "", `{"text":"a b"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			service := newBackend(t, respondWith(200, `{"id":7}`))
			method, _, _ := strings.Cut(tt.want, " ")
			mapping := &gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{
				"$default": {ResponseTemplates: templates("$default", "done $input.path('$.id')")}}}
			if tt.template != "" {
				mapping.RequestTemplates = templates("$default", tt.template)
			}
			api := serviceAPI("$default", tt.service, service.URL, gatewaytest.Route{RouteResponse: true, Mapping: mapping,
				Service: &gatewaytest.Service{URI: "arn:aws:apigateway:eu-west-1:" + tt.uri, Method: method,
					RequestParameters: tt.parameters}})
			api.StageVariables = map[string]string{"queue": "1/orders"}
			c := dial(t, newGateway(t, api), "/v1")
			send(t, c, `{"text":"a b"}`)
			if got := receive(t, c); got != "done 7" {
				t.Fatalf("the client got %s", got)
			}
			r := <-service.requests
			wantSigned(t, r, tt.service)
			for what, pair := range map[string][2]string{
				"request":      {r.Method + " " + r.RequestURI, tt.want},
				"content type": {r.Header.Get("Content-Type"), tt.contentType},
				"target":       {r.Header.Get("X-Amz-Target"), tt.target},
				"accept":       {r.Header.Get("Accept"), jsonType},
				"user agent":   {r.Header.Get("User-Agent"), "AmazonAPIGateway_a1b2c3d4e5"},
				"body":         {r.body, tt.body},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: got %s, want %s", what, pair[0], pair[1])
				}
			}
		})
	}
}

// TestServiceErrors. What the client gets if the service does not do what it should.
func TestServiceErrors(t *testing.T) {
	refusing := newBackend(t, respondWith(400, `{"__type":"ValidationException","message":"no key"}`))
	for _, tt := range []struct{ name, service, url, want, log string }{
		{"G-INTEG-7 the status chooses the response", "dynamodb", refusing.URL, "refused: no key",
			"AWS service returned an error"},
		{"G-INTEG-21 no endpoint", "sqs", refusing.URL, errorFrame("Internal server error"),
			"no endpoint in API.Services for the service dynamodb"},
		{"G-INTEG-21 nobody listens", "dynamodb", "http://127.0.0.1:1/", errorFrame("Internal server error"),
			"connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := serviceAPI("$default", tt.service, tt.url, gatewaytest.Route{RouteResponse: true,
				Service: &gatewaytest.Service{URI: "arn:aws:apigateway:eu-west-1:dynamodb:action/GetItem"},
				Mapping: &gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{
					"/4../": {ResponseTemplates: templates("$default", "refused: $input.path('$.message')")}, "$default": {}}}})
			var log bytes.Buffer
			api.Log = slog.New(slog.NewTextHandler(&log, nil))
			c := dial(t, newGateway(t, api), "/v1")
			send(t, c, `{}`)
			if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if !strings.Contains(log.String(), tt.log) {
				t.Errorf("the log has no %q:\n%s", tt.log, log.String())
			}
		})
	}
}

// TestServicesRefused. Our own: New refuses services that no request can go to.
func TestServicesRefused(t *testing.T) {
	const uri = "arn:aws:apigateway:eu-west-1:sqs:action/SendMessage"
	mapped := func(s gatewaytest.Service) gatewaytest.Route {
		return gatewaytest.Route{Mapping: &gatewaytest.Mapping{}, Service: &s}
	}
	for field, route := range map[string]gatewaytest.Route{
		"Service: not allowed with":         {Integration: ok200, Service: &gatewaytest.Service{URI: uri}},
		"Service: needs a Mapping":          {Service: &gatewaytest.Service{URI: uri}},
		`Service: URI "sqs"`:                mapped(gatewaytest.Service{URI: "sqs"}),
		`Service: URI: "a b" is no action`:  mapped(gatewaytest.Service{URI: "arn:aws:apigateway:eu-west-1:sqs:action/a b"}),
		"Service: URI: no stage variable":   mapped(gatewaytest.Service{URI: uri + "${stageVariables.x}"}),
		"Service: net/http: invalid method": mapped(gatewaytest.Service{URI: uri, Method: "A B"}),
		`Service: RequestParameters: "x"`: mapped(gatewaytest.Service{URI: uri,
			RequestParameters: templates("x", "y")}),
	} {
		t.Run(field, func(t *testing.T) {
			_, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{"a": route}})
			wantField(t, err, `Routes["a"].`+field)
		})
	}
	_, err := gatewaytest.New(gatewaytest.API{Services: map[string]gatewaytest.ServiceEndpoint{
		"sqs": {URL: "localhost"},
		"sns": {URL: "http://localhost", Credential: gatewaytest.Credential{AccessKeyID: "a"}},
	}})
	wantField(t, err, `Services["sqs"]: URL "localhost"`)
	wantField(t, err, `Services["sns"]: Credential: no AccessKeyID or no SecretAccessKey`)
}
