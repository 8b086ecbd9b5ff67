package gatewaytest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// neverID is a well-formed id without a connection.
const neverID = "XDmENcnwIE0CFEQ="

func TestManagementHTTP(t *testing.T) {
	g := newGateway(t, api(routes("$default", twoWay(echo))))
	base := serve(t, g)
	c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/v1",
		&websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"shop/1.0"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	id := onlyID(t, g)
	escaped := strings.Replace(id, "=", "%3D", 1)

	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	tests := []struct {
		name, method, path, body string
		status                   int
		errorType, answer        string
		arrives                  string
	}{
		{"G-URL-5 G-MGMT-1 -20 POST", "POST", "/v1/@connections/" + id, "hello", 200, "", "", "hello"},
		{"G-MGMT-3 id escaped", "POST", "/v1/@connections/" + escaped, "a", 200, "", "", "a"},
		{"G-MGMT-3 at sign escaped", "POST", "/v1/%40connections/" + escaped, "b", 200, "", "", "b"},
		{"G-MGMT-3 escaped in lower case", "POST", "/v1/%40connections/" + strings.ToLower("%3D") + "", "", 400,
			"BadRequestException", `{"message":"Invalid connectionId: ="}`, ""},
		{"G-MGMT-3 decoded once only", "POST", "/v1/@connections/" + strings.Replace(id, "=", "%253D", 1), "x", 400,
			"BadRequestException",
			`{"message":"Invalid connectionId: ` + strings.Replace(id, "=", "%3D", 1) + `"}`, ""},
		{"G-MGMT-5 never existed", "POST", "/v1/@connections/" + neverID, "x", 410, "GoneException", "", ""},
		{"G-MGMT-5 GET of an unknown id", "GET", "/v1/@connections/" + neverID, "", 410, "GoneException", "", ""},
		{"G-MGMT-5 DELETE of an unknown id", "DELETE", "/v1/@connections/" + neverID, "", 410, "GoneException", "", ""},
		{"G-MGMT-6 malformed", "POST", "/v1/@connections/nonsense", "x", 400, "BadRequestException",
			`{"message":"Invalid connectionId: nonsense"}`, ""},
		{"G-MGMT-6 malformed, with characters that HTML escapes", "POST", "/v1/@connections/%3Cb%3E&", "x", 400,
			"BadRequestException", `{"message":"Invalid connectionId: <b>&"}`, ""},
		{"G-MGMT-6 malformed for GET", "GET", "/v1/@connections/nonsense", "", 400, "BadRequestException",
			`{"message":"Invalid connectionId: nonsense"}`, ""},
		{"G-MGMT-6 malformed for DELETE", "DELETE", "/v1/@connections/nonsense", "", 400, "BadRequestException",
			`{"message":"Invalid connectionId: nonsense"}`, ""},
		{"G-MGMT-6 no padding", "POST", "/v1/@connections/" + strings.TrimSuffix(neverID, "="), "x", 400,
			"BadRequestException", `{"message":"Invalid connectionId: XDmENcnwIE0CFEQ"}`, ""},
		{"G-MGMT-6 impossible last character", "POST", "/v1/@connections/XDmENcnwIE0CFER=", "x", 400,
			"BadRequestException", `{"message":"Invalid connectionId: XDmENcnwIE0CFER="}`, ""},
		{"G-MGMT-6 line end inside", "POST", "/v1/@connections/XDmENcnw%0AIE0CFEQ=", "x", 400, "BadRequestException",
			`{"message":"Invalid connectionId: XDmENcnw\nIE0CFEQ="}`, ""},
		{"G-LIMIT-13 G-MGMT-7 128 KB", "POST", "/v1/@connections/" + id, strings.Repeat("x", 128*1024), 200, "", "",
			strings.Repeat("x", 128*1024)},
		{"G-LIMIT-13 G-MGMT-7 128 KB and one byte", "POST", "/v1/@connections/" + id, strings.Repeat("x", 128*1024+1),
			413, "PayloadTooLargeException", `{"message":"Payload Too Large"}`, ""},
		{"G-MGMT-11 other stage", "POST", "/dev/@connections/" + id, "x", 403, "ForbiddenException",
			`{"message":"Forbidden"}`, ""},
		{"G-MGMT-11 no stage", "POST", "/@connections/" + id, "x", 403, "ForbiddenException", `{"message":"Forbidden"}`, ""},
		{"G-MGMT-11 no id", "POST", "/v1/@connections", "x", 403, "ForbiddenException", `{"message":"Forbidden"}`, ""},
		{"G-MGMT-11 empty id", "POST", "/v1/@connections/", "x", 403, "ForbiddenException", `{"message":"Forbidden"}`, ""},
		{"G-MGMT-11 more after the id", "POST", "/v1/@connections/" + id + "/x", "x", 403, "ForbiddenException",
			`{"message":"Forbidden"}`, ""},
		{"G-MGMT-11 other method", "PUT", "/v1/@connections/" + id, "x", 403, "ForbiddenException",
			`{"message":"Forbidden"}`, ""},
		{"G-MGMT-17 G-FRAME-5 any bytes, as text", "POST", "/v1/@connections/" + id, "a\xFFb", 200, "", "", "a\uFFFDb"},
		{"G-MGMT-18 empty", "POST", "/v1/@connections/" + id, "", 200, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := doRequest(t, tt.method, base+tt.path, strings.NewReader(tt.body))
			if resp.StatusCode != tt.status || body != tt.answer {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, body, tt.status, tt.answer)
			}
			if got := resp.Header.Get("x-amzn-ErrorType"); got != tt.errorType {
				t.Errorf("x-amzn-ErrorType %q, want %q", got, tt.errorType)
			}
			if got := resp.Header.Get("x-amzn-RequestId"); !uuid.MatchString(got) { // G-MGMT-14
				t.Errorf("x-amzn-RequestId %q", got)
			}
			if got := resp.Header.Get("x-amz-apigw-id"); len(got) != 16 {
				t.Errorf("x-amz-apigw-id %q", got)
			}
			if got := resp.Header.Get("Content-Type"); (got == "application/json") != (body != "") {
				t.Errorf("Content-Type %q with body %q", got, body)
			}
			if tt.status == 200 {
				if got := receive(t, c); got != tt.arrives { // receive checks that it is text
					t.Errorf("the client got %.60q, want %.60q", got, tt.arrives)
				}
			}
		})
	}

	t.Run("G-MGMT-4 GET", func(t *testing.T) {
		resp, body := doRequest(t, "GET", base+"/v1/@connections/"+id, nil)
		shape := regexp.MustCompile(`^\{"connectedAt":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",` +
			`"identity":\{"sourceIp":"127\.0\.0\.1","userAgent":"shop/1\.0"\},` +
			`"lastActiveAt":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"\}$`)
		if resp.StatusCode != 200 || !shape.MatchString(body) {
			t.Errorf("got %d %s", resp.StatusCode, body)
		}
	})
	t.Run("G-MGMT-1 DELETE", func(t *testing.T) {
		resp, body := doRequest(t, "DELETE", base+"/v1/@connections/"+id, nil)
		if resp.StatusCode != 204 || body != "" {
			t.Errorf("got %d %q", resp.StatusCode, body)
		}
		if code, reason := receiveClose(t, c); code != 1000 || reason != "Connection Closed Normally" {
			t.Errorf("the client got %d %q", code, reason)
		}
		if resp, _ := doRequest(t, "POST", base+"/v1/@connections/"+id, strings.NewReader("x")); resp.StatusCode != 410 {
			t.Errorf("a POST after that gets %d", resp.StatusCode)
		}
	})
	t.Run("G-MGMT-14 header names in the service's letter case", func(t *testing.T) {
		lines := strings.Join(rawLines(t, base,
			"POST /v1/@connections/nonsense HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "\n")
		for _, name := range []string{"\nx-amzn-RequestId: ", "\nx-amzn-ErrorType: ", "\nx-amz-apigw-id: "} {
			if !strings.Contains(lines, name) {
				t.Errorf("no %q in %s", name, lines)
			}
		}
	})
}

func TestManagementInProcess(t *testing.T) {
	t.Run("G-MGMT-8 G-HANDSHAKE-21 gone while $connect runs", func(t *testing.T) {
		var g *gatewaytest.Gateway
		got := make(map[string]error)
		g = newGateway(t, api(routes("$connect", function(func(ctx context.Context, raw []byte) ([]byte, error) {
			id := lookup(t, raw, "requestContext", "connectionId").(string)
			got["post"] = g.PostToConnection(ctx, id, []byte("welcome"))
			_, got["get"] = g.GetConnection(ctx, id)
			got["delete"] = g.DeleteConnection(ctx, id)
			return ok200(ctx, raw)
		}))))
		dial(t, g, "/v1")
		for what, err := range got {
			if !errors.Is(err, gatewaytest.ErrGone) {
				t.Errorf("%s: %v, want gone", what, err)
			}
		}
	})
	t.Run("G-MGMT-19 a connection of another API is gone", func(t *testing.T) {
		a, b := newGateway(t, gatewaytest.API{}), newGateway(t, gatewaytest.API{})
		dial(t, a, "/v1")
		if err := b.PostToConnection(t.Context(), onlyID(t, a), nil); !errors.Is(err, gatewaytest.ErrGone) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("G-CLOSE-10 CloseConnection has two codes", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		dial(t, g, "/v1")
		id := onlyID(t, g)
		for _, code := range []int{0, 1000, 1001, 1006, 1010, 1013, 4000} {
			if err := g.CloseConnection(t.Context(), id, code); err == nil || len(g.Connections()) != 1 {
				t.Errorf("code %d: got %v, %d connections", code, err, len(g.Connections()))
			}
		}
		if err := g.CloseConnection(t.Context(), neverID, 1011); !errors.Is(err, gatewaytest.ErrGone) {
			t.Errorf("unknown id: %v", err)
		}
		if err := g.CloseConnection(t.Context(), "x", 1012); !errors.Is(err, gatewaytest.ErrBadRequest) {
			t.Errorf("malformed: %v", err)
		}
	})
	t.Run("errors can be distinguished", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		dial(t, g, "/v1")
		id := onlyID(t, g)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, tt := range []struct {
			name string
			err  error
			want error
		}{
			{"malformed", g.PostToConnection(t.Context(), "x", nil), gatewaytest.ErrBadRequest},
			{"malformed and too large", g.PostToConnection(t.Context(), "x", make([]byte, 200_000)), gatewaytest.ErrBadRequest},
			{"too large", g.PostToConnection(t.Context(), id, make([]byte, 128*1024+1)), gatewaytest.ErrPayloadTooLarge},
			{"gone", g.PostToConnection(t.Context(), neverID, nil), gatewaytest.ErrGone},
			{"cancelled", g.PostToConnection(cancelled, id, nil), context.Canceled},
			{"delete cancelled", g.DeleteConnection(cancelled, id), context.Canceled},
		} {
			if !errors.Is(tt.err, tt.want) {
				t.Errorf("%s: got %v, want %v", tt.name, tt.err, tt.want)
			}
		}
		var answer *gatewaytest.Error
		if err := g.PostToConnection(t.Context(), "x", nil); !errors.As(err,
			&answer) || answer.StatusCode != 400 || answer.Message != "Invalid connectionId: x" {
			t.Errorf("got %+v", answer)
		}
		if errors.Is(gatewaytest.ErrGone, gatewaytest.ErrBadRequest) {
			t.Error("errors.Is equates 410 and 400")
		}
	})
	t.Run("G-MGMT-4 -21 connectedAt and lastActiveAt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, api(routes("$default", ok200)))
			start := time.Now()
			c := dial(t, g, "/v1")
			id := onlyID(t, g)
			check := func(what string, want time.Duration) {
				t.Helper()
				info, err := g.GetConnection(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if !info.ConnectedAt.Equal(start) || info.LastActiveAt.Sub(start) != want {
					t.Errorf("%s: connected %v, active after %v, want %v", what, info.ConnectedAt, info.LastActiveAt.Sub(start), want)
				}
			}
			check("at first", 0)
			time.Sleep(time.Second)
			check("later", 0)
			send(t, c, "x")
			synctest.Wait()
			check("message in", time.Second)
			time.Sleep(time.Second)
			if err := g.PostToConnection(t.Context(), id, []byte("x")); err != nil {
				t.Fatal(err)
			}
			check("message out", 2*time.Second)
		})
	})
	t.Run("G-MGMT-4 no user agent, no key", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		base := serve(t, g)
		c, _, err := g.DialRaw(t.Context(), "/v1", http.Header{"User-Agent": nil})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, body := doRequest(t, "GET", base+"/v1/@connections/"+onlyID(t, g), nil)
		if !json.Valid([]byte(body)) || strings.Contains(body, "userAgent") {
			t.Errorf("got %s", body)
		}
	})
	t.Run("Connections lists the oldest first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{})
			for range 3 {
				dial(t, g, "/v1")
				time.Sleep(time.Second)
			}
			infos := g.Connections()
			if len(infos) != 3 || !infos[0].ConnectedAt.Before(infos[1].ConnectedAt) ||
				!infos[1].ConnectedAt.Before(infos[2].ConnectedAt) {
				t.Errorf("got %+v", infos)
			}
			if n := g.Stats().Open; n != 3 {
				t.Errorf("%d open", n)
			}
		})
	})
}

// TestSlowReader fills the send buffer of a client that does not read.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{SendBuffer: 1000, Routes: routes("$default", twoWay(echo))})
		c := dialRaw(t, g, "/v1")
		other := dial(t, g, "/v1")
		id := onlyIDs(t, g, 2)[0]
		post := func(n int) error {
			return g.PostToConnection(t.Context(), id, bytes.Repeat([]byte{'x'}, n))
		}
		// Each costs its payload and its header, of 2 or 4 bytes.
		for range 4 {
			if err := post(246); err != nil {
				t.Fatalf("G-MGMT-16: a post without a reader: %v, want accepted", err)
			}
		}
		if err := post(0); !errors.Is(err, gatewaytest.ErrLimitExceeded) {
			t.Fatalf("G-MGMT-9: got %v, want 429", err)
		}
		c.mustWrite(t, text("and the response"))
		synctest.Wait()
		if s := g.Stats(); s.Posts != 4 || s.Throttled != 1 || s.Dropped != 1 {
			t.Errorf("stats %+v", s)
		}
		send(t, other, "hello") // other clients are not affected
		if got := receive(t, other); got != "hello" {
			t.Errorf("the other client got %q", got)
		}
		for range 4 {
			if f := c.mustRead(t); len(f.payload) != 246 {
				t.Errorf("got %v", f)
			}
		}
		synctest.Wait()
		if err := post(5000); err != nil { // with nothing unsent, even a message larger than the buffer
			t.Fatal(err)
		}
		if err := post(1); !errors.Is(err, gatewaytest.ErrLimitExceeded) {
			t.Fatalf("got %v, want 429", err)
		}
		if f := c.mustRead(t); len(f.payload) != 5000 {
			t.Errorf("got %v", f)
		}
	})
}

// TestSentFragments posts messages that are sent in fragments.
func TestSentFragments(t *testing.T) {
	t.Run("G-FRAME-8 four for 128 KB, and all are counted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{})
			c := dialRaw(t, g, "/v1")
			if err := g.PostToConnection(t.Context(), onlyID(t, g), make([]byte, 128*1024)); err != nil {
				t.Fatal(err)
			}
			for i := range 4 {
				f, last, err := c.readFragment()
				if opcode := []byte{opText, 0, 0,
					0}[i]; err != nil || f.opcode != opcode || len(f.payload) != 32*1024 || last != (i == 3) {
					t.Errorf("fragment %d: opcode %d, %d bytes, last %v, %v", i, f.opcode, len(f.payload), last, err)
				}
			}
			synctest.Wait()
			if s := g.Stats(); s.FramesOut != 4 || s.BytesOut != 128*1024 {
				t.Errorf("stats %+v", s)
			}
		})
	})
	t.Run("G-MGMT-9 G-FRAME-8 the headers of fragments count in the send buffer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			// A message of 246 bytes, then one of two fragments.
			const size, room = 40_000, 246 + 4 + 40_000 + 4 + 4
			for _, tt := range []struct {
				buffer int
				fits   bool
			}{{room, true}, {room - 1, false}} {
				g := newGateway(t, gatewaytest.API{SendBuffer: tt.buffer})
				dialRaw(t, g, "/v1") // does not read
				id := onlyID(t, g)
				if err := g.PostToConnection(t.Context(), id, make([]byte, 246)); err != nil {
					t.Fatal(err)
				}
				if err := g.PostToConnection(t.Context(), id, make([]byte, size)); (err == nil) != tt.fits {
					t.Errorf("buffer of %d: %v", tt.buffer, err)
				}
			}
		})
	})
}

// onlyIDs returns the ids of all n connections, the oldest first.
func onlyIDs(t testing.TB, g *gatewaytest.Gateway, n int) []string {
	t.Helper()
	infos := g.Connections()
	if len(infos) != n {
		t.Fatalf("%d connections, want %d", len(infos), n)
	}
	ids := make([]string, n)
	for i := range infos {
		ids[i] = infos[i].ConnectionID
	}
	return ids
}

func TestPostOrder(t *testing.T) {
	t.Run("G-ORDER-5 posts arrive in order", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		base := serve(t, g)
		c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		id := onlyID(t, g)
		const posts = 5000
		go func() {
			for i := range posts {
				size := 1 + i%300 // headers of both lengths
				data := bytes.Repeat([]byte{byte('a' + i%26)}, size)
				if err := g.PostToConnection(context.Background(), id, data); err != nil {
					t.Error(err)
				}
			}
		}()
		for i := range posts {
			if got, want := receive(t, c), strings.Repeat(string(rune('a'+i%26)), 1+i%300); got != want {
				t.Fatalf("message %d is %q, want %q", i, got, want)
			}
		}
	})
	t.Run("the posted slice is shared, not changed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{})
			data := []byte("the same for all")
			var clients []*websocket.Conn
			for range 5 {
				clients = append(clients, dial(t, g, "/v1"))
			}
			for _, id := range onlyIDs(t, g, 5) {
				if err := g.PostToConnection(t.Context(), id, data); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range clients {
				if got := receive(t, c); got != "the same for all" {
					t.Errorf("got %q", got)
				}
			}
			synctest.Wait()
			if s := g.Stats(); s.FramesOut != 5 || s.BytesOut != int64(5*len(data)) {
				t.Errorf("stats %+v", s)
			}
		})
	})
}

// TestFaults. Our own: Faults hit each Nth event, and FailNext the next post.
func TestFaults(t *testing.T) {
	every := func(f gatewaytest.Faults) (*gatewaytest.Gateway, string) {
		g := newGateway(t, gatewaytest.API{Faults: &f, Routes: routes("$default", twoWay(echo))})
		connectReader(t, g)
		return g, onlyID(t, g)
	}
	for _, tt := range []struct {
		name   string
		faults gatewaytest.Faults
		want   error
	}{
		{"GoneEvery", gatewaytest.Faults{GoneEvery: 3}, gatewaytest.ErrGone},
		{"ThrottleEvery", gatewaytest.Faults{ThrottleEvery: 3}, gatewaytest.ErrLimitExceeded},
		{"TooLargeEvery", gatewaytest.Faults{TooLargeEvery: 3}, gatewaytest.ErrPayloadTooLarge},
		{"ErrorEvery", gatewaytest.Faults{ErrorEvery: 3}, gatewaytest.ErrInternal},
	} {
		t.Run(tt.name+" hits each third", func(t *testing.T) {
			g, id := every(tt.faults)
			for i := 1; i <= 9; i++ {
				err := g.PostToConnection(t.Context(), id, []byte("x"))
				if (i%3 == 0) != errors.Is(err, tt.want) || (i%3 != 0) != (err == nil) {
					t.Errorf("post %d: %v", i, err)
				}
			}
			g.SetFaults(nil)
			for range 3 {
				if err := g.PostToConnection(t.Context(), id, []byte("x")); err != nil {
					t.Errorf("after the faults ended: %v", err)
				}
			}
			s := g.Stats()
			if s.Posts != 9 || tt.want == error(gatewaytest.ErrGone) && s.Gone != 3 ||
				tt.want == error(gatewaytest.ErrLimitExceeded) && s.Throttled != 3 ||
				tt.want == error(gatewaytest.ErrPayloadTooLarge) && s.TooLarge != 3 {
				t.Errorf("stats %+v", s)
			}
		})
	}
	t.Run("SlowEvery waits until the context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Faults: &gatewaytest.Faults{SlowEvery: 2, SlowBy: time.Minute}})
			dial(t, g, "/v1")
			id := onlyID(t, g)
			start := time.Now()
			for _, want := range []time.Duration{0, time.Minute, time.Minute} {
				if err := g.PostToConnection(t.Context(), id, nil); err != nil || time.Since(start) != want {
					t.Errorf("got %v after %v, want %v", err, time.Since(start), want)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := g.PostToConnection(ctx, id, nil); !errors.Is(err,
				context.DeadlineExceeded) || time.Since(start) != time.Minute+time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
		})
	})
	t.Run("SlowEvery waits until the faults change", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Faults: &gatewaytest.Faults{SlowEvery: 1, SlowBy: 9000 * time.Hour}})
			dial(t, g, "/v1")
			id := onlyID(t, g)
			for _, next := range []*gatewaytest.Faults{{SlowEvery: 1, SlowBy: 9000 * time.Hour}, nil} {
				start := time.Now()
				posted := make(chan error)
				go func() { posted <- g.PostToConnection(t.Context(), id, nil) }()
				time.Sleep(time.Second)
				g.SetFaults(next)
				if err := <-posted; err != nil || time.Since(start) != time.Second {
					t.Errorf("got %v after %v, want 1s", err, time.Since(start))
				}
			}
		})
	})
	t.Run("LoseDisconnectEvery", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, gatewaytest.API{Faults: &gatewaytest.Faults{LoseDisconnectEvery: 2},
				Routes: routes("$disconnect", &disconnect)})
			for range 4 {
				_ = dialRaw(t, g, "/v1").Close()
				synctest.Wait()
			}
			if n := len(disconnect.all()); n != 2 {
				t.Errorf("$disconnect ran %d times, want 2", n)
			}
		})
	})
	t.Run("DropEvery cuts without a close frame", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, gatewaytest.API{Faults: &gatewaytest.Faults{DropEvery: 2},
				Routes: routes("$default", twoWay(echo), "$disconnect", &disconnect)})
			c := dialRaw(t, g, "/v1")
			c.mustWrite(t, text("one"))
			if f := c.mustRead(t); f.payload != "one" {
				t.Errorf("got %v", f)
			}
			c.mustWrite(t, text("two"))
			if f, err := c.readFrame(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, %v, want the end", f, err)
			}
			synctest.Wait()
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1006.0 {
				t.Errorf("code %v", code)
			}
		})
	})
	t.Run("FailNext", func(t *testing.T) {
		g, id := every(gatewaytest.Faults{})
		mine := &gatewaytest.Error{StatusCode: 418, Code: "TeapotException", Message: "short and stout"}
		g.FailNext(id, mine)
		g.FailNext(id, gatewaytest.ErrGone)
		g.FailNext(neverID, nil)
		for i, want := range []error{mine, gatewaytest.ErrGone, nil} {
			if err := g.PostToConnection(t.Context(), id, nil); !errors.Is(err, want) {
				t.Errorf("post %d: got %v, want %v", i, err, want)
			}
		}
		g.FailNext(id, mine)
		g.FailNext(id, nil)
		if err := g.PostToConnection(t.Context(), id, nil); err != nil {
			t.Errorf("after FailNext(nil): got %v", err)
		}
		g.FailNext(id, mine)
		resp, body := doRequest(t, "POST", serve(t, g)+"/v1/@connections/"+id, nil)
		if resp.StatusCode != 418 || body != `{"message":"short and stout"}` ||
			resp.Header.Get("x-amzn-ErrorType") != "TeapotException" {
			t.Errorf("over HTTP: %d %s", resp.StatusCode, body)
		}
	})
}

// connectReader connects a client that reads everything.
func connectReader(t testing.TB, g *gatewaytest.Gateway) {
	t.Helper()
	c := dial(t, g, "/v1")
	done := make(chan struct{})
	go func() { defer close(done); drain(c) }()
	t.Cleanup(func() { _ = c.CloseNow(); <-done })
}

// deadlineRecorder is an http.ResponseWriter that records its read deadline.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (d *deadlineRecorder) SetReadDeadline(at time.Time) error {
	d.read = at
	return nil
}

// TestSlowBody. Our own: a slow body does not hold a request forever.
func TestSlowBody(t *testing.T) {
	g := newGateway(t, gatewaytest.API{})
	w := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
	start := time.Now()
	g.ServeHTTP(w, httptest.NewRequest("POST", "/v1/@connections/"+neverID, strings.NewReader("x")))
	if w.Code != 410 || w.read.Before(start) || w.read.After(time.Now().Add(time.Minute)) {
		t.Errorf("got %d, and a deadline %v after the start", w.Code, w.read.Sub(start))
	}
}
