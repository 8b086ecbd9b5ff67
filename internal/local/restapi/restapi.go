// Package restapi imitates a REST API of API Gateway in front of one
// function: a request becomes an event, payload format 1.0, and the function's answer
// becomes the response.
//
// It has no routes of its own: it hands everything to the function. With a [Plan], requests
// need an API key, and get the gateway responses of template.yaml without one. [Catalogue] is
// the one path with another integration. Headers of answers that API Gateway renames, such as
// WWW-Authenticate, keep their names.
package restapi

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// MaxBody is the largest body of a request, in bytes:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const MaxBody = 10 << 20

// Stage is the stage of events. Their path is without it.
const Stage = "api"

// Options are the settings of an API.
type Options struct {
	Variables map[string]string // of the stage
	Plan      *Plan             // of which requests need the key; nil: none
}

// New returns the API in front of a function.
func New(function lambda.Handler, o Options, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Plan != nil && !o.Plan.admit(w, r) {
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
		if err != nil {
			gatewayResponse(w, http.StatusRequestEntityTooLarge, "Request Too Long")
			return
		}
		event := newEvent(r, body)
		event.StageVariables = o.Variables
		if o.Plan != nil {
			event.RequestContext.Identity.APIKeyID = KeyID
		}
		// A function goes on if its client has gone.
		answer, err := invoke(context.WithoutCancel(r.Context()), function, event)
		if err != nil {
			log.ErrorContext(r.Context(), "rest API", "error", err)
			gatewayResponse(w, http.StatusBadGateway, "Internal server error")
			return
		}
		write(w, answer)
	})
}

// gatewayResponse answers without the function.
func gatewayResponse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// invoke calls the function with an event.
func invoke(
	ctx context.Context, function lambda.Handler, event events.APIGatewayProxyRequest,
) (answer events.APIGatewayProxyResponse, err error) {
	data, err := json.Marshal(event)
	if err == nil {
		data, err = function.Invoke(ctx, data)
	}
	if err != nil {
		return answer, err
	}
	err = json.Unmarshal(data, &answer)
	return answer, err
}

// newEvent returns the event of a request.
func newEvent(r *http.Request, body []byte) events.APIGatewayProxyRequest {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	e := events.APIGatewayProxyRequest{
		Resource: r.URL.Path, Path: r.URL.EscapedPath(), HTTPMethod: r.Method,
		Headers: map[string]string{}, MultiValueHeaders: map[string][]string{"Host": {r.Host}},
		MultiValueQueryStringParameters: r.URL.Query(), QueryStringParameters: map[string]string{},
		Body: string(body),
		RequestContext: events.APIGatewayProxyRequestContext{
			Stage: Stage, DomainName: r.Host, HTTPMethod: r.Method, Path: "/" + Stage + r.URL.EscapedPath(),
			RequestID: rand.Text(), ExtendedRequestID: rand.Text(), Protocol: r.Proto,
			Identity: events.APIGatewayRequestIdentity{SourceIP: address, UserAgent: r.UserAgent()},
		},
	}
	if !utf8.Valid(body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	for name, values := range r.Header {
		e.MultiValueHeaders[name] = values
	}
	for name, values := range e.MultiValueHeaders {
		e.Headers[name] = values[len(values)-1]
	}
	for name, values := range e.MultiValueQueryStringParameters {
		e.QueryStringParameters[name] = values[len(values)-1]
	}
	return e
}

// write sends an answer. An answer without a type is application/json, as API Gateway
// makes it; 204 and 304 have none.
func write(w http.ResponseWriter, answer events.APIGatewayProxyResponse) {
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(answer.Body); err != nil {
			gatewayResponse(w, http.StatusBadGateway, "Internal server error")
			return
		}
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	for name, values := range answer.MultiValueHeaders {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if w.Header().Get("Content-Type") == "" && answer.StatusCode != http.StatusNoContent &&
		answer.StatusCode != http.StatusNotModified {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(body) // the client may have closed its connection
}
