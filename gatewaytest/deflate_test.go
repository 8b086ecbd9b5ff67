package gatewaytest_test

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// compressor is the client's end of permessage-deflate: each message may refer
// to earlier ones.
type compressor struct {
	out bytes.Buffer
	w   *flate.Writer
}

func newCompressor() *compressor {
	c := new(compressor)
	c.w, _ = flate.NewWriter(&c.out, flate.DefaultCompression)
	return c
}

func (c *compressor) pack(text string) string {
	c.out.Reset()
	_, _ = io.WriteString(c.w, text)
	_ = c.w.Flush()
	return strings.TrimSuffix(c.out.String(), "\x00\x00\xFF\xFF")
}

// deflate compresses a text by itself.
func deflate(text string) string { return newCompressor().pack(text) }

// inflate decompresses a message that the gateway compressed by itself.
func inflate(packed string) (string, error) {
	const end = "\x00\x00\xFF\xFF\x01\x00\x00\xFF\xFF"
	text, err := io.ReadAll(flate.NewReader(strings.NewReader(packed + end)))
	return string(text), err
}

// randomText is text that hardly compresses: n characters out of 64.
func randomText(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[random.IntN(64)]
	}
	return string(b)
}

func TestDeflateOffers(t *testing.T) {
	const plain = "permessage-deflate"
	offers := []struct{ offer, want string }{
		{"", ""},
		{plain, plain},
		{plain + "; client_max_window_bits", plain}, // browsers and ws
		{plain + "; client_max_window_bits=10", plain},
		{plain + `; client_max_window_bits="10"`, plain},
		{plain + "; server_max_window_bits=12", plain + ";server_max_window_bits=12"}, // captured
		{plain + "; server_max_window_bits=12; client_max_window_bits=12", plain + ";server_max_window_bits=12"},
		{plain + `; server_max_window_bits="8"`, plain + ";server_max_window_bits=8"},
		{plain + ";server_max_window_bits = 15", plain + ";server_max_window_bits=15"},
		{plain + "; server_no_context_takeover", plain + ";server_no_context_takeover"},
		{plain + "; client_no_context_takeover; server_no_context_takeover",
			plain + ";client_no_context_takeover;server_no_context_takeover"},
		{"permessage-bzip2", ""},
		{"permessage-bzip2, " + plain, plain},
		{"x-webkit-deflate-frame", ""},
		{plain + "; server_max_window_bits=16, " + plain + "; client_no_context_takeover",
			plain + ";client_no_context_takeover"},
		{plain + "; server_no_context_takeover, " + plain, plain + ";server_no_context_takeover"},
		{plain + "; server_max_window_bits", ""},
		{plain + "; server_max_window_bits=7", ""},
		{plain + "; server_max_window_bits=08", ""},
		{plain + "; server_max_window_bits=+9", ""},
		{plain + "; server_max_window_bits=", ""},
		{plain + `; server_max_window_bits="9`, ""},
		{plain + "; client_max_window_bits=16", ""},
		{plain + "; client_max_window_bits=", ""},
		{plain + "; client_no_context_takeover=1", ""},
		{plain + "; server_no_context_takeover=true", ""},
		{plain + "; server_max_window_bits=9; server_max_window_bits=9", ""},
		{plain + "; client_max_window_bits; client_max_window_bits", ""},
		{plain + "; level=9", ""},
		{plain + ";", ""},
		{", " + plain, plain},
	}
	for _, tt := range offers {
		t.Run("G-HANDSHAKE-15 "+tt.offer, func(t *testing.T) {
			g := newGateway(t, api(nil))
			c, resp, err := g.DialRaw(t.Context(), "/v1", http.Header{"Sec-WebSocket-Extensions": {tt.offer}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := resp.Header.Get("Sec-WebSocket-Extensions"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("G-HANDSHAKE-15 disabled", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{DisableCompression: true})
		c, resp, err := g.DialRaw(t.Context(), "/v1", http.Header{"Sec-WebSocket-Extensions": {plain}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := resp.Header.Values("Sec-WebSocket-Extensions"); got != nil {
			t.Errorf("got %q, want no extension", got)
		}
	})
}

// deflateFrame is a complete compressed message.
func deflateFrame(payload string) []byte { return frame(fin|rsv1|opText, payload) }

// TestDeflateFrames sends compressed messages in raw bytes. "RFC" marks the
// examples of RFC 7692 section 7.2.3.
func TestDeflateFrames(t *testing.T) {
	hello := "\xF2\x48\xCD\xC9\xC9\x07\x00"
	takeover := newCompressor()
	story := make([]any, 0, 200)
	for i := range 100 { // about 200 KB, with much repetition
		text := fmt.Sprint(i, randomText(2000), i)
		story = append(story, deflateFrame(takeover.pack(text)), serverFrame{rsv1 | opText, text})
	}
	long := strings.Repeat("all work and no play ", 100)
	half := len(deflate(long)) / 2
	var letters []any
	for i := range len(hello) {
		first := byte(0)
		switch i {
		case 0:
			first = rsv1 | opText
		case len(hello) - 1:
			first = fin
		}
		letters = append(letters, frame(fin|opPing, "?"), pongFrame("?"), frame(first, hello[i:i+1]))
	}
	converseOffering(t, "permessage-deflate", []conversation{
		{"RFC Hello", talk(deflateFrame(hello), echoFrame("Hello")), 0},
		{"RFC Hello in two frames", talk(frame(rsv1|opText, hello[:3]), frame(fin, hello[3:]), echoFrame("Hello")), 0},
		{"RFC Hello twice, with the window",
			talk(deflateFrame(hello), echoFrame("Hello"), deflateFrame("\xF2\x00\x11\x00\x00"), echoFrame("Hello")), 0},
		{"RFC a stored block", talk(deflateFrame("\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"), echoFrame("Hello")), 0},
		{"RFC a final block", talk(deflateFrame("\xF3\x48\xCD\xC9\xC9\x07\x00\x00"), echoFrame("Hello")), 0},
		{"RFC two blocks", talk(deflateFrame("\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"), echoFrame("Hello")), 0},
		{"RFC an empty message", talk(deflateFrame("\x00"), echoFrame("")), 0},
		{"a stored block after a final block",
			talk(deflateFrame("\xF3\x48\xCD\xC9\xC9\x07\x00\x00\x01\x00\xFE\xFF!\x00"), echoFrame("Hello!")), 0},
		{"the window continues after a final block",
			talk(deflateFrame("\xF3\x48\xCD\xC9\xC9\x07\x00\x00"), echoFrame("Hello"), deflateFrame("\xF2\x00\x11\x00\x00"),
				echoFrame("Hello")), 0},
		{"one byte per frame, with pings", append(letters, echoFrame("Hello")), 0},
		{"empty fragments", talk(frame(rsv1|opText, ""), frame(0, hello), frame(fin, ""), echoFrame("Hello")), 0},
		{"plain between compressed",
			talk(deflateFrame(hello), echoFrame("Hello"), text("plain"), echoFrame("plain"),
				deflateFrame("\xF2\x00\x11\x00\x00"),
				echoFrame("Hello")), 0},
		{"plain only", talk(text("plain"), echoFrame("plain")), 0},
		{"a window of 32 KB over 200 KB", story, 0},
		{"a character over two frames",
			talk(frame(rsv1|opText, deflate("€")[:2]), frame(fin, deflate("€")[2:]), echoFrame("€")), 0},

		{"G-LIMIT-3 32 KB in a frame", talk(deflateFrame(deflate(big)), serverFrame{rsv1 | opText, big}), 0},
		{"G-LIMIT-3 a byte more", talk(deflateFrame(deflate(big + "x"))), 1009},
		{"G-LIMIT-3 40 KB in a frame", talk(deflateFrame(deflate(strings.Repeat("x", 40*1024)))), 1009},
		{"G-LIMIT-3 40 KB in two",
			talk(frame(rsv1|opText, deflate(big + big[:8192])[:20]), frame(fin, deflate(big + big[:8192])[20:]),
				serverFrame{rsv1 | opText, big + big[:8192]}), 0},
		{"G-LIMIT-3 128 KB in four",
			talk(inFrames(deflate(big+big+big+big), 4), serverFrame{rsv1 | opText, big + big + big + big}), 0},
		{"G-LIMIT-3 a byte more in five", talk(inFrames(deflate(big+big+big+big+"x"), 5)), 1009},
		{"G-LIMIT-3 a bomb of 20 MB", talk(deflateFrame(deflate(strings.Repeat("\x00", 20<<20)))), 1009},
		{"G-LIMIT-1 a compressed frame of 32 KB and a byte", talk(header16(fin|rsv1|opText, 32*1024+1)), 1009},
		{"G-LIMIT-3 nothing, in 128 KB and a byte", talk(inFrames(strings.Repeat("\x00\x00\x00\xFF\xFF", 26215), 5)), 1009},

		{"G-FRAME-7 truncated", talk(deflateFrame(deflate(long)[:half])), 1007},
		{"G-FRAME-7 bytes after the end", talk(deflateFrame(deflate(long) + "\xFF\xFF\xFF")), 1007},
		{"G-FRAME-7 an unknown block", talk(deflateFrame("\x06\x00")), 1007},
		{"G-FRAME-7 a stored block with a wrong length", talk(deflateFrame("\x00\x05\x00\x00\x00Hello")), 1007},
		{"G-FRAME-7 a reference before the first byte", talk(deflateFrame("\xF2\x00\x11\x00\x00")), 1007},
		{"G-FRAME-7 a reference before a final block",
			talk(deflateFrame(hello), echoFrame("Hello"),
				deflateFrame("\xF3\x48\xCD\xC9\xC9\x07\x00"+"\xF2\x00\x11\x00\x00")), 1007},
		{"G-FRAME-7 text that was not compressed", talk(deflateFrame("{\"action\":\"hello\"}")), 1007},
		{"G-FRAME-7 no block", talk(deflateFrame("")), 1007},
		{"G-FRAME-7 invalid UTF-8", talk(deflateFrame(deflate("a\xFF"))), 1007},
		{"G-FRAME-7 half a character", talk(deflateFrame(deflate("\xE2\x82"))), 1007},
		{"G-FRAME-7 a compressed continuation", talk(frame(rsv1|opText, hello[:3]), frame(fin|rsv1, hello[3:])), 1002},
		{"G-FRAME-7 a compressed ping", talk(frame(fin|rsv1|opPing, "x")), 1002},
		{"G-FRAME-7 a compressed close", talk(frame(fin|rsv1|opClose, "\x03\xE8")), 1002},
		{"G-FRAME-7 another reserved bit", talk(frame(fin|0x20|opText, "x")), 1002},
		{"G-FRAME-7 all reserved bits", talk(frame(fin|0x70|opText, "x")), 1002},
		{"G-FRAME-7 a compressed frame with an unknown opcode", talk(frame(fin|rsv1|3, "x")), 1002},
		{"G-FRAME-1 compressed binary", talk(frame(fin|rsv1|opBinary, deflate("x"))), 1003},

		{"a response of 255 bytes is not compressed", talk(text(big[:255]), echoFrame(big[:255])), 0},
		{"a response of 256 bytes is compressed", talk(text(big[:256]), serverFrame{rsv1 | opText, big[:256]}), 0},
		{"not if that makes it longer", talk(text(incompressible), echoFrame(incompressible)), 0},
		{"pongs are not compressed", talk(frame(fin|opPing, big[:125]), pongFrame(big[:125])), 0},
		{"G-FRAME-8 in fragments",
			talk(text(randomText(30_000)), serverFrame{rsv1 | opText, randomText(30_000)}, frame(opText, randomText(30_000)),
				frame(fin, randomText(30_000)), serverFrame{rsv1 | opText, randomText(30_000) + randomText(30_000)}), 0},
	})
	converseOffering(t, "permessage-deflate; client_no_context_takeover", []conversation{
		{"each message by itself", talk(deflateFrame(hello), echoFrame("Hello"), deflateFrame(hello), echoFrame("Hello")), 0},
		{"G-FRAME-7 a reference without context takeover",
			talk(deflateFrame(hello), echoFrame("Hello"), deflateFrame("\xF2\x00\x11\x00\x00")), 1007},
	})
	converseOffering(t, "permessage-deflate; server_max_window_bits=9", []conversation{
		{"within the window", talk(text(big[:512]), serverFrame{rsv1 | opText, big[:512]}), 0},
		{"more than the window", talk(text(big[:513]), echoFrame(big[:513])), 0},
	})
}

// incompressible is text of 256 bytes that compresses badly: 192 different
// characters.
var incompressible = func() string {
	var b strings.Builder
	for i := range 128 {
		b.WriteRune(rune(i))
	}
	for i := range 64 {
		b.WriteRune(rune(0x80 + 29*i))
	}
	return b.String()
}()

// inFrames is a compressed message in n frames of about the same size.
func inFrames(payload string, n int) []byte {
	var all []byte
	for i := range n {
		first := byte(0)
		if i == 0 {
			first = rsv1 | opText
		}
		if i == n-1 {
			first |= fin
		}
		all = append(all, frame(first, payload[i*len(payload)/n:(i+1)*len(payload)/n])...)
	}
	return all
}

// TestDeflateClients uses coder/websocket in both of its modes, in both
// directions, in a bubble.
func TestDeflateClients(t *testing.T) {
	modes := map[string]websocket.CompressionMode{
		"context takeover":    websocket.CompressionContextTakeover,
		"no context takeover": websocket.CompressionNoContextTakeover,
	}
	for name, mode := range modes {
		t.Run("G-HANDSHAKE-15 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, api(routes("$default", twoWay(echo))))
				c, resp, err := g.Dial(t.Context(), "/v1", &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				if resp.Header.Get("Sec-WebSocket-Extensions") == "" {
					t.Fatal("no compression was agreed on")
				}
				c.SetReadLimit(1 << 20)
				for i := range 40 {
					text := strings.Repeat(fmt.Sprint("message ", i, ", "), 1+i*i)
					send(t, c, text)
					if got := receive(t, c); got != text {
						t.Fatalf("message %d: got %.80q of %d bytes, want %.80q of %d", i, got, len(got), text, len(text))
					}
				}
				postResult := []byte(strings.Repeat("posted ", 1000))
				if err := g.PostToConnection(t.Context(), onlyID(t, g), postResult); err != nil {
					t.Fatal(err)
				}
				if got := receive(t, c); got != string(postResult) {
					t.Errorf("posted: got %.80q", got)
				}
				if sent := g.Stats().BytesOut; sent > 20_000 {
					t.Errorf("%d bytes were sent, of text that compresses well", sent)
				}
			})
		})
	}
}

// TestDeflateFanOut posts messages with several contents to several clients at
// the same time, of which some compress (G-MGMT-17).
func TestDeflateFanOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, api(nil))
		const clients, messages = 8, 20
		var conns []*websocket.Conn
		for i := range clients {
			mode := websocket.CompressionContextTakeover
			if i%4 == 0 {
				mode = websocket.CompressionDisabled
			}
			c, _, err := g.Dial(t.Context(), "/v1", &websocket.DialOptions{CompressionMode: mode})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			conns = append(conns, c)
		}
		text := func(i, n int) string { return strings.Repeat(fmt.Sprintf("G-MGMT-17 %d to %d. ", n, i%2), 100) }
		for i, info := range g.Connections() {
			go func() {
				for n := range messages {
					if err := g.PostToConnection(context.Background(), info.ConnectionID, []byte(text(i, n))); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		for i, c := range conns {
			for n := range messages {
				if got := receive(t, c); got != text(i, n) {
					t.Fatalf("client %d, message %d: got %.40q", i, n, got)
				}
			}
		}
	})
}
