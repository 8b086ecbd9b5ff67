// Package event has the events that API Gateway sends to Lambda functions: the
// authorizer's, and those of integrations. Encoded, they have the keys, the order
// and the spelling of the service. The types of aws-lambda-go cannot write them:
// these write empty strings where the service writes nothing, and the other way
// round.
package event

// The types of events, as requestContext.eventType.
const (
	Connect    = "CONNECT"
	Message    = "MESSAGE"
	Disconnect = "DISCONNECT"
)

// RequestTimeLayout is the Common Log Format time of G-EVENT-10. The zone is
// literal because the service always writes UTC.
const RequestTimeLayout = "02/Jan/2006:15:04:05 +0000"

// Event is an event, with its keys in the service's order. A key without a value
// is left out and never null (G-EVENT-1, G-EVENT-3).
type Event struct {
	Type                            string              `json:"type,omitempty"`
	MethodARN                       string              `json:"methodArn,omitempty"`
	Headers                         ByName[string]      `json:"headers,omitempty"`
	MultiValueHeaders               ByName[[]string]    `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables                  *map[string]string  `json:"stageVariables,omitempty"`
	RequestContext                  RequestContext      `json:"requestContext"`
	Body                            *string             `json:"body,omitempty"`
	IsBase64Encoded                 *bool               `json:"isBase64Encoded,omitempty"`
}

// RequestContext identifies the connection and the event (G-EVENT-2).
type RequestContext struct {
	RouteKey             string         `json:"routeKey"`
	Authorizer           map[string]any `json:"authorizer,omitempty"`
	MessageID            string         `json:"messageId,omitempty"`
	DisconnectStatusCode *int           `json:"disconnectStatusCode,omitempty"`
	EventType            string         `json:"eventType"`
	ExtendedRequestID    string         `json:"extendedRequestId"`
	RequestTime          string         `json:"requestTime"`
	MessageDirection     string         `json:"messageDirection"`
	DisconnectReason     *string        `json:"disconnectReason,omitempty"`
	Stage                string         `json:"stage"`
	ConnectedAt          int64          `json:"connectedAt"`
	RequestTimeEpoch     int64          `json:"requestTimeEpoch"`
	Identity             Identity       `json:"identity"`
	RequestID            string         `json:"requestId"`
	DomainName           string         `json:"domainName"`
	ConnectionID         string         `json:"connectionId"`
	APIID                string         `json:"apiId"`
}

// Identity names the client. It has a user agent only if the client sent one
// (G-EVENT-4). Everything before the user agent is only there if the client signed
// the handshake (G-AUTH-22; which keys there are is assumed).
type Identity struct {
	AccountID string `json:"accountId,omitempty"`
	Caller    string `json:"caller,omitempty"`
	AccessKey string `json:"accessKey,omitempty"`
	UserARN   string `json:"userArn,omitempty"`
	User      string `json:"user,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

// ByName is a JSON object whose keys are sorted without regard to letter case, as
// the headers of captured events are.
type ByName[V any] map[string]V
