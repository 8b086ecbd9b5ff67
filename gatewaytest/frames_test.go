package gatewaytest_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestFrames writes raw frames to a live gateway whose function echoes, and
// looks at what comes back. After each case a neighbour on the same gateway
// must be well.
func TestFrames(t *testing.T) {
	big := strings.Repeat("x", 32*1024)
	join := func(parts ...[]byte) []byte {
		var all []byte
		for _, part := range parts {
			all = append(all, part...)
		}
		return all
	}
	header := func(b ...byte) []byte { return b }
	long := func(first byte, n uint64) []byte {
		return append(binary.BigEndian.AppendUint64([]byte{first, masked | 127}, n), 0, 0, 0, 0)
	}
	echoed := func(texts ...string) []serverFrame {
		var frames []serverFrame
		for _, text := range texts {
			frames = append(frames, serverFrame{opText, text})
		}
		return frames
	}

	tests := []struct {
		name   string
		writes [][]byte
		want   []serverFrame // before the close, if any
		close  int           // 0: the connection stays open
	}{
		// Text, length forms and fragmentation.
		{"text", [][]byte{text("hello")}, echoed("hello"), 0},
		{"empty text", [][]byte{text("")}, echoed(""), 0},
		{"7-bit length 125", [][]byte{text(big[:125])}, echoed(big[:125]), 0},
		{"16-bit length 126", [][]byte{text(big[:126])}, echoed(big[:126]), 0},
		{"one byte at a time", bytewise(text("drip")), echoed("drip"), 0},
		{"two messages in one write", [][]byte{join(text("a"), text("a"))}, echoed("a", "a"), 0},
		{"G-FRAME-6 fragments are one message", [][]byte{frame(opText, "one "), frame(0, "two "), frame(fin, "three")}, echoed("one two three"), 0},
		{"empty fragments", [][]byte{frame(opText, ""), frame(0, ""), frame(fin, "")}, echoed(""), 0},
		{"length 126 in 16 bits must not be shorter", [][]byte{header(fin|opText, masked|126, 0, 125, 0, 0, 0, 0)}, nil, 1002},
		{"length in 64 bits must not be shorter", [][]byte{long(fin|opText, 0xFFFF)}, nil, 1002},
		{"length with the top bit", [][]byte{long(fin|opText, 1<<63)}, nil, 1002},

		// Limits.
		{"G-LIMIT-1 frame of 32 KB", [][]byte{text(big)}, echoed(big), 0},
		{"G-LIMIT-1 frame of 32 KB and one byte", [][]byte{text(big + "x")}, nil, 1009},
		{"G-LIMIT-1 the header is enough", [][]byte{long(fin|opText, 1<<62)}, nil, 1009},
		{"G-LIMIT-1 message of 128 KB", [][]byte{frame(opText, big), frame(0, big), frame(0, big), frame(fin, big)}, echoed(strings.Repeat(big, 4)), 0},
		{"G-LIMIT-1 message of 128 KB and one byte", [][]byte{frame(opText, big), frame(0, big), frame(0, big), frame(0, big), frame(fin, "x")}, nil, 1009},

		// Control frames.
		{"G-FRAME-3 ping", [][]byte{frame(fin|opPing, "beat")}, []serverFrame{{opPong, "beat"}}, 0},
		{"empty ping", [][]byte{frame(fin|opPing, "")}, []serverFrame{{opPong, ""}}, 0},
		{"ping of 125 bytes", [][]byte{frame(fin|opPing, big[:125])}, []serverFrame{{opPong, big[:125]}}, 0},
		{"ping between fragments", [][]byte{frame(opText, "he"), frame(fin|opPing, "!"), frame(fin, "llo")},
			[]serverFrame{{opPong, "!"}, {opText, "hello"}}, 0},
		{"pong that nobody asked for", [][]byte{frame(fin|opPong, "eh"), text("still here")}, echoed("still here"), 0},
		{"ping of 126 bytes", [][]byte{frame(fin|opPing, big[:126])}, nil, 1002},
		{"fragmented ping", [][]byte{frame(opPing, "x")}, nil, 1002},
		{"fragmented close", [][]byte{frame(opClose, "")}, nil, 1002},
		{"close of 126 bytes", [][]byte{closing(1000, big[:124])}, nil, 1002},

		// Rules of the header.
		{"G-FRAME-7 no mask", [][]byte{header(fin|opText, 1, 'x')}, nil, 1002},
		{"G-FRAME-7 reserved bit 1", [][]byte{frame(fin|0x40|opText, "x")}, nil, 1002},
		{"G-FRAME-7 reserved bit 2", [][]byte{frame(fin|0x20|opText, "x")}, nil, 1002},
		{"G-FRAME-7 reserved bit 3", [][]byte{frame(fin|0x10|opPing, "x")}, nil, 1002},
		{"G-FRAME-7 opcode 3", [][]byte{frame(fin|3, "x")}, nil, 1002},
		{"G-FRAME-7 opcode 7", [][]byte{frame(fin|7, "x")}, nil, 1002},
		{"G-FRAME-7 opcode 11", [][]byte{frame(fin|11, "x")}, nil, 1002},
		{"G-FRAME-7 opcode 15", [][]byte{frame(fin|15, "x")}, nil, 1002},
		{"G-FRAME-7 continuation of nothing", [][]byte{frame(fin, "x")}, nil, 1002},
		{"G-FRAME-7 continuation after the end", [][]byte{frame(opText, "a"), frame(fin, "b"), frame(fin, "c")}, echoed("ab"), 1002},
		{"G-FRAME-7 text inside a message", [][]byte{frame(opText, "a"), text("b")}, nil, 1002},

		// Binary.
		{"G-FRAME-1 binary", [][]byte{frame(fin|opBinary, "\x00\x01")}, nil, 1003},
		{"G-FRAME-1 empty binary", [][]byte{frame(fin|opBinary, "")}, nil, 1003},
		{"G-FRAME-1 fragmented binary", [][]byte{frame(opBinary, "\x00")}, nil, 1003},

		// UTF-8.
		{"text beyond ASCII", [][]byte{text("κόσμε €😀")}, echoed("κόσμε €😀"), 0},
		{"character split over fragments", [][]byte{frame(opText, "\xF0\x9F"), frame(0, "\x98"), frame(fin, "\x80")}, echoed("😀"), 0},
		{"character split over fragments and a ping", [][]byte{frame(opText, "\xE2\x82"), frame(fin|opPing, ""), frame(fin, "\xAC")},
			[]serverFrame{{opPong, ""}, {opText, "€"}}, 0},
		{"last character of Unicode", [][]byte{text("\xF4\x8F\xBF\xBF")}, echoed("\xF4\x8F\xBF\xBF"), 0},
		{"G-FRAME-7 a lone continuation byte", [][]byte{text("a\x80")}, nil, 1007},
		{"G-FRAME-7 overlong", [][]byte{text("\xC0\xAF")}, nil, 1007},
		{"G-FRAME-7 overlong of three", [][]byte{text("\xE0\x9F\xBF")}, nil, 1007},
		{"G-FRAME-7 surrogate", [][]byte{text("\xED\xA0\x80")}, nil, 1007},
		{"G-FRAME-7 beyond Unicode", [][]byte{text("\xF4\x90\x80\x80")}, nil, 1007},
		{"G-FRAME-7 ends in the middle", [][]byte{text("\xE2\x82")}, nil, 1007},
		{"G-FRAME-7 bad character split over fragments", [][]byte{frame(opText, "\xE2"), frame(fin, "\x28\xA1")}, nil, 1007},
		{"G-FRAME-7 fails before the message is whole", [][]byte{frame(opText, "ok\xFF")}, nil, 1007},
		{"G-FRAME-7 fails before the frame is whole", [][]byte{frame(fin|opText, "ok\xFF and much more")[:9]}, nil, 1007},

		// Close payloads.
		{"close 1000", [][]byte{closing(1000, "bye")}, nil, 1000},
		{"close 1003", [][]byte{closing(1003, "")}, nil, 1003},
		{"close 1014", [][]byte{closing(1014, "")}, nil, 1014},
		{"close 3000", [][]byte{closing(3000, "")}, nil, 3000},
		{"close 4999", [][]byte{closing(4999, "")}, nil, 4999},
		{"close with one byte", [][]byte{frame(fin|opClose, "\x03")}, nil, 1002},
		{"close 999", [][]byte{closing(999, "")}, nil, 1002},
		{"close 1004", [][]byte{closing(1004, "")}, nil, 1002},
		{"close 1005", [][]byte{closing(1005, "")}, nil, 1002},
		{"close 1006", [][]byte{closing(1006, "")}, nil, 1002},
		{"close 1015", [][]byte{closing(1015, "")}, nil, 1002},
		{"close 2999", [][]byte{closing(2999, "")}, nil, 1002},
		{"close 5000", [][]byte{closing(5000, "")}, nil, 1002},
		{"close with bad text", [][]byte{closing(1000, "\xFF")}, nil, 1007},
		{"close between fragments", [][]byte{frame(opText, "a"), closing(1000, "")}, nil, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, api(routes("$default", twoWay(echo))))
				neighbour := dial(t, g, "/v1")
				c := dialRaw(t, g, "/v1")
				for i, b := range tt.writes {
					if i > 0 {
						synctest.Wait() // let the answers overtake, one at a time
					}
					c.mustWrite(t, b)
				}
				for _, want := range tt.want {
					if got := c.mustRead(t); got != want {
						t.Errorf("got %v, want %v", got, want)
					}
				}
				if tt.close == 0 {
					c.mustWrite(t, text("and then"))
					if got := c.mustRead(t); got.payload != "and then" {
						t.Errorf("afterwards got %v", got)
					}
				} else {
					got := c.mustRead(t)
					if got.opcode != opClose || len(got.payload) < 2 || int(binary.BigEndian.Uint16([]byte(got.payload))) != tt.close {
						t.Errorf("got %v, want a close frame with %d", got, tt.close)
					}
					if f, err := c.readFrame(); err == nil {
						t.Errorf("after the close frame came %v", f)
					}
				}
				send(t, neighbour, "are you well?")
				if got := receive(t, neighbour); got != "are you well?" {
					t.Errorf("the neighbour got %q", got)
				}
			})
		})
	}
}

// bytewise cuts a write into single bytes.
func bytewise(b []byte) [][]byte {
	var parts [][]byte
	for i := range b {
		parts = append(parts, b[i:i+1])
	}
	return parts
}

// TestPingFlood is a client that pings and does not read: the pongs that wait
// must not pile up.
func TestPingFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, api(nil))
		c := dialRaw(t, g, "/v1")
		const pings = 10_000
		for range pings {
			c.mustWrite(t, frame(fin|opPing, "p"))
		}
		c.mustWrite(t, frame(fin|opPing, "last"))
		synctest.Wait()
		pongs := 0
		for {
			f := c.mustRead(t)
			pongs++
			if f.payload == "last" {
				break
			}
		}
		if pongs > 2 {
			t.Errorf("%d pongs were waiting, want the one in flight and the latest", pongs)
		}
	})
}

// TestHalfFrame is a peer that stops in the middle of a frame: only the idle
// time-out ends it.
func TestHalfFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, api(nil))
		c := dialRaw(t, g, "/v1")
		start := time.Now()
		c.mustWrite(t, text("never finished")[:8])
		if f := c.mustRead(t); f.opcode != opClose || f.payload != "\x03\xE9Going away" {
			t.Errorf("got %v, want close 1001", f)
		}
		if took := time.Since(start); took != 10*time.Minute {
			t.Errorf("closed after %v, want 10m", took)
		}
	})
}
