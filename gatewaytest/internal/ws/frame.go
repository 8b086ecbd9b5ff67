package ws

import (
	"encoding/binary"
	"math/bits"
)

// The opcodes of RFC 6455 section 5.2.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xA
)

// The bits of a frame's first byte, besides its opcode.
const (
	Fin  = 0x80 // the last frame of a message
	RSV1 = 0x40 // the first frame of a compressed message (RFC 7692 section 6)
)

const (
	maskRSV     = 0x70 // in the first byte
	maskOpcode  = 0x0F // in the first byte
	bitControl  = 0x08 // in the opcode
	bitMasked   = 0x80 // in the second byte
	maskLength7 = 0x7F // in the second byte
)

// MaxControlPayload is the longest payload of a control frame, in bytes (RFC
// 6455 section 5.5).
const MaxControlPayload = 125

// maxHeader is the longest header of a frame to a client: two bytes, a 64-bit
// length, and no mask.
const maxHeader = 10

// Frame is a frame to a client. Its payload is not copied, so other connections
// may send the same bytes at the same time.
type Frame struct {
	Payload []byte

	header       [maxHeader]byte
	headerLength uint8
}

// NewFrame returns a frame. The first byte is the opcode, with Fin unless more
// fragments follow, and RSV1 on the first frame of a compressed message.
func NewFrame(first byte, payload []byte) Frame {
	f := Frame{Payload: payload}
	f.header[0] = first
	n := headerLength(len(payload))
	switch n {
	case 2:
		f.header[1] = byte(len(payload))
	case 4:
		f.header[1] = 126
		binary.BigEndian.PutUint16(f.header[2:], uint16(len(payload)))
	default:
		f.header[1] = 127
		binary.BigEndian.PutUint64(f.header[2:], uint64(len(payload)))
	}
	f.headerLength = uint8(n)
	return f
}

// Header returns the bytes before the payload.
func (f *Frame) Header() []byte { return f.header[:f.headerLength] }

// Size is the length of the whole frame in bytes.
func (f *Frame) Size() int { return int(f.headerLength) + len(f.Payload) }

// IsData reports whether the frame is part of a message.
func (f *Frame) IsData() bool { return f.header[0]&maskOpcode <= OpText }

// IsClose reports whether the frame is a close frame.
func (f *Frame) IsClose() bool { return f.header[0] == Fin|OpClose }

// MessageSize is the length of a message to a client in bytes: its payload and
// the headers of its fragments, which have at most most bytes of payload each.
func MessageSize(length, most int) int {
	full := max(length-1, 0) / most
	return length + full*headerLength(most) + headerLength(length-full*most)
}

// headerLength is the length of the header before a payload of length bytes.
func headerLength(length int) int {
	switch {
	case length <= 125:
		return 2
	case length <= 0xFFFF:
		return 4
	}
	return maxHeader
}

// header is the header of a client's frame. It has few fields, so that it stays
// in registers: each byte on the stack of a reader is a byte for each connection.
type header struct {
	first  byte // Fin, the reserved bits, and the opcode
	length int64
	mask   uint32 // little-endian: byte 0 is used first
}

func (h header) fin() bool        { return h.first&Fin != 0 }
func (h header) opcode() byte     { return h.first & maskOpcode }
func (h header) control() bool    { return h.first&bitControl != 0 }
func (h header) compressed() bool { return h.first&RSV1 != 0 } // never on a continuation or a control frame

// mayCompress reports whether the first byte of a frame may have RSV1, and has no
// other reserved bit: on the first frame of a message only (RFC 7692 section 6).
func mayCompress(first byte) bool {
	opcode := first & maskOpcode
	return first&maskRSV == RSV1 && (opcode == OpText || opcode == OpBinary)
}

// unmask removes the mask from a piece of payload. It returns the mask rotated to
// the start of the next piece (RFC 6455 section 5.3).
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
