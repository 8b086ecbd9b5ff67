package ws

import (
	"net/http"
	"slices"
	"strings"
)

// Deflate is what a client and the server agreed on for permessage-deflate (RFC
// 7692 section 7.1).
type Deflate struct {
	Response         string // the value of sec-websocket-extensions
	Window           int    // how many bytes back the server's messages may refer
	ClientNoTakeover bool   // the client's messages do not refer to earlier ones
}

// windowBits are the values that the window parameters may have: 256 bytes to
// MaxWindow (RFC 7692 section 7.1.2).
var windowBits = []string{"8", "9", "10", "11", "12", "13", "14", "15"}

// AcceptDeflate accepts the first acceptable offer of a client (RFC 7692 section
// 5), or returns nil.
//
// A comma inside a quoted value needs no care: such a value is a token between
// quotes (RFC 6455 section 9.1), and no token has a comma.
func AcceptDeflate(h http.Header) *Deflate {
	for _, value := range h.Values("Sec-WebSocket-Extensions") {
		for offer := range strings.SplitSeq(value, ",") {
			if terms := acceptOffer(offer); terms != nil {
				return terms
			}
		}
	}
	return nil
}

// acceptOffer reads one offer. It returns nil if the offer is for another
// extension, or has a parameter that is unknown, malformed or repeated (RFC 7692
// section 7.1).
//
// What the client does not ask for stays unchanged, its own window included, so
// the response to a browser's offer is the name alone (assumed). The spelling is
// that of the captured response (G-HANDSHAKE-15).
func acceptOffer(offer string) *Deflate {
	const blanks = " \t"
	name, rest, more := strings.Cut(offer, ";")
	if name = strings.Trim(name, blanks); name != "permessage-deflate" {
		return nil
	}
	terms := &Deflate{Response: name, Window: MaxWindow}
	var seen []string
	for more {
		var parameter string
		parameter, rest, more = strings.Cut(rest, ";")
		name, value, hasValue := strings.Cut(parameter, "=")
		name, value = strings.Trim(name, blanks), strings.Trim(value, blanks)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		if slices.Contains(seen, name) || !terms.accept(name, value, hasValue) {
			return nil
		}
		seen = append(seen, name)
	}
	return terms
}

// accept takes one parameter into the terms, or reports false.
func (d *Deflate) accept(name, value string, hasValue bool) bool {
	bits := slices.Index(windowBits, value)
	switch {
	case name == "client_max_window_bits" && (!hasValue || bits >= 0):
		return true // an offer to use a smaller window, which we decline
	case name == "server_max_window_bits" && bits >= 0:
		d.Window = 256 << bits
		d.Response += ";" + name + "=" + value
		return true
	case name == "server_no_context_takeover" && !hasValue:
		d.Response += ";" + name
		return true
	case name == "client_no_context_takeover" && !hasValue:
		d.ClientNoTakeover = true
		d.Response += ";" + name
		return true
	}
	return false
}
