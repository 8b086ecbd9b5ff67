package gatewaytest

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Route is what the API does with the events of one route key. The backend is
// one of the integration types of G-INTEG-1:
//
//	AWS_PROXY    Integration
//	AWS          Integration and Mapping (Lambda only)
//	HTTP_PROXY   HTTP
//	HTTP         HTTP and Mapping
//	MOCK         Mapping alone
//
// A message route without any of them answers "Internal server error"
// (G-ROUTE-13); $connect and $disconnect without one do nothing.
type Route struct {
	// Integration is the function behind the route.
	Integration lambda.Handler

	// HTTP is the web server behind the route. Not beside Integration.
	HTTP *HTTP

	// Mapping makes the integration a non-proxy one: templates write what the
	// backend is given, and what a two-way route answers.
	Mapping *Mapping

	// RouteResponse makes the route two-way: the body of the function's answer
	// is sent to the client (G-RESP-2).
	RouteResponse bool

	// Timeout is the integration time-out, 50 ms to 29 s. Default 29 s.
	Timeout time.Duration

	// ModelSelectionExpression chooses the model that a message has to obey,
	// from the keys of RequestModels; a key that is not there is "$default"
	// (G-VALID-1, G-VALID-2). Empty: messages are not validated (G-VALID-6).
	ModelSelectionExpression string

	// RequestModels are names of API.Models by key.
	RequestModels map[string]string

	// APIKeyRequired wants one of API.APIKeys: on $connect at the handshake, on
	// a message route from the handshake of the connection (G-HANDSHAKE-18).
	APIKeyRequired bool

	// Throttle is the route's own in the stage's RouteSettings. The zero value
	// is API.RouteThrottle.
	Throttle Throttle
}
