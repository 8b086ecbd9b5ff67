package ws

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"slices"
	"testing"
)

// inflatePlainly inflates messages in the plainest way: everything that a client
// has sent is one DEFLATE stream, read from its start without a dictionary, and a
// message is what its part adds. final reports that the stream ends before its
// parts do. That case is left to the examples of TestDeflateFrames.
func inflatePlainly(parts [][]byte, limit int) (message []byte, code int, final bool) {
	var stream []byte
	before := 0
	for i, part := range parts {
		stream = append(append(stream, part...), 0, 0, 0xFF, 0xFF)
		whole := bytes.NewReader(append(slices.Clone(stream), 1, 0, 0, 0xFF, 0xFF))
		text, err := io.ReadAll(flate.NewReader(whole))
		switch {
		case err != nil:
			return nil, CloseInvalidData, false
		case whole.Len() > 0:
			return nil, 0, true
		case i < len(parts)-1:
			before = len(text)
		case len(text)-before > limit:
			return nil, CloseTooBig, false
		}
		message = text[min(before, len(text)):]
	}
	return message, 0, false
}

// FuzzInflate compares the Inflater with compress/flate over everything that a
// client sent (RFC 7692 section 7.2.2; RFC 6455 section 7.4.1).
func FuzzInflate(f *testing.F) {
	for _, seed := range [][2]string{
		{"\xF2\x48\xCD\xC9\xC9\x07\x00", "\xF2\x00\x11\x00\x00"}, {"\x00", "\x00"}, {"", ""},
		{"\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00", "\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"},
		{"\xF3\x48\xCD\xC9\xC9\x07\x00\x00", "\xF2\x48"}, {"\x06\x00", "\xFF"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), uint16(100))
	}
	f.Fuzz(func(t *testing.T, first, second []byte, limit16 uint16) {
		limit := int(limit16)
		var in Inflater
		var parts [][]byte
		for _, part := range [][]byte{first, second, first} {
			parts = append(parts, part)
			got, err := in.Inflate(slices.Clone(part), limit)
			want, code, final := inflatePlainly(parts, limit)
			if final {
				return
			}
			var fail Failure
			if errors.As(err, &fail); int(fail) != code && !(fail == CloseTooBig && code == CloseInvalidData) {
				t.Fatalf("% x: got %v, want %d", parts, err, code)
			}
			if err != nil {
				return
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("% x:\n got %q\nwant %q", parts, got, want)
			}
			if len(in.window) > MaxWindow || !bytes.HasSuffix(in.window, got[max(0, len(got)-MaxWindow):]) {
				t.Fatalf("% x: a window of %d bytes after a message of %d", parts, len(in.window), len(got))
			}
		}
	})
}

// FuzzCompress inflates each compressed message by itself, both a new one and one
// that the Compressor remembers (RFC 7692 section 7.2; RFC 6455 section 5.2).
func FuzzCompress(f *testing.F) {
	f.Add([]byte("a"), []byte("b"))
	f.Add(bytes.Repeat([]byte("stock"), 100), bytes.Repeat([]byte{0}, 70_000))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var c Compressor
		for _, message := range [][]byte{one, two, two, one} {
			packed := c.Compress(message)
			if packed == nil {
				continue
			}
			if len(packed) >= len(message) {
				t.Fatalf("%d bytes became %d", len(message), len(packed))
			}
			var in Inflater
			if got, err := in.Inflate(slices.Clone(packed), len(message)); err != nil || !bytes.Equal(got, message) {
				t.Fatalf("got %q, %v, want %q", got, err, message)
			}
		}
	})
}
