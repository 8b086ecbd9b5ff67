package recording_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/wire"
)

// counted is an endless body that counts what is read of it.
type counted struct{ read int }

func (c *counted) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	c.read += len(p)
	return len(p), nil
}

// TestLongBodies: a recorder reads nothing of a body by itself, and keeps no more than is
// accepted. Many long bodies do not end the recording.
func TestLongBodies(t *testing.T) {
	r, f := newRecorder(), new(file)
	start(t, r, f)
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	readSome := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if n, err := io.Copy(io.Discard, io.LimitReader(req.Body, 10<<20)); n != 10<<20 || err != nil {
			t.Errorf("the handler read %d bytes, %v", n, err)
		}
	})
	for _, next := range []http.Handler{refuse, readSome} {
		for range 8 {
			endless := new(counted)
			req := httptest.NewRequest(http.MethodPost, "/v1/cart/lines", endless)
			before := endless.read
			r.REST(next).ServeHTTP(httptest.NewRecorder(), req)
			if read := endless.read - before; read > 11<<20 {
				t.Errorf("%d bytes were read of the body", read)
			}
		}
	}
	stop(t, r)
	if f.Len() > 9*wire.MaxMessage {
		t.Errorf("the recording has %d bytes", f.Len())
	}
	rec, err := recording.Read(&f.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range rec.Events {
		want := wire.MaxMessage + 1 // refused by a replay too
		if i < 8 {
			want = 0
		}
		if e.Type != recording.REST || len(e.Body) != want {
			t.Errorf("event %d is %s with %d bytes, want rest with %d", i, e.Type, len(e.Body), want)
		}
	}
	if len(rec.Events) != 16 {
		t.Errorf("got %d events, want 16", len(rec.Events))
	}
}

// TestOrderOfRequests: the event of a request lies before what comes of it, whether its
// handler reads the body first, acts on each line, or ignores the body.
func TestOrderOfRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		method, path, want string
		chunks             []string
		lines, ignores     bool
	}{
		"JSON":    {method: "PUT", path: "/admin/stock/MUG", chunks: []string{`{"a`, `":1}`}, want: `{"a":1} acted`},
		"no body": {method: "POST", path: "/admin/users/alice/revoke", ignores: true, want: ` acted`},
		"unread body": {
			method: "POST", path: "/admin/users/alice/revoke", chunks: []string{"{}"}, ignores: true, want: ` acted`,
		},
		"of a deletion": {method: "DELETE", path: "/admin/stock/MUG", chunks: []string{"{}"}, ignores: true, want: ` acted`},
		"lines": {
			method: "POST", path: "/admin/stock", chunks: []string{"1\n2\n3", "4\n5"}, lines: true,
			want: "1\n2\n acted acted 34\n acted 5 acted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newRecorder(), new(file)
			start(t, r, f)
			ctx := context.Background()
			r.Observe(ctx, open("c1", recording.Person{User: "alice", Role: "customer"}, nil, nil))
			act := func() { r.Observe(ctx, frame(gatewaytest.ObservedOut, "c1", "acted")) }
			next := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				for lines := bufio.NewScanner(req.Body); tt.lines && lines.Scan(); {
					act()
				}
				if tt.lines {
					return
				}
				if !tt.ignores {
					_, _ = io.ReadAll(req.Body)
				}
				act()
			})
			reader, writer := io.Pipe()
			go func() {
				for _, chunk := range tt.chunks {
					_, _ = io.WriteString(writer, chunk)
				}
				_ = writer.Close()
			}()
			req := httptest.NewRequest(tt.method, tt.path, reader)
			r.Requests(next).ServeHTTP(httptest.NewRecorder(), req)
			_ = reader.Close()
			stop(t, r)
			rec, err := recording.Read(&f.Buffer)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range rec.Events[1:] {
				got = append(got, e.Body+e.Text)
			}
			if joined := strings.Join(got, " "); joined != tt.want {
				t.Errorf("got %q, want %q", joined, tt.want)
			}
		})
	}
}

// TestManySmall: what waits is bounded in memory, not only in bytes of messages.
func TestManySmall(t *testing.T) {
	r := newRecorder()
	f := &blocked{release: make(chan struct{})}
	if err := r.Start(f, "slow"); err != nil {
		t.Fatal(err)
	}
	header := http.Header{"X": {strings.Repeat("x", 8<<10)}}
	for range recording.MaxWaiting/(8<<10) + 2 {
		r.Observe(context.Background(), open("c1", recording.Person{User: "alice", Role: "customer"}, header, url.Values{}))
	}
	if s := r.Status(); s == nil || s.Failed == "" {
		t.Errorf("%+v: headers are not counted", s)
	}
	close(f.release)
	_, _ = r.Stop()
	f = &blocked{release: make(chan struct{})}
	if err := r.Start(f, "slow"); err != nil {
		t.Fatal(err)
	}
	r.Observe(context.Background(), open("c1", recording.Person{User: "alice", Role: "customer"}, nil, nil))
	for range recording.MaxWaiting>>10 + 2 {
		r.Observe(context.Background(), frame(gatewaytest.ObservedIn, "c1", "ping"))
	}
	if s := r.Status(); s == nil || s.Failed == "" {
		t.Errorf("%+v: messages of four bytes are not bounded", s)
	}
	close(f.release)
	_, _ = r.Stop()
}
