package handler

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
)

// Keys of the authorizer's context. API Gateway adds the context, all strings, to
// every later event of the connection (G-AUTH-18 to 20); principalId is the user.
const (
	contextUser    = "principalId"
	contextRole    = "role"
	contextVendor  = "vendor"  // percent-encoded: AWS does not document quotes and non-ASCII text in a context
	contextExpires = "expires" // ms since 1970
	contextNotice  = "notice"  // why a token was refused
	contextIssued  = "issued"  // ms since 1970
	contextAddress = "address" // a keyed hash of the client's IP address
)

// connectionOf returns the connection of an event. Without an authorizer it has no
// user, and [Connect] refuses it.
func connectionOf(r events.APIGatewayWebsocketProxyRequestContext, endpoint string) hub.Connection {
	if endpoint == "" {
		endpoint = r.DomainName + "/" + r.Stage
	}
	values, _ := r.Authorizer.(map[string]any)
	text := func(key string) string {
		s, _ := values[key].(string)
		return s
	}
	vendor, _ := url.PathUnescape(text(contextVendor)) // "" is no vendor
	c := hub.Connection{
		ID:          r.ConnectionID,
		Endpoint:    endpoint,
		ConnectedAt: time.UnixMilli(r.ConnectedAt).UTC(),
		Notice:      text(contextNotice),
		ClientHash:  text(contextAddress),
		Principal: hub.Principal{
			User: text(contextUser), Role: hub.Role(text(contextRole)), Vendor: vendor,
		},
	}
	if expires := text(contextExpires); expires != "" {
		// An unreadable time becomes 1970: the session has expired.
		ms, _ := strconv.ParseInt(expires, 10, 64)
		c.Principal.Expires = time.UnixMilli(ms).UTC()
	}
	if ms, err := strconv.ParseInt(text(contextIssued), 10, 64); err == nil {
		c.Principal.Issued = time.UnixMilli(ms).UTC()
	}
	return c
}

// subprotocols returns the subprotocols that a client offers, in one header or in
// several (RFC 6455, section 4.1).
func subprotocols(headers map[string][]string) []string {
	var offered []string
	for name, lines := range headers {
		if !strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			continue
		}
		for p := range strings.SplitSeq(strings.Join(lines, ","), ",") {
			if p = strings.TrimSpace(p); p != "" {
				offered = append(offered, p)
			}
		}
	}
	return offered
}
