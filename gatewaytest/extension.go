package gatewaytest

import (
	"net/http"
	"slices"
	"strings"
)

// deflateTerms is what a client and the gateway agreed on for
// permessage-deflate (RFC 7692 section 7.1).
type deflateTerms struct {
	response      string // the value of sec-websocket-extensions
	window        int    // how many bytes back our messages may refer
	clientForgets bool   // the client's messages do not refer to earlier ones
}

// windowBits are the values that the window parameters may have: 256 bytes to
// maxWindow (RFC 7692 section 7.1.2).
var windowBits = []string{"8", "9", "10", "11", "12", "13", "14", "15"}

// negotiateDeflate answers the client's offers, of which the first acceptable
// one is taken (RFC 7692 section 5). Nil: there is none.
//
// A comma inside of a quoted value needs no care: such a value is a token
// between quotes (RFC 6455 section 9.1), and no token has a comma.
func negotiateDeflate(h http.Header) *deflateTerms {
	for _, value := range h.Values("Sec-WebSocket-Extensions") {
		for offer := range strings.SplitSeq(value, ",") {
			if terms := acceptOffer(offer); terms != nil {
				return terms
			}
		}
	}
	return nil
}

// acceptOffer reads one offer. It is declined, and nil, if it is for another
// extension, or has a parameter that is unknown, malformed or there twice (RFC
// 7692 section 7.1).
//
// What the client does not ask for is left alone: its own window stays as it
// is, so that a browser's offer is answered with the name alone (assumed). The
// spelling is that of the captured answer (G-HANDSHAKE-15).
func acceptOffer(offer string) *deflateTerms {
	const blanks = " \t"
	name, rest, more := strings.Cut(offer, ";")
	if name = strings.Trim(name, blanks); name != "permessage-deflate" {
		return nil
	}
	terms := &deflateTerms{response: name, window: maxWindow}
	var seen []string
	for more {
		var parameter string
		parameter, rest, more = strings.Cut(rest, ";")
		name, value, valued := strings.Cut(parameter, "=")
		name, value = strings.Trim(name, blanks), strings.Trim(value, blanks)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		bits := slices.Index(windowBits, value)
		if slices.Contains(seen, name) {
			return nil
		}
		seen = append(seen, name)
		switch {
		case name == "client_max_window_bits" && (!valued || bits >= 0):
			// The client can do with less. It need not.
		case name == "server_max_window_bits" && bits >= 0:
			terms.window = 256 << bits
			terms.response += ";" + name + "=" + value
		case name == "server_no_context_takeover" && !valued:
			terms.response += ";" + name
		case name == "client_no_context_takeover" && !valued:
			terms.clientForgets = true
			terms.response += ";" + name
		default:
			return nil
		}
	}
	return terms
}
