package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/wire"
)

// postTicket hands a request to the ticket function as an HTTP API does
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
func (a api) postTicket(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, wire.CodeBadField, "the body is too long, or ended early")
		return
	}
	response, err := a.invokeTicket(r.Context(), a.ticketEvent(r, string(body)))
	if err != nil {
		a.fail(w, fmt.Errorf("ticket: %w", err))
		return
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.WriteString(w, response.Body) // the client may have closed its connection
}

// ticketEvent is the event of an HTTP API, payload format 2.0.
func (a api) ticketEvent(r *http.Request, body string) events.APIGatewayV2HTTPRequest {
	route := r.Method + " " + r.URL.Path
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: route, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{}, Body: body,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: route, Stage: "$default", TimeEpoch: a.House.Now().UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method, Path: r.URL.Path, Protocol: r.Proto},
		},
	}
	for name, lines := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(lines, ",")
	}
	return e
}

func (a api) invokeTicket(
	ctx context.Context, request events.APIGatewayV2HTTPRequest,
) (response events.APIGatewayV2HTTPResponse, err error) {
	event, err := json.Marshal(request)
	if err != nil {
		return response, err
	}
	answer, err := a.Ticket.Invoke(ctx, event)
	if err != nil {
		return response, err
	}
	err = json.Unmarshal(answer, &response)
	return response, err
}
