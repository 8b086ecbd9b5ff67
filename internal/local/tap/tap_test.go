package tap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/events"
)

// pipes is a listener of connections in memory, which block as soon as nobody reads.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { close(p.conns); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// world is a log and its server, in a bubble.
type world struct {
	t      *testing.T
	log    *events.Log
	server *Server
	pipes  pipes
}

func inWorld(t *testing.T, do func(*world)) {
	synctest.Test(t, func(t *testing.T) {
		log := events.New(time.Now)
		w := &world{t, log, New(log), pipes{make(chan net.Conn)}}
		s := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			f, err := events.ParseFilter(r.URL.Query())
			if err != nil {
				t.Error(err)
			}
			var refused *Refusal
			if errors.As(w.server.Serve(rw, r, f), &refused) {
				rw.WriteHeader(refused.Status)
			}
		})}
		go func() { _ = s.Serve(w.pipes) }()
		do(w)
		w.server.Close()
		_ = s.Close()
	})
}

// dial opens a feed. The reader must read or close it.
func (w *world) dial(query string) *websocket.Conn {
	w.t.Helper()
	conn, _, err := w.tryDial(query)
	if err != nil {
		w.t.Fatal(err)
	}
	if conn.Subprotocol() != Subprotocol {
		w.t.Errorf("got subprotocol %q", conn.Subprotocol())
	}
	conn.SetReadLimit(4 << 20)
	return conn
}

func (w *world) tryDial(query string) (*websocket.Conn, *http.Response, error) {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		w.pipes.conns <- server
		return client, nil
	}}
	return websocket.Dial(w.t.Context(), "ws://127.0.0.1/admin/tap?"+query, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{Subprotocol},
	})
}

func (w *world) read(conn *websocket.Conn) Batch {
	w.t.Helper()
	_, text, err := conn.Read(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var b Batch
	if err := json.Unmarshal(text, &b); err != nil {
		w.t.Fatal(err)
	}
	if b.Boot != w.log.Boot() {
		w.t.Errorf("got boot %q", b.Boot)
	}
	return b
}

func (w *world) add(n int, e events.Event) {
	for range n {
		w.log.Add(w.t.Context(), e)
	}
}

func TestFeed(t *testing.T) {
	inWorld(t, func(w *world) {
		conn := w.dial("user=ann")
		defer conn.CloseNow()
		if b := w.read(conn); len(b.Events) != 0 || b.Gap != 0 {
			t.Errorf("the first batch is %+v", b)
		}
		start := time.Now()
		w.add(2, events.Event{User: "ann"})
		w.add(1, events.Event{User: "bob"})
		w.add(1, events.Event{User: "ann"})
		b := w.read(conn)
		if len(b.Events) != 3 || b.Events[2].ID != 4 {
			t.Errorf("got %+v", b)
		}
		if took := time.Since(start); took > Every {
			t.Errorf("it took %v", took)
		}

		resumed := w.dial("after=2")
		defer resumed.CloseNow()
		if b := w.read(resumed); len(b.Events) != 2 || b.Events[0].ID != 3 || b.Gap != 0 {
			t.Errorf("resumed: got %+v", b)
		}
	})
}

// TestFeedResumesInAnotherLog: after a restart, a reader that resumes with an id of the old
// log gets what is new.
func TestFeedResumesInAnotherLog(t *testing.T) {
	inWorld(t, func(w *world) {
		old := events.New(time.Now)
		for range 50 {
			old.Add(w.t.Context(), events.Event{Type: events.In})
		}
		w.add(3, events.Event{Type: events.In})
		conn := w.dial(fmt.Sprint("after=", old.Newest(), "&type=in"))
		defer conn.CloseNow()
		if b := w.read(conn); len(b.Events) != 0 {
			t.Errorf("the first batch is %+v", b)
		}
		w.add(1, events.Event{Type: events.In})
		w.add(1, events.Event{Type: events.Out})
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		_, text, err := conn.Read(ctx)
		var b Batch
		if err != nil || json.Unmarshal(text, &b) != nil || len(b.Events) != 1 || b.Events[0].ID != 4 {
			t.Errorf("got %s, %v, want event 4", text, err)
		}
	})
}

func TestFeedSaysGaps(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(events.MaxEvents+500, events.Event{Type: events.In})
		conn := w.dial("after=100")
		defer conn.CloseNow()
		b := w.read(conn)
		if b.Gap != 400 || b.Events[0].ID != 501 {
			t.Errorf("got a gap of %d and event %d, want 400 and 501", b.Gap, b.Events[0].ID)
		}
	})
}

// TestFeedIsLimited: what is not alike is not thinned, so it comes later, and nothing is
// left out.
func TestFeedIsLimited(t *testing.T) {
	inWorld(t, func(w *world) {
		conn := w.dial("")
		defer conn.CloseNow()
		w.read(conn)
		start, got, last := time.Now(), 0, uint64(0)
		w.add(3*MaxEventsPerSecond, events.Event{Type: events.In})
		for got < 3*MaxEventsPerSecond {
			b := w.read(conn)
			for _, e := range b.Events {
				if last++; e.ID != last {
					t.Fatalf("got event %d, want %d", e.ID, last)
				}
			}
			got += len(b.Events)
			if most := MaxEventsPerSecond * (1 + time.Since(start).Seconds()); float64(got) > most {
				t.Fatalf("got %d events after %v", got, time.Since(start))
			}
			if b.Sampled != nil || b.Gap != 0 {
				t.Errorf("got %+v, gap %d", b.Sampled, b.Gap)
			}
		}
		if took := time.Since(start); took > 2200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestFeedSamplesEqualMessages(t *testing.T) {
	inWorld(t, func(w *world) {
		conn := w.dial("")
		defer conn.CloseNow()
		w.read(conn)
		out := events.Event{Type: events.Out, Topic: "sku:MUG", Version: 3, Text: `{"type":"delta"}`}
		w.add(1, events.Event{Type: events.Admin})
		w.add(5000, out)
		w.add(1, events.Event{Type: events.Close})
		w.add(5000, out)
		failed := events.Event{Type: events.Post, Code: "GoneException"}
		w.add(10, failed)
		w.add(10, events.Event{Type: events.Answer})
		b := w.read(conn)
		count := map[events.Type]int{}
		for _, e := range b.Events {
			count[e.Type]++
		}
		if b.Sampled == nil || *b.Sampled != (Sampled{1, 8}) {
			t.Errorf("got %+v, want 1 of 8", b.Sampled)
		}
		want := map[events.Type]int{"admin": 1, "close": 1, "post": 10, "answer": 10, "out": 1251} // 10 000/8, and the last
		if fmt.Sprint(count) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", count, want)
		}
		if last := b.Events[len(b.Events)-1].ID; last != w.log.Newest() {
			t.Errorf("the batch ends at %d of %d", last, w.log.Newest())
		}
	})
}

// TestSlowReaderIsCut: a reader that takes nothing delays nobody, and is cut in time.
func TestSlowReaderIsCut(t *testing.T) {
	inWorld(t, func(w *world) {
		slow, quick := w.dial(""), w.dial("")
		defer slow.CloseNow()
		defer quick.CloseNow()
		w.read(quick)
		start := time.Now()
		w.add(10, events.Event{Type: events.In})
		if added := time.Since(start); added != 0 {
			t.Errorf("a slow reader delayed the log by %v", added)
		}
		if b := w.read(quick); len(b.Events) != 10 || time.Since(start) > Every {
			t.Errorf("another reader got %d events after %v", len(b.Events), time.Since(start))
		}
		<-time.After(WriteWithin + time.Second)
		if _, _, err := slow.Read(w.t.Context()); err == nil {
			t.Error("the slow reader is still served")
		}
	})
}

// TestReadersAreLimited: there is room again when one has left.
func TestReadersAreLimited(t *testing.T) {
	inWorld(t, func(w *world) {
		var readers []*websocket.Conn
		for range MaxReaders {
			conn := w.dial("")
			defer conn.CloseNow()
			w.read(conn)
			readers = append(readers, conn)
		}
		if _, resp, err := w.tryDial(""); err == nil || resp == nil || resp.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("one more: got %v, %v, want 429", resp, err)
		}
		_ = readers[0].CloseNow()
		synctest.Wait()
		conn := w.dial("")
		defer conn.CloseNow()
		w.read(conn)
	})
}

func TestCloseEndsFeeds(t *testing.T) {
	inWorld(t, func(w *world) {
		conn := w.dial("")
		defer conn.CloseNow()
		w.read(conn)
		go w.server.Close()
		if _, _, err := conn.Read(w.t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("got %v, want 1001", err)
		}
	})
}

func TestThinFitsBytes(t *testing.T) {
	var batch []events.Event
	for i := range 100 {
		batch = append(batch, events.Event{ID: uint64(i + 1), Type: events.In, Text: string(make([]byte, 1000))})
	}
	kept, of := thin(batch, allowance{1000, 10_000})
	if len(kept) != 8 || of != 1 || kept[7].ID != 8 {
		t.Errorf("kept %d, 1 of %d", len(kept), of)
	}
	if kept, _ := thin(batch[:1], allowance{1000, 10}); len(kept) != 1 {
		t.Error("an event that is larger than the allowance would never be sent")
	}
}

// TestThinCountsAllTexts: long names of events count as their texts do.
func TestThinCountsAllTexts(t *testing.T) {
	name := string(make([]byte, 1000))
	for _, e := range []events.Event{
		{Route: name}, {Topic: name}, {User: name}, {Code: name}, {Note: name}, {Text: name},
	} {
		if kept, _ := thin([]events.Event{e, e, e, e}, allowance{1000, 2500}); len(kept) != 2 {
			t.Errorf("kept %d, want 2 of 4", len(kept))
		}
	}
}
