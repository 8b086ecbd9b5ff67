package gatewaytest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"
)

// idBytes is the length of an id of the service: 16 characters with the
// padding, which is always there (G-EVENT-6).
const idBytes = 11

// idSuffix is the last three bytes of an id. The connection id and the message
// ids of one connection have the same suffix, which starts with 0x02. That of a
// request id starts with 0x05.
type idSuffix [3]byte

// strictID refuses ids with unused bits set, which the service never creates.
var strictID = base64.URLEncoding.Strict()

func newConnectionSuffix() idSuffix {
	s := idSuffix{0x02}
	random(s[1:])
	return s
}

// newID returns an id whose leading bytes increase with time, in steps of about
// a quarter of a second, as those of the service do.
func newID(now time.Time, suffix idSuffix) string {
	var b [idBytes]byte
	quarters := now.UnixMilli() >> 8
	b[0], b[1], b[2], b[3] = byte(quarters>>24), byte(quarters>>16), byte(quarters>>8), byte(quarters)
	random(b[4:8])
	copy(b[8:], suffix[:])
	return base64.URLEncoding.EncodeToString(b[:])
}

func newRequestID(now time.Time) string {
	s := idSuffix{0x05}
	random(s[1:])
	return newID(now, s)
}

// validID reports whether an id is well-formed. G-MGMT-6 distinguishes this
// from whether a connection has it.
func validID(id string) bool {
	b, err := strictID.DecodeString(id)
	return err == nil && len(b) == idBytes && len(id) == base64.URLEncoding.EncodedLen(idBytes)
}

// newUUID returns the x-amzn-RequestId of an HTTP response (RFC 9562, version
// 4).
func newUUID() string {
	var b [16]byte
	random(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	digits := hex.EncodeToString(b[:])
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}

// newTraceID returns a value for X-Amzn-Trace-Id (G-EVENT-7).
func newTraceID(now time.Time) string {
	var b [12]byte
	random(b[:])
	return fmt.Sprintf("Root=1-%08x-%s", uint32(now.Unix()), hex.EncodeToString(b[:]))
}

// random fills b. crypto/rand.Read never returns an error: without randomness
// it ends the program.
func random(b []byte) { rand.Read(b) }
