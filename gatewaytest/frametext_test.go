package gatewaytest_test

import (
	"fmt"
	"testing"
)

// TestFrameText: a text message is UTF-8, wherever it is cut (RFC 6455 section
// 8.1), and the first invalid byte ends the connection.
func TestFrameText(t *testing.T) {
	var cases []conversation
	valid := []struct{ name, text string }{
		{"Greek, a sign, a picture", "κόσμε €😀"}, {"U+0000", "\x00"}, {"U+007F", "\x7F"}, {"U+0080", "\u0080"},
		{"U+07FF", "\u07FF"},
		{"U+0800", "\u0800"}, {"U+D7FF", "\uD7FF"}, {"U+E000", "\uE000"}, {"U+FFFD", "\uFFFD"}, {"U+FFFF", "\uFFFF"},
		{"U+10000", "\U00010000"}, {"U+10FFFF", "\U0010FFFF"}, {"byte order mark", "\uFEFFx"}, {"combining", "e\u0301"},
	}
	for _, v := range valid {
		cases = append(cases, conversation{"text " + v.name, talk(text(v.text), echoFrame(v.text)), 0})
	}
	for _, c := range []string{"é", "€", "😀"} {
		for cut := 1; cut < len(c); cut++ {
			cases = append(cases, conversation{fmt.Sprintf("G-FRAME-6 %s cut at %d", c, cut),
				talk(frame(opText, "a"+c[:cut]), frame(fin, c[cut:]+"b"), echoFrame("a"+c+"b")), 0})
		}
	}
	cases = append(cases,
		conversation{"G-FRAME-6 a byte in each fragment",
			talk(frame(opText, "\xF0"), frame(0, "\x9F"), frame(0, "\x98"), frame(fin, "\x80"), echoFrame("😀")), 0},
		conversation{"a ping inside a character",
			talk(frame(opText, "\xE2\x82"), frame(fin|opPing, "\xE2"), pongFrame("\xE2"), frame(fin, "\xAC"),
				echoFrame("€")), 0},
		conversation{"an empty fragment inside a character",
			talk(frame(opText, "\xE2\x82"), frame(0, ""), frame(fin, "\xAC"), echoFrame("€")), 0},
		conversation{"a character across the end of the read buffer",
			talk(text(big[:4095]+"€"), echoFrame(big[:4095]+"€")), 0})

	invalid := []struct{ name, text string }{
		{"lone continuation 80", "a\x80"}, {"lone continuation BF", "\xBF"}, {"two bytes for U+0000", "\xC0\x80"},
		{"two bytes for a slash", "\xC0\xAF"},
		{"two bytes for U+007F", "\xC1\xBF"}, {"three bytes for U+0000", "\xE0\x80\x80"},
		{"three bytes for U+07FF", "\xE0\x9F\xBF"},
		{"four bytes for U+FFFF", "\xF0\x8F\xBF\xBF"}, {"first surrogate", "\xED\xA0\x80"},
		{"last surrogate", "\xED\xBF\xBF"},
		{"pair of surrogates", "\xED\xA0\xBD\xED\xB8\x80"}, {"U+110000", "\xF4\x90\x80\x80"}, {"F5", "\xF5\x80\x80\x80"},
		{"five bytes", "\xF8\x88\x80\x80\x80"},
		{"six bytes", "\xFC\x84\x80\x80\x80\x80"}, {"FE", "\xFE"}, {"FF", "\xFF"}, {"two bytes truncated", "\xC3"},
		{"three bytes truncated", "\xE2\x82"},
		{"four bytes truncated", "\xF0\x9F\x98"}, {"truncated in the middle", "a\xE2\x82b"},
		{"truncated by another", "\xE2\xE2\x82\xAC"}, {"Latin-1", "caf\xE9"},
	}
	for _, v := range invalid {
		cases = append(cases, conversation{"G-FRAME-7 text " + v.name, talk(text(v.text)), 1007})
	}
	cases = append(cases,
		conversation{"G-FRAME-7 invalid across fragments", talk(frame(opText, "\xE2"), frame(fin, "\x28\xA1")), 1007},
		conversation{"G-FRAME-7 overlong across fragments", talk(frame(opText, "\xE0"), frame(0, "\x80")), 1007},
		conversation{"G-FRAME-7 truncated by the last fragment", talk(frame(opText, "\xE2\x82"), frame(fin, "")), 1007},
		conversation{"G-FRAME-7 fails before the end of the message", talk(frame(opText, "ok\xFF")), 1007},
		conversation{"G-FRAME-7 fails before the end of the frame", talk(frame(fin|opText, "ok\xFF and much more")[:9]),
			1007},
		conversation{"G-FRAME-7 a valid message before an invalid one",
			talk(text("good"), echoFrame("good"), text("\xFF")), 1007})
	converse(t, cases)
}

// TestCloseFrames sends codes and reasons in the client's close frame (RFC 6455
// sections 5.5.1 and 7.4).
func TestCloseFrames(t *testing.T) {
	cases := []conversation{
		{"G-CLOSE-1 with a reason", talk(closeFrame(1000, "bye")), 1000},
		{"G-CLOSE-1 with a reason beyond ASCII", talk(closeFrame(4000, "até logo 👋")), 4000},
		{"G-CLOSE-1 with the longest reason", talk(closeFrame(1000, big[:123])), 1000},
		{"G-CLOSE-1 byte by byte", singleBytes(closeFrame(1001, "slow")), 1001},
		{"G-CLOSE-1 later frames are ignored",
			talk(concat(closeFrame(1000, ""), frame(fin|opPing, "?"), text("late"))), 1000},
		{"G-CLOSE-2 without a code", talk(frame(fin|opClose, "")), noCode},
		{"G-FRAME-7 half a code", talk(frame(fin|opClose, "\x03")), 1002},
		{"G-FRAME-7 reason that is not UTF-8", talk(closeFrame(1000, "\xFF")), 1007},
		{"G-FRAME-7 truncated reason", talk(closeFrame(1000, "\xE2\x82")), 1007},
		{"G-FRAME-7 reason with a surrogate", talk(closeFrame(1000, "\xED\xA0\x80")), 1007},
		{"G-FRAME-7 invalid code and invalid reason", talk(closeFrame(1005, "\xFF")), 1002},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
		4000, 4999} {
		cases = append(cases, conversation{fmt.Sprint("G-CLOSE-1 code ", code), talk(closeFrame(code, "")), code})
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65535} {
		cases = append(cases, conversation{fmt.Sprint("G-FRAME-7 code that must not be sent: ", code),
			talk(closeFrame(code, "")), 1002})
	}
	converse(t, cases)
}
