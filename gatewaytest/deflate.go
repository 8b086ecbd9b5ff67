package gatewaytest

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"sync"
)

// A compressed message is a DEFLATE stream that ends with an empty stored block
// whose last four bytes are not sent (RFC 7692 section 7.2.1). streamEnd puts
// them back and adds a final block, at which a reader of streams ends.
var (
	strippedTail = []byte{0x00, 0x00, 0xFF, 0xFF}
	streamEnd    = append(slices.Clone(strippedTail), 0x01, 0x00, 0x00, 0xFF, 0xFF)
)

// inflater undoes the compression of one client's messages, which may refer to
// what they said before (RFC 7692 section 7.2.2). It belongs to the
// connection's reader.
type inflater struct {
	forgets      bool   // messages do not refer to earlier ones
	packedCounts bool   // limits were for what came, not for what it inflates to
	window       []byte // the end of what has come, compressed; nil until then
}

// inflater is what the client's messages are read with; nil: none is compressed.
func (c *conn) inflater() *inflater {
	if c.deflate == nil {
		return nil
	}
	return &inflater{forgets: c.deflate.clientForgets, packedCounts: c.g.api.Assumptions.CompressedCounts}
}

// inflate returns a message of at most limit bytes. A longer one is given up
// there and fails with 1009, and what is no DEFLATE data with 1007: RFC 7692
// names no code, and 1007 is for data that is not what its message says that it
// is (RFC 6455 section 7.4.1). Packed is appended to.
func (i *inflater) inflate(packed []byte, limit int) ([]byte, error) {
	source := streams.Get().(*stream)
	defer streams.Put(source)
	source.in.Reset(append(packed, streamEnd...))
	var message []byte
	// A sender may end its stream within a message; what follows is another,
	// which refers to nothing (RFC 7692 section 7.2.3.4).
	for history := i.window; source.in.Len() > 0; history = nil {
		source.out.(flate.Resetter).Reset(&source.in, history) // fails never
		for {
			message = slices.Grow(message, readSmallBytes)
			n, err := source.out.Read(message[len(message):min(cap(message), limit+1)])
			message = message[:len(message)+n]
			if len(message) > limit {
				return nil, failure(closeTooBig) // G-LIMIT-3
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, failure(closeInvalidData)
			}
		}
	}
	if !i.forgets {
		i.remember(message)
	}
	return message, nil
}

// remember keeps the last bytes that later messages may refer to.
func (i *inflater) remember(message []byte) {
	message = message[max(0, len(message)-maxWindow):]
	if over := len(i.window) + len(message) - maxWindow; over > 0 {
		i.window = append(i.window[:0], i.window[over:]...)
	}
	i.window = append(i.window, message...)
}

// stream is a DEFLATE stream that is read, with some 45 KB of memory that
// connections share.
type stream struct {
	in  bytes.Reader // an io.ByteReader, so that no byte too many is taken
	out io.ReadCloser
}

var streams = sync.Pool{New: func() any {
	s := new(stream)
	s.out = flate.NewReader(&s.in)
	return s
}}

// deflater writes DEFLATE streams, with some 700 KB of memory that connections
// share.
type deflater struct {
	out bytes.Buffer
	in  *flate.Writer
}

var deflaters = sync.Pool{New: func() any {
	d := new(deflater)
	d.in, _ = flate.NewWriter(&d.out, flate.BestSpeed) // an error is for other levels
	return d
}}

// deflated is a message and its compressed form, which is nil when that is no
// shorter.
type deflated struct{ message, packed []byte }

// deflate compresses a message by itself, as a sender may at its will (RFC 7692
// section 7.2.1): so nothing is kept for a connection, and what is posted to
// many is compressed once, because the last message is remembered.
func (g *Gateway) deflate(message []byte) []byte {
	if last := g.lastDeflated.Load(); last != nil && bytes.Equal(last.message, message) {
		return last.packed
	}
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	d.out.Reset()
	d.in.Reset(&d.out)
	_, _ = d.in.Write(message) // a buffer takes everything
	_ = d.in.Flush()
	done := &deflated{message: bytes.Clone(message)} // the caller's may change one day
	if packed := bytes.TrimSuffix(d.out.Bytes(), strippedTail); len(packed) < len(message) {
		done.packed = bytes.Clone(packed)
	}
	g.lastDeflated.Store(done)
	return done.packed
}

// pack returns the compressed form of a message for this client, or nil if the
// message goes out as it is: because nothing was agreed on, because there is
// little to gain, or because the client's window is smaller than the message and
// our compressor knows only one size.
func (c *conn) pack(message []byte) []byte {
	if c.deflate == nil || len(message) < minDeflateBytes {
		return nil
	}
	if c.deflate.window < maxWindow && len(message) > c.deflate.window {
		return nil
	}
	return c.g.deflate(message)
}
