package gatewaytest

import (
	"errors"
	"fmt"
	"strings"
)

// APIKey is a key of a usage plan.
type APIKey struct {
	ID       string   // for the access log
	Value    string   // sent by the client, or returned by the authorizer
	Throttle Throttle // the usage plan's, for this key
}

// The two sources of a client's API key (developer guide, "WebSocket selection
// expressions").
const (
	keyFromHeader     = "$request.header.x-api-key"
	keyFromAuthorizer = "$context.authorizer.usageIdentifierKey"
)

// apiKey is the state of an APIKey.
type apiKey struct {
	APIKey
	throttle *bucket
}

// newKeys prepares the API keys, by value.
func newKeys(api *API) (map[string]*apiKey, error) {
	if e := api.APIKeySelectionExpression; e != keyFromHeader && e != keyFromAuthorizer {
		return nil, fmt.Errorf("APIKeySelectionExpression %q: must be %s or %s", e, keyFromHeader, keyFromAuthorizer)
	}
	var errs []error
	keys := make(map[string]*apiKey, len(api.APIKeys))
	for i, key := range api.APIKeys {
		err := key.Throttle.check()
		switch {
		case key.Value == "":
			err = errors.New("no Value")
		case keys[key.Value] != nil:
			err = errors.New("duplicate Value")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("APIKeys[%d]: %w", i, err))
		}
		keys[key.Value] = &apiKey{key, newBucket(key.Throttle)}
	}
	return keys, errors.Join(errs...)
}

// findKey finds the API key of a handshake. It returns nil if the client has
// none, or an unknown one. usage is the authorizer's usageIdentifierKey.
func (g *Gateway) findKey(req *request, usage string) *apiKey {
	if g.api.APIKeySelectionExpression == keyFromAuthorizer {
		return g.keys[usage]
	}
	return g.keys[req.value(req.headers, "x-api-key", strings.EqualFold)]
}

// recordKey records the connection's API key for the access log.
func (inv *invocation) recordKey() {
	if key := inv.c.key; key != nil {
		inv.record("identity.apiKey", key.Value)
		inv.record("identity.apiKeyId", key.ID)
	}
}

// checkKey refuses an event of a route that needs an API key if the handshake
// had none, or if the key is throttled (G-HANDSHAKE-18, G-HANDSHAKE-9).
func (inv *invocation) checkKey() *gatewayResponse {
	inv.recordKey()
	key := inv.c.key
	switch {
	case inv.route == nil || !inv.route.APIKeyRequired:
		return nil
	case key == nil:
		return responseInvalidKey.withDetail("no known API key in " + inv.c.g.api.APIKeySelectionExpression)
	case !key.throttle.take(inv.c.g.Now()):
		return responseThrottled.withDetail("the throttle of the API key " + key.ID)
	}
	return nil
}
