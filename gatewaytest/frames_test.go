package gatewaytest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// big is the largest payload of a frame.
var big = strings.Repeat("x", 32*1024)

// TestFrameLengths sends frames with lengths in 7, 16 and 64 bits (RFC 6455
// section 5.2) and at the service's limits.
func TestFrameLengths(t *testing.T) {
	cases := []conversation{
		{"one byte at a time", append(singleBytes(text("drip")), echoFrame("drip")), 0},
		{"header and payload apart", talk(text("apart")[:6], text("apart")[6:], echoFrame("apart")), 0},
		{"two messages in one write", talk(concat(text("a"), text("a")), echoFrame("a"), echoFrame("a")), 0},
		{"16 bits for what fits in 7: 0", talk(header16(fin|opText, 0)), 1002},
		{"16 bits for what fits in 7: 125", talk(header16(fin|opText, 125)), 1002},
		{"64 bits for what fits in 7: 0", talk(header64(fin|opText, 0)), 1002},
		{"64 bits for what fits in 16: 126", talk(header64(fin|opText, 126)), 1002},
		{"64 bits for what fits in 16: 65535", talk(header64(fin|opText, 0xFFFF)), 1002},
		{"64 bits for what fits in 16, in a binary frame", talk(header64(fin|opBinary, 5)), 1002},
		{"64 bits with the top bit", talk(header64(fin|opText, 1<<63)), 1002},
		{"64 bits, all of them", talk(header64(fin|opText, 1<<64-1)), 1002},
		{"G-LIMIT-1 -2 frame of 32 KB and one byte", talk(text(big + "x")), 1009},
		{"G-LIMIT-1 the header is enough: 32 KB and one byte", talk(header16(fin|opText, 32*1024+1)), 1009},
		{"G-LIMIT-1 the header is enough: 64 KB", talk(header64(fin|opText, 1<<16)), 1009},
		{"G-LIMIT-1 the header is enough: 2^62", talk(header64(fin|opText, 1<<62)), 1009},
		{"G-LIMIT-1 the header is enough: 2^63-1", talk(header64(fin|opText, 1<<63-1)), 1009},
		{"G-LIMIT-1 continuation of 32 KB and one byte", talk(frame(opText, "a"), header16(fin, 32*1024+1)), 1009},
		{"G-LIMIT-1 G-FRAME-8 message of 128 KB",
			talk(frame(opText, big), frame(0, big), frame(0, big), frame(fin, big), echoFrame(strings.Repeat(big, 4))), 0},
		{"G-LIMIT-1 message of 128 KB and one byte",
			talk(frame(opText, big), frame(0, big), frame(0, big), frame(0, big), frame(fin, "x")), 1009},
		{"G-LIMIT-1 message of 128 KB and an announced byte",
			talk(frame(opText, big), frame(0, big), frame(0, big), frame(0, big), frame(0, "x")[:2], []byte{0, 0, 0, 0}), 1009},
		{"G-LIMIT-1 message of 128 KB and nothing",
			talk(frame(opText, big), frame(0, big), frame(0, big), frame(0, big), frame(fin, ""),
				echoFrame(strings.Repeat(big, 4))), 0},
		{"G-LIMIT-1 the limit is for each message",
			talk(frame(opText, big), frame(fin, big), echoFrame(big+big), frame(opText, big), frame(0, big), frame(fin, big),
				echoFrame(big+big+big)), 0},
		{"G-FRAME-8 32 KB in one frame", talk(text(big), echoFrame(big)), 0},
		{"G-FRAME-8 32 KB and one byte in two", talk(frame(opText, big), frame(fin, "y"), echoFrame(big+"y")), 0},
	}
	for _, n := range []int{0, 1, 7, 8, 9, 124, 125, 126, 127, 128, 255, 256, 4095, 4096, 4097, 32767, 32768} {
		cases = append(cases, conversation{fmt.Sprint("payload of ", n), talk(text(big[:n]), echoFrame(big[:n])), 0})
	}
	converse(t, cases)
}

// TestFragments sends messages in fragments, with control frames between them
// (RFC 6455 section 5.4).
func TestFragments(t *testing.T) {
	alphabet := "abcdefghijklmnopqrstuvwxyz"
	var letters []any
	for i := range alphabet {
		first := byte(0)
		switch i {
		case 0:
			first = opText
		case len(alphabet) - 1:
			first = fin
		}
		letters = append(letters, frame(first, alphabet[i:i+1]))
	}
	converse(t, []conversation{
		{"G-FRAME-6 two", talk(frame(opText, "one "), frame(fin, "two"), echoFrame("one two")), 0},
		{"G-FRAME-6 three in one write",
			talk(concat(frame(opText, "1"), frame(0, "2"), frame(fin, "3")), echoFrame("123")), 0},
		{"G-FRAME-6 one letter per frame", append(letters, echoFrame(alphabet)), 0},
		{"G-FRAME-6 all empty", talk(frame(opText, ""), frame(0, ""), frame(fin, ""), echoFrame("")), 0},
		{"G-FRAME-6 empty at the start", talk(frame(opText, ""), frame(fin, "x"), echoFrame("x")), 0},
		{"G-FRAME-6 empty at the end", talk(frame(opText, "x"), frame(fin, ""), echoFrame("x")), 0},
		{"G-FRAME-6 each with another mask",
			talk(frameWithMask([4]byte{9, 8, 7, 6}, opText, "ab"), frameWithMask([4]byte{0xFF, 0, 1, 0x80}, fin, "cd"),
				echoFrame("abcd")), 0},
		{"ping between", talk(frame(opText, "he"), frame(fin|opPing, "!"), pongFrame("!"), frame(fin, "llo"),
			echoFrame("hello")), 0},
		{"pings between all", talk(frame(opText, "a"), frame(fin|opPing, "1"), pongFrame("1"), frame(0, "b"),
			frame(fin|opPing, "2"), pongFrame("2"), frame(fin, "c"), echoFrame("abc")), 0},
		{"ping before the first", talk(frame(fin|opPing, "0"), pongFrame("0"), frame(opText, "a"), frame(fin, "b"),
			echoFrame("ab")), 0},
		{"pong between", talk(frame(opText, "a"), frame(fin|opPong, "?"), frame(fin, "b"), echoFrame("ab")), 0},
		{"close between", talk(frame(opText, "a"), closeFrame(1000, "")), 1000},
		{"close without a code between", talk(frame(opText, "a"), frame(fin|opClose, "")), noCode},
		{"G-FRAME-7 continuation of nothing", talk(frame(fin, "x")), 1002},
		{"G-FRAME-7 unfinished continuation of nothing", talk(frame(0, "x")), 1002},
		{"G-FRAME-7 empty continuation of nothing", talk(frame(fin, "")), 1002},
		{"G-FRAME-7 continuation after the end", talk(frame(opText, "a"), frame(fin, "b"), echoFrame("ab"), frame(fin, "c")),
			1002},
		{"G-FRAME-7 continuation after a whole message", talk(text("a"), echoFrame("a"), frame(0, "b")), 1002},
		{"G-FRAME-7 text inside a message", talk(frame(opText, "a"), text("b")), 1002},
		{"G-FRAME-7 first fragment inside a message", talk(frame(opText, "a"), frame(opText, "b")), 1002},
		{"G-FRAME-7 binary inside a message", talk(frame(opText, "a"), frame(fin|opBinary, "b")), 1002},
		{"G-FRAME-7 bad opcode inside a message", talk(frame(opText, "a"), frame(fin|5, "b")), 1002},
		{"G-FRAME-7 fragmented ping inside a message", talk(frame(opText, "a"), frame(opPing, "b")), 1002},
		{"G-FRAME-7 unmasked continuation", talk(frame(opText, "a"), unmaskedFrame(fin, "b")), 1002},
	})
}

// TestFrameHeaders sends masks, reserved bits and opcodes (RFC 6455 sections
// 5.1 to 5.3).
func TestFrameHeaders(t *testing.T) {
	cases := []conversation{
		{"mask of zeros", talk(frameWithMask([4]byte{}, fin|opText, "plain"), echoFrame("plain")), 0},
		{"mask of ones", talk(frameWithMask([4]byte{0xFF, 0xFF, 0xFF, 0xFF}, fin|opText, "not plain"),
			echoFrame("not plain")), 0},
		{"mask that makes zeros", talk(frameWithMask([4]byte{'a', 'a', 'a', 'a'}, fin|opText, "aaaaaaaa"),
			echoFrame("aaaaaaaa")), 0},
		{"the mask continues after the read buffer",
			talk(concat(frame(fin|opPong, "a"), text(big[:1000])), echoFrame(big[:1000])), 0},
		{"the mask restarts with each frame",
			talk(concat(text("12345"), text("12345")), echoFrame("12345"), echoFrame("12345")), 0},
		{"G-FRAME-1 binary", talk(frame(fin|opBinary, "\x00\x01")), 1003},
		{"G-FRAME-1 binary that is text", talk(frame(fin|opBinary, "text")), 1003},
		{"G-FRAME-1 empty binary", talk(frame(fin|opBinary, "")), 1003},
		{"G-FRAME-1 fragmented binary", talk(frame(opBinary, "\x00")), 1003},
		{"G-FRAME-1 binary after a message", talk(text("a"), echoFrame("a"), frame(fin|opBinary, "b")), 1003},
		{"G-FRAME-1 the header is enough", talk(header16(fin|opBinary, 1000)), 1003},
		{"G-FRAME-1 binary and too large", talk(header64(fin|opBinary, 1<<40)), 1003},
		{"G-FRAME-7 frames after a failure are ignored", talk(concat(frame(fin|3, "x"), text("y"), frame(fin|opPing, "z"))),
			1002},
	}
	names := map[byte]string{0: "continuation", opText: "text", opBinary: "binary", opClose: "close", opPing: "ping",
		opPong: "pong"}
	for _, opcode := range []byte{0, opText, opBinary, opClose, opPing, opPong} {
		cases = append(cases, conversation{"G-FRAME-7 no mask: " + names[opcode], talk(unmaskedFrame(fin|opcode, "")), 1002})
		for _, bits := range []byte{0x10, 0x20, 0x40} {
			cases = append(cases, conversation{fmt.Sprintf("G-FRAME-7 reserved bit %02x: %s", bits, names[opcode]),
				talk(frame(fin|bits|opcode, "")), 1002})
		}
	}
	cases = append(cases, conversation{"G-FRAME-7 all reserved bits", talk(frame(fin|0x70|opText, "x")), 1002})
	for _, opcode := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases, conversation{fmt.Sprint("G-FRAME-7 opcode ", opcode), talk(frame(fin|opcode, "x")), 1002})
	}
	converse(t, cases)
}

// TestControlFrames sends pings, pongs, and invalid control frames (RFC 6455
// section 5.5).
func TestControlFrames(t *testing.T) {
	cases := []conversation{
		{"G-FRAME-3 ping", talk(frame(fin|opPing, "beat"), pongFrame("beat")), 0},
		{"G-FRAME-3 empty ping", talk(frame(fin|opPing, ""), pongFrame("")), 0},
		{"G-FRAME-3 ping of 125 bytes", talk(frame(fin|opPing, big[:125]), pongFrame(big[:125])), 0},
		{"G-FRAME-3 ping that is not UTF-8", talk(frame(fin|opPing, "\xFF\x00\xFE"), pongFrame("\xFF\x00\xFE")), 0},
		{"G-FRAME-3 ping byte by byte", append(singleBytes(frame(fin|opPing, "slow")), pongFrame("slow")), 0},
		{"G-FRAME-3 three pings", talk(frame(fin|opPing, "1"), pongFrame("1"), frame(fin|opPing, "2"), pongFrame("2"),
			frame(fin|opPing, "3"), pongFrame("3")), 0},
		{"unsolicited pong", talk(frame(fin|opPong, "eh")), 0},
		{"empty pong", talk(frame(fin|opPong, "")), 0},
		{"pong of 125 bytes", talk(frame(fin|opPong, big[:125])), 0},
		{"100 pongs", talk(concat(slices.Repeat([][]byte{frame(fin|opPong, "?")}, 100)...)), 0},
	}
	for name, opcode := range map[string]byte{"ping": opPing, "pong": opPong, "close": opClose} {
		cases = append(cases,
			conversation{"G-FRAME-7 fragmented " + name, talk(frame(opcode, "")), 1002},
			conversation{"G-FRAME-7 126 bytes of " + name, talk(frame(fin|opcode, "\x03\xE8"+big[:124])), 1002},
			conversation{"G-FRAME-7 16-bit length of " + name, talk(header16(fin|opcode, 2)), 1002},
			conversation{"G-FRAME-7 64-bit length of " + name, talk(header64(fin|opcode, 2)), 1002})
	}
	converse(t, cases)
}

// TestPingFlood is a client that pings and does not read. Queued pongs must not
// pile up; the latest is enough (RFC 6455 section 5.5.3).
func TestPingFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, api(routes("$default", twoWay(echo))))
		other := dial(t, g, "/v1")
		c := dialRaw(t, g, "/v1")
		const pings = 10_000
		for range pings {
			c.mustWrite(t, frame(fin|opPing, "p"))
		}
		c.mustWrite(t, frame(fin|opPing, "last"))
		synctest.Wait()
		send(t, other, "hello")
		if got := receive(t, other); got != "hello" {
			t.Errorf("the other client got %q", got)
		}
		pongs := 0
		for {
			f := c.mustRead(t)
			pongs++
			if f.payload == "last" {
				break
			}
		}
		if pongs > 2 {
			t.Errorf("%d pongs were queued, want the one being written and the latest", pongs)
		}
	})
}

// TestHalfFrame is a client that stops in the middle of a frame. Only the idle
// timeout ends it, and other clients notice nothing.
func TestHalfFrame(t *testing.T) {
	halves := map[string][]byte{
		"one byte of the header": text("x")[:1], "no length": header16(fin|opText, 200)[:3], "no mask": text("x")[:4],
		"no payload": text("x")[:6], "half a payload": text("never finished")[:8],
		"half a ping":  frame(fin|opPing, "beat")[:7],
		"half a close": closeFrame(1000, "bye")[:7], "one fragment": frame(opText, "x"),
	}
	for name, half := range halves {
		t.Run("G-LIMIT-4 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, api(routes("$default", twoWay(echo))))
				c := dialRaw(t, g, "/v1")
				other := dial(t, g, "/v1")
				start := time.Now()
				c.mustWrite(t, half)
				time.Sleep(9 * time.Minute)
				send(t, other, "hello")
				if got := receive(t, other); got != "hello" {
					t.Errorf("the other client got %q", got)
				}
				if f := c.mustRead(t); f.opcode != opClose || f.payload != "\x03\xE9Going away" {
					t.Errorf("got %v, want close 1001", f)
				}
				if took := time.Since(start); took != 10*time.Minute {
					t.Errorf("closed after %v, want 10m", took)
				}
			})
		})
	}
}
