package ws

import (
	"bytes"
	"compress/flate"
	"sync"
	"sync/atomic"
)

// Compressor compresses messages to clients, each by itself, as a sender may (RFC
// 7692 section 7.2.1). So it keeps nothing for a connection. It remembers the last
// message, so a message to many clients is compressed once. It is safe for
// concurrent use, and its zero value is ready.
type Compressor struct {
	last atomic.Pointer[compressed]
}

// compressed is a message and its compressed form, which is nil if that is not
// shorter.
type compressed struct{ message, packed []byte }

// Compress returns the compressed message, or nil if that is not shorter.
func (c *Compressor) Compress(message []byte) []byte {
	if last := c.last.Load(); last != nil && bytes.Equal(last.message, message) {
		return last.packed
	}
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	d.out.Reset()
	d.in.Reset(&d.out)
	_, _ = d.in.Write(message) // writing to a buffer cannot fail
	_ = d.in.Flush()
	next := &compressed{message: bytes.Clone(message)} // the caller may reuse its slice later
	if packed := bytes.TrimSuffix(d.out.Bytes(), strippedTail); len(packed) < len(message) {
		next.packed = bytes.Clone(packed)
	}
	c.last.Store(next)
	return next.packed
}

// deflater writes DEFLATE streams. It has about 700 KB of memory, which
// connections share.
type deflater struct {
	out bytes.Buffer
	in  *flate.Writer
}

var deflaters = sync.Pool{New: func() any {
	d := new(deflater)
	d.in, _ = flate.NewWriter(&d.out, flate.BestSpeed) // fails for unknown levels only
	return d
}}
