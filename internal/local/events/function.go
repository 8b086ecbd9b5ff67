package events

import (
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/jsonedit"
)

// plainHeaders are those of a handshake whose values are shown. Any other may have a secret.
var plainHeaders = []string{"accept", "accept-encoding", "accept-language", "cache-control", "connection",
	"content-length", "content-type", "host", "origin", "pragma", "sec-websocket-extensions", "sec-websocket-version",
	"upgrade", "user-agent", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}

// plainIdentity are the members of requestContext.identity that are shown.
var plainIdentity = []string{"sourceIp", "userAgent"}

// FunctionText returns what the log keeps of the event that a function of somebody's own API gets, or
// of its response: members that have the words of API Gateway for secrets are masked, and what
// has the form of a secret. Those are values of headers, of query strings, of stage variables
// and of an authorizer's context. private shows them, unless they have the form of a secret.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
func FunctionText(text []byte, private bool) string {
	masked, ok := jsonedit.Rewrite(string(text), func(p jsonedit.Part) (string, bool) {
		switch {
		case private || p.Name || !isSecretPlace(p.Path):
			masked := MaskSecrets(p.Text)
			return masked, masked != p.Text
		case isProtocolHeader(p.Path):
			first, rest, _ := strings.Cut(p.Text, ",")
			if rest != "" {
				rest = ", " + bytesMask(len(rest))
			}
			return MaskSecrets(first) + rest, true
		case p.Number != "":
			return `"` + bytesMask(len(p.Number)) + `"`, true
		}
		return bytesMask(len(p.Text)), true
	})
	if !ok {
		masked = MaskSecrets(string(text))
	}
	return own(masked, MaxText)
}

// isSecretPlace reports whether the value at a path may be a secret of any form.
func isSecretPlace(path []string) bool {
	if len(path) < 2 {
		return len(path) == 1 && (path[0] == "authorizationToken" || path[0] == "usageIdentifierKey" || path[0] == "cookies")
	}
	switch path[0] {
	case "headers", "multiValueHeaders":
		return !slices.Contains(plainHeaders, strings.ToLower(path[1]))
	case "queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "context":
		return true
	case "requestContext":
		return path[1] == "authorizer" && !slices.Contains(path, "principalId") ||
			path[1] == "identity" && !slices.Contains(plainIdentity, path[len(path)-1])
	}
	return false
}

// isProtocolHeader reports whether a path is that of the subprotocols. Browsers send tokens
// there, behind the first word.
func isProtocolHeader(path []string) bool {
	return strings.HasSuffix(strings.ToLower(path[0]), "headers") && strings.EqualFold(path[1], "Sec-WebSocket-Protocol")
}
