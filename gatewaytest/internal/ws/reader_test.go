package ws

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// readPlainly reads the same bytes in the plainest way, following the words of RFC
// 6455 and G-LIMIT-1. It returns what a Reader must return: the messages, the
// control frames, and the close code of the failure, if any.
func readPlainly(in []byte) (messages []string, controls []string, code int) {
	var message []byte
	started := false
	for {
		if len(in) < 2 {
			return
		}
		fin, rsv, opcode := in[0]&0x80 != 0, in[0]&0x70, in[0]&0x0F
		masked, n, rest := in[1]&0x80 != 0, uint64(in[1]&0x7F), in[2:]
		control := opcode >= 8
		if rsv != 0 || !masked || (opcode > 2 && opcode < 8) || opcode > 10 || control && (!fin || n > 125) {
			return messages, controls, 1002
		}
		switch n {
		case 126:
			if len(rest) < 2 {
				return
			}
			n, rest = uint64(binary.BigEndian.Uint16(rest)), rest[2:]
			if n <= 125 {
				return messages, controls, 1002
			}
		case 127:
			if len(rest) < 8 {
				return
			}
			n, rest = binary.BigEndian.Uint64(rest), rest[8:]
			if n <= 65535 || n >= 1<<63 {
				return messages, controls, 1002
			}
		}
		if len(rest) < 4 {
			return
		}
		mask, rest := rest[:4], rest[4:]
		if !control {
			switch {
			case started != (opcode == 0):
				return messages, controls, 1002
			case opcode == 2:
				return messages, controls, 1003
			case n > 32*1024 || uint64(len(message))+n > 128*1024:
				return messages, controls, 1009
			}
		}
		whole := n <= uint64(len(rest))
		payload := make([]byte, min(n, uint64(len(rest))))
		for i := range payload {
			payload[i] = rest[i] ^ mask[i%4]
		}
		if control {
			if !whole {
				return
			}
			controls = append(controls, string(payload))
		} else {
			started = true
			message = append(message, payload...)
			if !startsUTF8(message) || whole && fin && !utf8.Valid(message) {
				return messages, controls, 1007
			}
			if !whole {
				return
			}
			if fin {
				messages = append(messages, string(message))
				message, started = nil, false
			}
		}
		in = rest[n:]
	}
}

// startsUTF8 reports whether b can be continued to valid UTF-8.
func startsUTF8(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			b = b[n:]
			continue
		}
		// If the rest is the start of a character, some continuation bytes
		// complete it.
		for _, second := range []string{"", "\x80", "\x90", "\xA0", "\xBF"} {
			for _, tail := range []string{"", "\x80", "\x80\x80"} {
				completed := string(b) + second + tail
				if r, n := utf8.DecodeRuneInString(completed); (r != utf8.RuneError || n > 1) && n == len(completed) {
					return true
				}
			}
		}
		return false
	}
	return true
}

// pieceReader returns bytes in pieces of changing length, as a network does.
type pieceReader struct {
	b    []byte
	step int
}

func (s *pieceReader) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	s.step = s.step%7 + 1
	n := copy(p, s.b[:min(s.step, len(s.b))])
	s.b = s.b[n:]
	return n, nil
}

// FuzzReader compares the Reader with readPlainly (RFC 6455 section 5).
func FuzzReader(f *testing.F) {
	mask := "\x01\x02\x03\x04"
	for _, seed := range []string{
		"", "\x81", "\x81\x85" + mask + "igoho", "\x01\x81" + mask + "i\x80\x81" + mask + "i",
		"\x89\x80" + mask, "\x88\x82" + mask + "\x02\xEA", "\x81\xFE\x00\x7E" + mask + strings.Repeat("a", 126),
		"\x81\xFF\x00\x00\x00\x00\x00\x01\x00\x00" + mask, "\x82\x80" + mask, "\x81\x81" + mask + "\xFE",
		"\x01\x82\x00\x00\x00\x00\xE2\x82\x80\x81\x00\x00\x00\x00\xAC", "\xC1\x80" + mask, "\x81\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, src := range []io.Reader{bytes.NewReader(in), &pieceReader{b: in}} {
			var messages, controls []string
			r := NewReader(nil, src, &Limits{Frame: 32 * 1024, Message: 128 * 1024}, nil, func(_ byte, payload []byte) error {
				controls = append(controls, string(payload))
				return nil
			})
			var err error
			for err == nil {
				var message []byte
				if message, err = r.Next(); err == nil {
					messages = append(messages, string(message))
				}
			}
			var code Failure
			errors.As(err, &code)
			wantMessages, wantControls, wantCode := readPlainly(in)
			if int(code) != wantCode || !equal(messages, wantMessages) || !equal(controls, wantControls) {
				t.Fatalf("% x:\n got %q, %q, %d (%v)\nwant %q, %q, %d", in, messages, controls, code, err, wantMessages,
					wantControls, wantCode)
			}
			if code == 0 && err != io.EOF && err != io.ErrUnexpectedEOF {
				t.Fatalf("% x: ended with %v", in, err)
			}
		}
	})
}

func equal(a, b []string) bool {
	return len(a) == len(b) && strings.Join(a, "\x00|") == strings.Join(b, "\x00|")
}
