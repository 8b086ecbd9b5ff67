package handler

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
)

// Keys of the authorizer's context. API Gateway hands it, all strings, to every
// later event of the connection (G-AUTH-18 to 20); principalId is the user.
const (
	contextUser    = "principalId"
	contextRole    = "role"
	contextVendor  = "vendor"
	contextExpires = "expires" // ms since 1970
	contextNotice  = "notice"  // why a token was not taken
	contextIssued  = "issued"  // ms since 1970
	contextAddress = "address" // a keyed hash
)

// connectionOf reads what an event says of its connection. Without an authorizer
// there is no user, which connect refuses.
func connectionOf(r events.APIGatewayWebsocketProxyRequestContext, endpoint string) hub.Connection {
	if endpoint == "" {
		endpoint = r.DomainName + "/" + r.Stage
	}
	known, _ := r.Authorizer.(map[string]any)
	text := func(key string) string {
		s, _ := known[key].(string)
		return s
	}
	c := hub.Connection{
		ID:          r.ConnectionID,
		Endpoint:    endpoint,
		ConnectedAt: time.UnixMilli(r.ConnectedAt).UTC(),
		Notice:      text(contextNotice),
		ClientHash:  text(contextAddress),
		Principal: hub.Principal{
			User: text(contextUser), Role: hub.Role(text(contextRole)), Vendor: text(contextVendor),
		},
	}
	if expires := text(contextExpires); expires != "" {
		// What cannot be read has expired long ago.
		ms, _ := strconv.ParseInt(expires, 10, 64)
		c.Principal.Expires = time.UnixMilli(ms).UTC()
	}
	if ms, err := strconv.ParseInt(text(contextIssued), 10, 64); err == nil {
		c.Principal.Issued = time.UnixMilli(ms).UTC()
	}
	return c
}

// header returns a header whatever its letter case.
func header(headers map[string]string, name string) string {
	for key, value := range headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// subprotocols are those that a client offers, in one header or in several
// (RFC 6455, section 4.1).
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
