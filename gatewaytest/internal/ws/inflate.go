package ws

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"sync"
)

// A compressed message is a DEFLATE stream that ends with an empty stored block
// whose last four bytes are not sent (RFC 7692 section 7.2.1). streamEnd restores
// them and adds a final block, at which a reader of streams stops.
var (
	strippedTail = []byte{0x00, 0x00, 0xFF, 0xFF}
	streamEnd    = append(slices.Clone(strippedTail), 0x01, 0x00, 0x00, 0xFF, 0xFF)
)

const (
	// MaxWindow is how far back compressed data may refer, in bytes (RFC 1951
	// section 2, RFC 7692 section 7.1.2: 32 KB).
	MaxWindow = 32 * 1024

	// inflateGrowth is the least free room that an inflated message is given, in
	// bytes. Our own choice.
	inflateGrowth = 512
)

// Inflater decompresses the messages of one client, which may refer to earlier
// ones (RFC 7692 section 7.2.2). It is not safe for concurrent use.
type Inflater struct {
	noTakeover bool   // messages do not refer to earlier ones
	window     []byte // the last bytes of the compressed messages so far
}

// NewInflater returns the inflater for a connection with these terms; nil terms
// mean no compression, and no inflater.
func NewInflater(terms *Deflate) *Inflater {
	if terms == nil {
		return nil
	}
	return &Inflater{noTakeover: terms.ClientNoTakeover}
}

// Inflate returns a message of at most limit bytes. A longer one fails with 1009
// as soon as the limit is passed. Invalid data fails with 1007: RFC 7692 names no
// code, and 1007 is for data that is not of the type of its message (RFC 6455
// section 7.4.1). Inflate appends to packed.
func (i *Inflater) Inflate(packed []byte, limit int) ([]byte, error) {
	source := streams.Get().(*stream)
	defer streams.Put(source)
	source.in.Reset(append(packed, streamEnd...))
	var message []byte
	// A sender may end its stream within a message. Another stream follows then,
	// which refers to nothing (RFC 7692 section 7.2.3.4).
	for history := i.window; source.in.Len() > 0; history = nil {
		_ = source.out.(flate.Resetter).Reset(&source.in, history) // never fails
		for {
			message = slices.Grow(message, inflateGrowth)
			n, err := source.out.Read(message[len(message):min(cap(message), limit+1)])
			message = message[:len(message)+n]
			if len(message) > limit {
				return nil, Failure(CloseTooBig) // G-LIMIT-3
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, Failure(CloseInvalidData)
			}
		}
	}
	if !i.noTakeover {
		i.remember(message)
	}
	return message, nil
}

// remember keeps the last bytes, to which later messages may refer.
func (i *Inflater) remember(message []byte) {
	message = message[max(0, len(message)-MaxWindow):]
	if excess := len(i.window) + len(message) - MaxWindow; excess > 0 {
		i.window = append(i.window[:0], i.window[excess:]...)
	}
	i.window = append(i.window, message...)
}

// stream reads DEFLATE streams. It has about 45 KB of memory, which connections
// share.
type stream struct {
	in  bytes.Reader // an io.ByteReader, so that flate reads no byte too many
	out io.ReadCloser
}

var streams = sync.Pool{New: func() any {
	s := new(stream)
	s.out = flate.NewReader(&s.in)
	return s
}}
