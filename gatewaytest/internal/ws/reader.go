package ws

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

const (
	// readBuffer is the read buffer that every open connection keeps, in bytes.
	// Our own choice.
	readBuffer = 256

	// readChunk is how many bytes of a payload are read at a time, so that a
	// client that announces much and sends little costs little. Our own choice.
	readChunk = 4 * 1024
)

// Limits are the limits of a client's messages, in bytes.
type Limits struct {
	Frame   int // payload of one frame, as sent
	Message int // one message, as sent

	// Inflated limits a compressed message after inflation. 0: Frame for each of
	// its frames, and at most Message.
	Inflated int
}

// Reader reads the messages of one client. It is not safe for concurrent use.
type Reader struct {
	src     *bufio.Reader
	control func(opcode byte, payload []byte) error
	limits  *Limits
	inflate *Inflater // nil: messages are not compressed

	// The message that is being read.
	message    []byte
	check      utf8Check // over message, unless it is compressed
	started    bool
	compressed bool
	frames     int
}

// NewReader returns a reader of early, which the HTTP server has already read,
// and then of r. It passes control frames to control. A nil inflater means that no
// compression was agreed on.
func NewReader(early []byte, r io.Reader, limits *Limits, inflate *Inflater, control func(byte, []byte) error) *Reader {
	if len(early) > 0 {
		r = io.MultiReader(bytes.NewReader(early), r)
	}
	return &Reader{src: bufio.NewReaderSize(r, readBuffer), control: control, limits: limits, inflate: inflate}
}

// Buffered reports whether a part of the next frame has been read.
func (r *Reader) Buffered() bool { return r.src.Buffered() > 0 }

// Next returns the next complete text message. The error is a [Failure], the
// control function's, or the connection's.
func (r *Reader) Next() ([]byte, error) {
	for {
		h, err := r.header()
		if err != nil {
			return nil, err
		}
		if h.control() {
			payload := make([]byte, h.length)
			if _, err := io.ReadFull(r.src, payload); err != nil {
				return nil, err
			}
			unmask(payload, h.mask)
			if err := r.control(h.opcode(), payload); err != nil {
				return nil, err
			}
			continue
		}
		if err := r.data(h); err != nil {
			return nil, err
		}
		if !h.fin() {
			continue
		}
		return r.finish()
	}
}

// header reads and checks the header of a frame.
func (r *Reader) header() (header, error) {
	b, err := r.take(2)
	if err != nil {
		return header{}, err
	}
	h := header{first: b[0], length: int64(b[1] & maskLength7)}
	switch {
	case b[0]&maskRSV != 0 && !(r.inflate != nil && mayCompress(b[0])), b[1]&bitMasked == 0:
		return h, Failure(CloseProtocol)
	case h.opcode() > OpBinary && h.opcode() < OpClose, h.opcode() > OpPong:
		return h, Failure(CloseProtocol)
	case h.control() && (!h.fin() || h.length > MaxControlPayload):
		return h, Failure(CloseProtocol)
	}
	switch h.length {
	case 126:
		if b, err = r.take(2); err != nil {
			return h, err
		}
		h.length = int64(binary.BigEndian.Uint16(b))
		if h.length < 126 {
			return h, Failure(CloseProtocol) // not the shortest form
		}
	case 127:
		if b, err = r.take(8); err != nil {
			return h, err
		}
		length := binary.BigEndian.Uint64(b)
		if length>>63 != 0 || length <= 0xFFFF {
			return h, Failure(CloseProtocol)
		}
		h.length = int64(length)
	}
	if b, err = r.take(4); err != nil {
		return h, err
	}
	h.mask = binary.LittleEndian.Uint32(b)
	return h, nil
}

// take returns the next n bytes. They are valid until the next read.
func (r *Reader) take(n int) ([]byte, error) {
	b, err := r.src.Peek(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	_, _ = r.src.Discard(len(b)) // cannot fail: they are in the buffer
	return b, err
}

// data reads one data frame into the message. Every rule that the header alone
// can break is checked before any of the payload is read.
func (r *Reader) data(h header) error {
	switch {
	case r.started != (h.opcode() == OpContinuation):
		return Failure(CloseProtocol)
	case h.opcode() == OpBinary:
		return Failure(CloseUnsupported) // G-FRAME-1
	case h.length > int64(r.limits.Frame), int64(len(r.message))+h.length > int64(r.limits.Message):
		return Failure(CloseTooBig) // G-LIMIT-1
	}
	if !r.started {
		r.started, r.compressed = true, h.compressed()
	}
	r.frames++
	mask := h.mask
	for remaining := int(h.length); remaining > 0; {
		// In pieces: memory grows with what has arrived, and invalid text fails
		// as soon as it is read.
		n := min(remaining, readChunk)
		r.message = slices.Grow(r.message, n)
		piece := r.message[len(r.message) : len(r.message)+n]
		n, err := r.src.Read(piece)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		piece = piece[:n]
		mask = unmask(piece, mask)
		if !r.compressed && !r.check.add(piece) {
			return Failure(CloseInvalidData) // G-FRAME-7
		}
		r.message = r.message[:len(r.message)+n]
		remaining -= n
	}
	return nil
}

// finish returns the message whose last frame was read, inflated.
func (r *Reader) finish() ([]byte, error) {
	message := r.message
	if r.compressed {
		// The limits apply to the inflated bytes (G-LIMIT-3, assumed). What each
		// frame inflates to is not known, so n frames may have n times a frame.
		limit := min(r.frames*r.limits.Frame, r.limits.Message)
		if r.limits.Inflated > 0 {
			limit = r.limits.Inflated
		}
		var err error
		if message, err = r.inflate.Inflate(message, limit); err != nil {
			return nil, err
		}
		if !r.check.add(message) {
			return nil, Failure(CloseInvalidData)
		}
	}
	if !r.check.complete() {
		return nil, Failure(CloseInvalidData)
	}
	r.message, r.check, r.started, r.frames = nil, utf8Check{}, false, 0
	return message, nil
}
