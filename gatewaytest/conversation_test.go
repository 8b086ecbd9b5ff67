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

// wireCase is a conversation in raw bytes with a function that echoes. In talk
// a []byte is written, a serverFrame has to come. close is the code of the close
// frame that the gateway then sends; 0 says that the connection is well.
type wireCase struct {
	name  string
	talk  []any
	close int
}

// tells is what $disconnect hears when the gateway answers with close: the same,
// but for a close frame without a code.
func (c wireCase) tells() int {
	switch c.close {
	case 0:
		return 1000 // the battery ends the conversation itself
	case noCode:
		return 1005
	default:
		return c.close
	}
}

// noCode is the close of a frame without a code.
const noCode = -1

// converse runs the cases one after the other against one gateway on a TCP
// listener. A neighbour is connected all the while: after each case it says
// something, and the very next thing that it gets has to be the answer.
func converse(t *testing.T, cases []wireCase) {
	t.Helper()
	converseOffering(t, "", cases)
}

// converseOffering is converse with a client that offers an extension, if it is
// not empty.
func converseOffering(t *testing.T, offer string, cases []wireCase) {
	t.Helper()
	told := make(chan int, 1)
	g := newGateway(t, api(routes("$default", twoWay(echo), "$disconnect",
		function(func(ctx context.Context, raw []byte) ([]byte, error) {
			code, _ := lookup(t, raw, "requestContext", "disconnectStatusCode").(float64)
			told <- int(code)
			return ok200(ctx, raw)
		}))))
	base := serve(t, g)
	neighbour, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = neighbour.Close(websocket.StatusNormalClosure, "")
		<-told
	}()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			c := dialTCP(t, base, offer)
			defer func() {
				_ = c.Close()
				if got := <-told; got != tt.tells() {
					t.Errorf("$disconnect was told %d, want %d", got, tt.tells())
				}
				send(t, neighbour, tt.name)
				if got := receive(t, neighbour); got != tt.name {
					t.Errorf("the neighbour got %q", got)
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
				c.mustWrite(t, closing(1000, ""))
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

// hang is when a conversation that does not go on has failed.
const hang = 5 * time.Second

// closeCode is the code in a close frame's payload, or noCode.
func closeCode(payload string) int {
	if len(payload) < 2 {
		return noCode
	}
	return int(binary.BigEndian.Uint16([]byte(payload)))
}

// dialTCP shakes hands over a socket.
func dialTCP(t testing.TB, base, offer string) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(hang)) // a hang is a failure
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

// talk is a conversation; see wireCase.
func talk(steps ...any) []any { return steps }

func echoed(text string) serverFrame { return serverFrame{opText, text} }

func pong(payload string) serverFrame { return serverFrame{opPong, payload} }

// joined is several frames in one write.
func joined(parts ...[]byte) []byte {
	var all []byte
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// bytewise is one byte a write.
func bytewise(b []byte) []any {
	var parts []any
	for i := range b {
		parts = append(parts, b[i:i+1])
	}
	return parts
}

// announces is the header of a frame whose length is written in 16 or 64 bits,
// as short as it may be, and a mask of zeros.
func announces16(first byte, n uint16) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{first, masked | 126}, n), 0, 0, 0, 0)
}

func announces64(first byte, n uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{first, masked | 127}, n), 0, 0, 0, 0)
}

// maskedWith is a short frame with a mask of one's own.
func maskedWith(mask [4]byte, first byte, payload string) []byte {
	b := append([]byte{first, masked | byte(len(payload))}, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

// unmasked is a short frame as only servers may send it.
func unmasked(first byte, payload string) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}
