package gatewaytest_test

import (
	"fmt"
	"testing"
)

// TestFrameText: a text message is UTF-8, wherever it is cut (RFC 6455 section
// 8.1), and the first byte that cannot be ends the connection.
func TestFrameText(t *testing.T) {
	var cases []wireCase
	valid := []struct{ name, text string }{
		{"Greek, a sign, a picture", "κόσμε €😀"}, {"U+0000", "\x00"}, {"U+007F", "\x7F"}, {"U+0080", "\u0080"},
		{"U+07FF", "\u07FF"},
		{"U+0800", "\u0800"}, {"U+D7FF", "\uD7FF"}, {"U+E000", "\uE000"}, {"U+FFFD", "\uFFFD"}, {"U+FFFF", "\uFFFF"},
		{"U+10000", "\U00010000"}, {"U+10FFFF", "\U0010FFFF"}, {"byte order mark", "\uFEFFx"}, {"combining", "e\u0301"},
	}
	for _, v := range valid {
		cases = append(cases, wireCase{"text " + v.name, talk(text(v.text), echoed(v.text)), 0})
	}
	for _, c := range []string{"é", "€", "😀"} {
		for cut := 1; cut < len(c); cut++ {
			cases = append(cases, wireCase{fmt.Sprintf("G-FRAME-6 %s cut at %d", c, cut),
				talk(frame(opText, "a"+c[:cut]), frame(fin, c[cut:]+"b"), echoed("a"+c+"b")), 0})
		}
	}
	cases = append(cases,
		wireCase{"G-FRAME-6 a byte in each fragment",
			talk(frame(opText, "\xF0"), frame(0, "\x9F"), frame(0, "\x98"), frame(fin, "\x80"), echoed("😀")), 0},
		wireCase{"a ping inside a character",
			talk(frame(opText, "\xE2\x82"), frame(fin|opPing, "\xE2"), pong("\xE2"), frame(fin, "\xAC"), echoed("€")), 0},
		wireCase{"an empty fragment inside a character",
			talk(frame(opText, "\xE2\x82"), frame(0, ""), frame(fin, "\xAC"), echoed("€")), 0},
		wireCase{"a character over the reading buffer's edge", talk(text(big[:4095]+"€"), echoed(big[:4095]+"€")), 0})

	invalid := []struct{ name, text string }{
		{"lone continuation 80", "a\x80"}, {"lone continuation BF", "\xBF"}, {"two bytes for U+0000", "\xC0\x80"},
		{"two bytes for a slash", "\xC0\xAF"},
		{"two bytes for U+007F", "\xC1\xBF"}, {"three bytes for U+0000", "\xE0\x80\x80"},
		{"three bytes for U+07FF", "\xE0\x9F\xBF"},
		{"four bytes for U+FFFF", "\xF0\x8F\xBF\xBF"}, {"first surrogate", "\xED\xA0\x80"},
		{"last surrogate", "\xED\xBF\xBF"},
		{"pair of surrogates", "\xED\xA0\xBD\xED\xB8\x80"}, {"U+110000", "\xF4\x90\x80\x80"}, {"F5", "\xF5\x80\x80\x80"},
		{"five bytes", "\xF8\x88\x80\x80\x80"},
		{"six bytes", "\xFC\x84\x80\x80\x80\x80"}, {"FE", "\xFE"}, {"FF", "\xFF"}, {"two bytes cut short", "\xC3"},
		{"three bytes cut short", "\xE2\x82"},
		{"four bytes cut short", "\xF0\x9F\x98"}, {"cut short in the middle", "a\xE2\x82b"},
		{"cut short by another", "\xE2\xE2\x82\xAC"}, {"Latin-1", "caf\xE9"},
	}
	for _, v := range invalid {
		cases = append(cases, wireCase{"G-FRAME-7 text " + v.name, talk(text(v.text)), 1007})
	}
	cases = append(cases,
		wireCase{"G-FRAME-7 bad over fragments", talk(frame(opText, "\xE2"), frame(fin, "\x28\xA1")), 1007},
		wireCase{"G-FRAME-7 overlong over fragments", talk(frame(opText, "\xE0"), frame(0, "\x80")), 1007},
		wireCase{"G-FRAME-7 cut short by the last fragment", talk(frame(opText, "\xE2\x82"), frame(fin, "")), 1007},
		wireCase{"G-FRAME-7 fails before the message is whole", talk(frame(opText, "ok\xFF")), 1007},
		wireCase{"G-FRAME-7 fails before the frame is whole", talk(frame(fin|opText, "ok\xFF and much more")[:9]), 1007},
		wireCase{"G-FRAME-7 a good message before a bad one", talk(text("good"), echoed("good"), text("\xFF")), 1007})
	converse(t, cases)
}

// TestCloseFrames: codes and reasons of the client's close frame (RFC 6455
// sections 5.5.1 and 7.4).
func TestCloseFrames(t *testing.T) {
	cases := []wireCase{
		{"G-CLOSE-1 with a reason", talk(closing(1000, "bye")), 1000},
		{"G-CLOSE-1 with a reason beyond ASCII", talk(closing(4000, "até logo 👋")), 4000},
		{"G-CLOSE-1 with the longest reason", talk(closing(1000, big[:123])), 1000},
		{"G-CLOSE-1 byte by byte", bytewise(closing(1001, "slow")), 1001},
		{"G-CLOSE-1 what comes after it does not count",
			talk(joined(closing(1000, ""), frame(fin|opPing, "?"), text("late"))), 1000},
		{"G-CLOSE-2 without a code", talk(frame(fin|opClose, "")), noCode},
		{"G-FRAME-7 half a code", talk(frame(fin|opClose, "\x03")), 1002},
		{"G-FRAME-7 reason that is no text", talk(closing(1000, "\xFF")), 1007},
		{"G-FRAME-7 reason cut short", talk(closing(1000, "\xE2\x82")), 1007},
		{"G-FRAME-7 reason with a surrogate", talk(closing(1000, "\xED\xA0\x80")), 1007},
		{"G-FRAME-7 bad code and bad reason", talk(closing(1005, "\xFF")), 1002},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
		4000, 4999} {
		cases = append(cases, wireCase{fmt.Sprint("G-CLOSE-1 code ", code), talk(closing(code, "")), code})
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65535} {
		cases = append(cases, wireCase{fmt.Sprint("G-FRAME-7 code that must not be sent: ", code),
			talk(closing(code, "")), 1002})
	}
	converse(t, cases)
}
