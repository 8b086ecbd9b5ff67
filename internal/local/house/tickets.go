package house

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/wire"
)

// issueTicket hands a request to the function behind POST /v1/tickets, as an HTTP
// API does
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
func (h *House) issueTicket(w http.ResponseWriter, r *http.Request) {
	fail := func(err error) {
		h.opts.Log.Error("ticket", "error", err)
		refuse(w, http.StatusInternalServerError, string(wire.CodeInternal), "something went wrong")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if err != nil {
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), "the body is too long, or ended early")
		return
	}
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: r.Method + " " + r.URL.Path, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{}, Body: string(body),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: r.Method + " " + r.URL.Path, Stage: "$default", TimeEpoch: time.Now().UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method, Path: r.URL.Path, Protocol: r.Proto},
		},
	}
	for name, lines := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(lines, ",")
	}
	payload, err := json.Marshal(e)
	if err != nil {
		fail(err)
		return
	}
	answer, err := h.functions.ticket.Invoke(r.Context(), payload)
	if err != nil {
		fail(err)
		return
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		fail(err)
		return
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.WriteString(w, response.Body) // the client may have gone
}
