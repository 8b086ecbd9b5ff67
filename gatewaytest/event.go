package gatewaytest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// event is what an integration or an authorizer is given, with the keys in the
// service's order. A key without a value is left out and never null
// (G-EVENT-1, G-EVENT-3). The types of aws-lambda-go cannot write this: they
// write empty strings where the service writes nothing, and the other way round.
type event struct {
	Type                            string              `json:"type,omitempty"`
	MethodARN                       string              `json:"methodArn,omitempty"`
	Headers                         byName[string]      `json:"headers,omitempty"`
	MultiValueHeaders               byName[[]string]    `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables                  *map[string]string  `json:"stageVariables,omitempty"`
	RequestContext                  requestContext      `json:"requestContext"`
	Body                            *string             `json:"body,omitempty"`
	IsBase64Encoded                 *bool               `json:"isBase64Encoded,omitempty"`
}

// requestContext is the part that says which connection and which event
// (G-EVENT-2).
type requestContext struct {
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
	Identity             identity       `json:"identity"`
	RequestID            string         `json:"requestId"`
	DomainName           string         `json:"domainName"`
	ConnectionID         string         `json:"connectionId"`
	APIID                string         `json:"apiId"`
}

// identity names the client; userAgent only when it sent one (G-EVENT-4), and
// the rest only when it signed the handshake (G-AUTH-22; which keys there are is
// assumed).
type identity struct {
	AccountID string `json:"accountId,omitempty"`
	Caller    string `json:"caller,omitempty"`
	AccessKey string `json:"accessKey,omitempty"`
	UserARN   string `json:"userArn,omitempty"`
	User      string `json:"user,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

const (
	eventConnect    = "CONNECT"
	eventMessage    = "MESSAGE"
	eventDisconnect = "DISCONNECT"
)

// requestTimeLayout is the Common Log Format time of G-EVENT-10. The zone is
// literal because the service always writes UTC.
const requestTimeLayout = "02/Jan/2006:15:04:05 +0000"

// newRequestContext fills in what all events of a connection share.
func (c *conn) newRequestContext(routeKey, eventType, requestID string, now time.Time) requestContext {
	return requestContext{
		RouteKey:          routeKey,
		Authorizer:        c.authorizer,
		EventType:         eventType,
		ExtendedRequestID: requestID,
		RequestID:         requestID, // G-EVENT-5: the two are always equal
		RequestTime:       now.UTC().Format(requestTimeLayout),
		MessageDirection:  "IN",
		Stage:             c.g.api.Stage,
		ConnectedAt:       c.connectedAt.UnixMilli(),
		RequestTimeEpoch:  now.UnixMilli(),
		Identity:          c.identity,
		DomainName:        c.domainName,
		ConnectionID:      c.id,
		APIID:             c.g.api.ID,
	}
}

// integrationEvent starts an event for an integration.
func (c *conn) integrationEvent(ctx requestContext) event {
	no := false
	e := event{RequestContext: ctx, IsBase64Encoded: &no}
	elsewhere := ctx.EventType != eventConnect
	if len(c.g.api.StageVariables) > 0 && !(elsewhere && c.g.api.Assumptions.StageVariablesOnConnect) {
		e.StageVariables = &c.g.api.StageVariables
	}
	return e
}

// messageEvent is the event of one message; it has no headers (G-EVENT-1).
func (c *conn) messageEvent(routeKey, requestID, body string, now time.Time) event {
	ctx := c.newRequestContext(routeKey, eventMessage, requestID, now)
	ctx.MessageID = newID(now, c.suffix)
	e := c.integrationEvent(ctx)
	e.Body = &body
	return e
}

// disconnectEvent is the event of the connection's end, with the odd reduced
// headers of G-EVENT-8.
func (c *conn) disconnectEvent(requestID string, code int, reason string, now time.Time) event {
	ctx := c.newRequestContext(routeDisconnect, eventDisconnect, requestID, now)
	ctx.DisconnectStatusCode = &code
	ctx.DisconnectReason = &reason
	e := c.integrationEvent(ctx)
	e.Headers = byName[string]{"Host": c.domainName, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
	e.MultiValueHeaders = make(byName[[]string], len(e.Headers))
	for name, value := range e.Headers {
		e.MultiValueHeaders[name] = []string{value}
	}
	return e
}

// encode writes the event on one line.
func (e *event) encode() ([]byte, error) { return encodeJSON(e) }

// encodeJSON writes JSON as the service does, without escaping <, > and &.
func encodeJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// byName is a JSON object whose keys are sorted without regard to case, as the
// headers of captured events are.
type byName[V any] map[string]V

func (m byName[V]) MarshalJSON() ([]byte, error) {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	})
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := encodeJSON(name)
		if err != nil {
			return nil, err
		}
		value, err := encodeJSON(m[name])
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}
