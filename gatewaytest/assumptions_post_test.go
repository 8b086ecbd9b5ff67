package gatewaytest_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// observePost returns the response of @connections to a POST, and what the
// client reads.
func observePost(data string) func(*testing.T, gatewaytest.Assumptions) string {
	return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		g := newGateway(t, gatewaytest.API{Assumptions: assumptions})
		c := dialRaw(t, g, "/v1")
		answer := plainRequest(t, g, "POST", "/v1/@connections/"+onlyID(t, g), data)
		return answer + fmt.Sprintf(" %q", c.next(t))
	}
}

func TestAssumedPosts(t *testing.T) {
	lengths := func(size int) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions})
			c := dialRaw(t, g, "/v1")
			if err := g.PostToConnection(t.Context(), onlyID(t, g), []byte(strings.Repeat("a", size))); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(c.frameLengths(t))
		}
	}
	testAssumptions(t, []assumptionTest{
		{"G-MGMT-18 no data", observePost(""), `200 ""`, gatewaytest.Assumptions{EmptyPostStatus: 400},
			`400 BadRequestException "nothing"`},
		{"G-MGMT-18 some data", observePost("x"), `200 "x"`, gatewaytest.Assumptions{EmptyPostStatus: 400}, `200 "x"`},
		{"G-FRAME-5 G-MGMT-17 not UTF-8", observePost("a\xFF"), "200 \"a\uFFFD\"",
			gatewaytest.Assumptions{PostsUnchanged: true}, `200 "a\xff"`},
		{"G-FRAME-8 128 KB", lengths(131_072), "[32768 32768 32768 32768]",
			gatewaytest.Assumptions{SentFrameBytes: 10 << 20}, "[131072]"},
		{"G-FRAME-8 64 KB", lengths(65_536), "[32768 32768]", gatewaytest.Assumptions{SentFrameBytes: 65_535}, "[65535 1]"},
		{"G-FRAME-8 fragments of 125 bytes", lengths(300), "[300]", gatewaytest.Assumptions{SentFrameBytes: 125},
			"[125 125 50]"},
	})
	slashes := func(path, host string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions, Domain: &gatewaytest.Domain{Name: "shop.example"}})
			dialRaw(t, g, "/v1")
			return plainRequest(t, g, "POST", host+path+onlyID(t, g), "x")
		}
	}
	double := gatewaytest.Assumptions{DoubleSlashPasses: true}
	forbidden := "403 ForbiddenException"
	testAssumptions(t, []assumptionTest{
		{"G-MGMT-22 two slashes", slashes("/v1//@connections/", ""), forbidden, double, "200"},
		{"G-MGMT-22 encoded", slashes("/v1//%40connections/", ""), forbidden, double, "200"},
		{"G-MGMT-22 G-MGMT-15 under a domain", slashes("//@connections/", "http://shop.example"), forbidden, double, "200"},
		{"G-MGMT-22 one slash", slashes("/v1/@connections/", ""), "200", double, "200"},
		{"G-MGMT-22 three slashes", slashes("/v1///@connections/", ""), forbidden, double, forbidden},
		{"G-MGMT-22 after @connections", slashes("/v1/@connections//", ""), forbidden, double, forbidden},
	})
	t.Run("G-MGMT-18 a connection that is gone stays 410", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{Assumptions: gatewaytest.Assumptions{EmptyPostStatus: 400}})
		if got := plainRequest(t, g, "POST", "/v1/@connections/"+neverID, ""); got != "410 GoneException" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("G-FRAME-8 the send buffer counts the headers of whole frames", func(t *testing.T) {
		// The first post is accepted whatever its size. The second fits exactly, or
		// lacks a byte.
		for room, want := range map[int]error{2 * (70_000 + 10): nil, 2*(70_000+10) - 1: gatewaytest.ErrLimitExceeded} {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, gatewaytest.API{SendBuffer: room, Assumptions: gatewaytest.Assumptions{SentFrameBytes: 1 << 20}})
				dialRaw(t, g, "/v1")
				data := []byte(strings.Repeat("a", 70_000))
				if err := g.PostToConnection(t.Context(), onlyID(t, g), data); err != nil {
					t.Fatal(err)
				}
				if err := g.PostToConnection(t.Context(), onlyID(t, g), data); err != want {
					t.Errorf("room for %d: got %v, want %v", room, err, want)
				}
			})
		}
	})
}

// frameLengths reads one message and returns the lengths of its frames.
func (c *rawClient) frameLengths(t testing.TB) (lengths []int) {
	t.Helper()
	for last := false; !last; {
		head := make([]byte, 2, 10)
		read := func(n int) []byte {
			b := make([]byte, n)
			if _, err := io.ReadFull(c.r, b); err != nil {
				t.Fatal(err)
			}
			return b
		}
		copy(head, read(2))
		length := int(head[1])
		switch length {
		case 126:
			length = int(binary.BigEndian.Uint16(read(2)))
		case 127:
			length = int(binary.BigEndian.Uint64(read(8)))
		}
		if got := strings.Trim(string(read(length)), "a"); got != "" {
			t.Fatalf("payload contains %q", got)
		}
		last = head[0]&fin != 0
		lengths = append(lengths, length)
	}
	return lengths
}

func TestAssumedActivity(t *testing.T) {
	idle := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		c := dialRaw(t, newGateway(t, gatewaytest.API{Assumptions: assumptions}), "/v1")
		start := time.Now()
		time.Sleep(9 * time.Minute)
		c.mustWrite(t, frame(fin|opPing, ""))
		for c.next(t) != "close 1001 Going away" {
		}
		return fmt.Sprint(time.Since(start))
	}
	lastActive := func(fromClient bool) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$default", ok200)})
			c := dialRaw(t, g, "/v1")
			time.Sleep(time.Minute)
			if fromClient {
				c.mustWrite(t, text("x"))
			} else if err := g.PostToConnection(t.Context(), onlyID(t, g), []byte("x")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			info, err := g.GetConnection(t.Context(), onlyID(t, g))
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(info.LastActiveAt.Sub(info.ConnectedAt))
		}
	}
	testAssumptions(t, []assumptionTest{
		{"G-LIMIT-6 a ping", idle, "10m0s", gatewaytest.Assumptions{PingsKeepAlive: true}, "19m0s"},
		{"G-MGMT-21 to the client", lastActive(false), "1m0s", gatewaytest.Assumptions{LastActiveFromClient: true}, "0s"},
		{"G-MGMT-21 from the client", lastActive(true), "1m0s", gatewaytest.Assumptions{LastActiveFromClient: true}, "1m0s"},
	})
	t.Run("G-LIMIT-6 a ping after a warp", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Assumptions: gatewaytest.Assumptions{PingsKeepAlive: true}})
			c := dialRaw(t, g, "/v1")
			g.Warp(9 * time.Minute)
			start := time.Now()
			c.mustWrite(t, frame(fin|opPing, ""))
			for c.next(t) != "close 1001 Going away" {
			}
			if got := time.Since(start); got != 10*time.Minute {
				t.Errorf("closed %v after the ping, want 10m0s", got)
			}
		})
	})
}
