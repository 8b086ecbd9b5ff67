package gatewaytest

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// The opcodes of RFC 6455 section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// The bits of a frame's first two bytes.
const (
	bitFin     = 0x80
	bitsRSV    = 0x70
	bitRSV1    = 0x40
	bitsOpcode = 0x0F
	bitMask    = 0x80
	bitsLength = 0x7F
	bitControl = 0x08 // in the opcode
)

// The close codes of RFC 6455 section 7.4.1 that occur here.
const (
	closeNormal      = 1000
	closeGoingAway   = 1001
	closeProtocol    = 1002
	closeUnsupported = 1003
	closeNoStatus    = 1005 // never on the wire
	closeAbnormal    = 1006 // never on the wire
	closeInvalidData = 1007
	closePolicy      = 1008
	closeTooBig      = 1009
	closeInternal    = 1011
	closeRestart     = 1012 // of the registry that section 11.7 founded
)

// frameHeader is a frame without its payload. It has few fields, so that it
// stays in registers: each byte on the stack of a reader is a byte for each
// connection.
type frameHeader struct {
	first  byte // fin, the reserved bits, and the opcode
	length int64
	mask   uint32 // little-endian, so that byte 0 is the first to use
}

func (h frameHeader) fin() bool        { return h.first&bitFin != 0 }
func (h frameHeader) opcode() byte     { return h.first & bitsOpcode }
func (h frameHeader) control() bool    { return h.first&bitControl != 0 }
func (h frameHeader) compressed() bool { return h.first&bitRSV1 != 0 } // never of a continuation or a control frame

// failure is a reason to fail the connection with a close code (RFC 6455
// section 7.1.7).
type failure int

func (f failure) Error() string { return "gatewaytest: the peer's frame breaks the rules" }

// mayCompress reports whether the first byte of a frame may have RSV1, and no
// other reserved bit: on the first frame of a message only (RFC 7692 section 6).
func mayCompress(first byte) bool {
	opcode := first & bitsOpcode
	return first&bitsRSV == bitRSV1 && (opcode == opText || opcode == opBinary)
}

// header reads and checks a frame's header. The error is a failure, or the
// connection's.
func (r *reader) header() (frameHeader, error) {
	b, err := r.take(2)
	if err != nil {
		return frameHeader{}, err
	}
	h := frameHeader{first: b[0], length: int64(b[1] & bitsLength)}
	switch {
	case b[0]&bitsRSV != 0 && !(r.inflate != nil && mayCompress(b[0])), b[1]&bitMask == 0:
		return h, failure(closeProtocol)
	case h.opcode() > opBinary && h.opcode() < opClose, h.opcode() > opPong:
		return h, failure(closeProtocol)
	case h.control() && (!h.fin() || h.length > maxControlPayload):
		return h, failure(closeProtocol)
	}
	switch h.length {
	case 126:
		if b, err = r.take(2); err != nil {
			return h, err
		}
		h.length = int64(binary.BigEndian.Uint16(b))
		if h.length < 126 {
			return h, failure(closeProtocol) // not the shortest form
		}
	case 127:
		if b, err = r.take(8); err != nil {
			return h, err
		}
		length := binary.BigEndian.Uint64(b)
		if length>>63 != 0 || length <= 0xFFFF {
			return h, failure(closeProtocol)
		}
		h.length = int64(length)
	}
	if b, err = r.take(4); err != nil {
		return h, err
	}
	h.mask = binary.LittleEndian.Uint32(b)
	return h, nil
}

// take returns the next n bytes, which are good until the next read.
func (r *reader) take(n int) ([]byte, error) {
	b, err := r.src.Peek(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	_, _ = r.src.Discard(len(b)) // they are there
	return b, err
}

// unmask lifts the mask from a piece of payload and returns the mask turned to
// where the next piece starts (RFC 6455 section 5.3).
func unmask(p []byte, mask uint32) uint32 {
	wide := uint64(mask)<<32 | uint64(mask)
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(mask)
		mask = bits.RotateLeft32(mask, -8)
	}
	return mask
}

// maxServerHeader is the longest header of a frame that the gateway sends: two
// bytes and a 64-bit length, and no mask.
const maxServerHeader = 10

// putServerHeader writes the header of a frame and returns its length. The
// first byte is the opcode, with bitFin unless more fragments follow, and bitRSV1
// on the first frame of a compressed message.
func putServerHeader(b *[maxServerHeader]byte, first byte, length int) int {
	b[0] = first
	n := serverHeaderLength(length)
	switch n {
	case 2:
		b[1] = byte(length)
	case 4:
		b[1] = 126
		binary.BigEndian.PutUint16(b[2:], uint16(length))
	default:
		b[1] = 127
		binary.BigEndian.PutUint64(b[2:], uint64(length))
	}
	return n
}

// serverHeaderLength is the length of the header before a payload of length
// bytes.
func serverHeaderLength(length int) int {
	switch {
	case length <= maxControlPayload:
		return 2
	case length <= 0xFFFF:
		return 4
	}
	return maxServerHeader
}

// closePayload is the payload of a close frame.
func closePayload(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// parseClose reads the payload of a client's close frame. A frame without a
// code is 1005 with the service's text (G-CLOSE-2).
func parseClose(payload []byte) (code int, reason string, err error) {
	switch len(payload) {
	case 0:
		return closeNoStatus, reasonNoStatus, nil
	case 1:
		return 0, "", failure(closeProtocol)
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !sendableCode(code) {
		return 0, "", failure(closeProtocol)
	}
	var check utf8Check
	if !check.add(payload[2:]) || !check.complete() {
		return 0, "", failure(closeInvalidData)
	}
	return code, string(payload[2:]), nil
}

// sendableCode reports whether a code may be in a close frame: those the RFC
// and the registry define, and the ranges for libraries and applications
// (RFC 6455 section 7.4.2).
func sendableCode(code int) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code >= 1007 && code <= 1014:
		return true
	default:
		return code >= closeNormal && code <= closeUnsupported
	}
}
