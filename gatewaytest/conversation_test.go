package gatewaytest_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// conversation is a conversation in raw bytes with a function that echoes. Of
// the steps in talk, a []byte is written and a serverFrame is expected. close
// is the code of the gateway's close frame at the end, or 0 if the connection
// stays open.
type conversation struct {
	name  string
	talk  []any
	close int
}

// disconnectCode is the code in the DISCONNECT event. It is that of the close
// frame, except for a frame without a code.
func (c conversation) disconnectCode() int {
	switch c.close {
	case 0:
		return 1000 // converse closes the connection
	case noCode:
		return 1005
	default:
		return c.close
	}
}

// noCode is the code of a close frame without one.
const noCode = -1

// converse runs the cases one after the other against one gateway on a TCP
// listener. Another client is connected all the time. After each case it sends
// a message, and the next frame that it gets must be the response.
func converse(t *testing.T, cases []conversation) {
	t.Helper()
	converseOffering(t, "", cases)
}

// converseOffering is converse with a client that offers an extension, if it is
// not empty.
func converseOffering(t *testing.T, offer string, cases []conversation) {
	t.Helper()
	codes := make(chan int, 1)
	g := newGateway(t, api(routes("$default", twoWay(echo), "$disconnect",
		function(func(ctx context.Context, raw []byte) ([]byte, error) {
			code, _ := lookup(t, raw, "requestContext", "disconnectStatusCode").(float64)
			codes <- int(code)
			return ok200(ctx, raw)
		}))))
	base := serve(t, g)
	other, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = other.Close(websocket.StatusNormalClosure, "")
		<-codes
	}()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			c := dialTCP(t, base, offer)
			defer func() {
				_ = c.Close()
				if got := <-codes; got != tt.disconnectCode() {
					t.Errorf("the DISCONNECT event has %d, want %d", got, tt.disconnectCode())
				}
				send(t, other, tt.name)
				if got := receive(t, other); got != tt.name {
					t.Errorf("the other client got %q", got)
				}
			}()
			for _, step := range tt.talk {
				switch step := step.(type) {
				case []byte:
					c.mustWrite(t, step)
				case serverFrame:
					if got := c.mustRead(t); got != step {
						t.Errorf("got %v, want %v", got, step)
					}
				}
			}
			want := tt.close
			if want == 0 {
				c.mustWrite(t, text("and then"))
				if got := c.mustRead(t); got.payload != "and then" {
					t.Errorf("afterwards got %v", got)
				}
				c.mustWrite(t, closeFrame(1000, ""))
				want = 1000
			}
			if got := c.mustRead(t); got.opcode != opClose || closeCode(got.payload) != want {
				t.Errorf("got %v, want a close frame with %d", got, want)
			}
			if f, err := c.readFrame(); !errors.Is(err, io.EOF) {
				t.Errorf("after the close frame came %v, %v, want the end", f, err)
			}
		})
	}
}

// conversationTimeout is when a conversation that does not continue has failed.
const conversationTimeout = 5 * time.Second

// closeCode is the code in the payload of a close frame, or noCode.
func closeCode(payload string) int {
	if len(payload) < 2 {
		return noCode
	}
	return int(binary.BigEndian.Uint16([]byte(payload)))
}

// dialTCP opens a connection over TCP.
func dialTCP(t testing.TB, base, offer string) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(conversationTimeout)) // fail instead of hanging
	c := &rawClient{Conn: conn, r: bufio.NewReader(conn)}
	if offer != "" {
		offer = "Sec-WebSocket-Extensions: " + offer + "\r\n"
	}
	c.mustWrite(t, []byte("GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+offer+"\r\n"))
	for line := ""; line != "\r\n"; {
		if line, err = c.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		c.deflate = c.deflate || strings.HasPrefix(line, "sec-websocket-extensions: permessage-deflate")
	}
	return c
}

// talk lists the steps of a conversation.
func talk(steps ...any) []any { return steps }

func echoFrame(text string) serverFrame { return serverFrame{opText, text} }

func pongFrame(payload string) serverFrame { return serverFrame{opPong, payload} }

// concat is several frames in one write.
func concat(parts ...[]byte) []byte {
	var all []byte
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// singleBytes is one byte per write.
func singleBytes(b []byte) []any {
	var parts []any
	for i := range b {
		parts = append(parts, b[i:i+1])
	}
	return parts
}

// header16 is the header of a frame whose length is written in 16 bits, even if
// it fits into 7, and a mask of zeros. header64 writes 64 bits.
func header16(first byte, n uint16) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{first, masked | 126}, n), 0, 0, 0, 0)
}

func header64(first byte, n uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{first, masked | 127}, n), 0, 0, 0, 0)
}

// frameWithMask is a short frame with this mask.
func frameWithMask(mask [4]byte, first byte, payload string) []byte {
	b := append([]byte{first, masked | byte(len(payload))}, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

// unmaskedFrame is a short frame without a mask, which only servers may send.
func unmaskedFrame(first byte, payload string) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}
