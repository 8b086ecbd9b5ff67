package ws

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// The close codes of RFC 6455 section 7.4.1 that API Gateway uses.
const (
	CloseNormal      = 1000
	CloseGoingAway   = 1001
	CloseProtocol    = 1002
	CloseUnsupported = 1003
	CloseNoStatus    = 1005 // never on the wire
	CloseAbnormal    = 1006 // never on the wire
	CloseInvalidData = 1007
	ClosePolicy      = 1008
	CloseTooBig      = 1009
	CloseInternal    = 1011
	CloseRestart     = 1012 // from the registry of section 11.7
)

// Failure is an error of the client, with the close code for its connection (RFC
// 6455 section 7.1.7).
type Failure int

func (f Failure) Error() string { return fmt.Sprintf("ws: invalid frames, close code %d", int(f)) }

// ClosePayload is the payload of a close frame.
func ClosePayload(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// ParseClose reads the payload of a client's close frame. The code of an empty
// one is CloseNoStatus. The error is a Failure.
func ParseClose(payload []byte) (code int, reason string, err error) {
	switch len(payload) {
	case 0:
		return CloseNoStatus, "", nil
	case 1:
		return 0, "", Failure(CloseProtocol)
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !sendable(code) {
		return 0, "", Failure(CloseProtocol)
	}
	if !utf8.Valid(payload[2:]) {
		return 0, "", Failure(CloseInvalidData)
	}
	return code, string(payload[2:]), nil
}

// sendable reports whether a code may be in a close frame: those that the RFC and
// the registry define, and the ranges for libraries and applications (RFC 6455
// section 7.4.2).
func sendable(code int) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code >= 1007 && code <= 1014:
		return true
	default:
		return code >= CloseNormal && code <= CloseUnsupported
	}
}
