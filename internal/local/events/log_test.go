package events_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/events"
)

func newLog() *events.Log { return events.New(time.Now) }

// readAll reads all pages after an id.
func readAll(l *events.Log, after uint64, f events.Filter) (all []events.Event, gap uint64) {
	for {
		p := l.Read(after, f)
		all = append(all, p.Events...)
		gap += p.Gap
		after = p.Last
		if !p.More {
			return all, gap
		}
	}
}

func TestLogKeepsTheNewest(t *testing.T) {
	l := newLog()
	const more = 1234
	for i := range events.MaxEvents + more {
		if id := l.Add(t.Context(), events.Event{Type: events.In, Count: i}); id != uint64(i+1) {
			t.Fatalf("got id %d, want %d", id, i+1)
		}
	}
	all, gap := readAll(l, 10, events.Filter{})
	if len(all) != events.MaxEvents || gap != more-10 {
		t.Fatalf("got %d events and a gap of %d, want %d and %d", len(all), gap, events.MaxEvents, more-10)
	}
	for i, e := range all {
		if e.ID != uint64(more+i+1) || e.Count != more+i {
			t.Fatalf("got event %d with count %d at %d, want %d", e.ID, e.Count, i, more+i+1)
		}
	}
	if all, gap := readAll(l, l.Newest()-3, events.Filter{}); len(all) != 3 || gap != 0 {
		t.Errorf("resumed: got %d events and a gap of %d, want 3 and 0", len(all), gap)
	}
	if all, gap := readAll(l, l.Newest()+1000, events.Filter{}); len(all) != 0 || gap != 0 {
		t.Errorf("after an id that does not exist: got %d events and a gap of %d", len(all), gap)
	}
}

func TestLogIsBoundedInBytes(t *testing.T) {
	l := newLog()
	text := strings.Repeat("x", 2*events.MaxText)
	const n = 40_000
	for range n {
		l.Add(t.Context(), events.Event{Type: events.In, Text: text})
	}
	all, gap := readAll(l, 0, events.Filter{})
	bytes := 0
	for _, e := range all {
		bytes += len(e.Text)
	}
	if len(all) == n || bytes > events.MaxBytes || bytes < events.MaxBytes*8/10 || int(gap)+len(all) != n {
		t.Errorf("got %d events with %d bytes and a gap of %d", len(all), bytes, gap)
	}
}

func TestLogCutsTextsBetweenCharacters(t *testing.T) {
	l := newLog()
	l.Add(t.Context(), events.Event{Text: strings.Repeat("é", events.MaxText), Bytes: 2 * events.MaxText})
	l.Add(t.Context(), events.Event{Text: "x" + strings.Repeat("é", events.MaxText)})
	all, _ := readAll(l, 0, events.Filter{})
	if len(all[0].Text) != events.MaxText || all[0].Bytes != 2*events.MaxText || len(all[1].Text) != events.MaxText-1 {
		t.Errorf("got texts of %d and %d bytes", len(all[0].Text), len(all[1].Text))
	}
}

func TestCause(t *testing.T) {
	l := newLog()
	in := l.Add(t.Context(), events.Event{Type: events.In})
	ctx := events.With(t.Context(), in)
	l.Add(ctx, events.Event{Type: events.Invoke})
	l.Add(ctx, events.Event{Type: events.Batch, Cause: []uint64{7, 8}})

	added := 0
	late := events.WithLate(t.Context(), func() uint64 {
		added++
		return l.Add(context.Background(), events.Event{Type: events.Heal})
	})
	if l.Newest() != 3 {
		t.Error("work that leads to nothing was added")
	}
	l.Add(late, events.Event{Type: events.Post})
	l.Add(late, events.Event{Type: events.Post})
	all, _ := readAll(l, 0, events.Filter{})
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprintf("%d %s %v", e.ID, e.Type, e.Cause))
	}
	want := []string{"1 in []", "2 invoke [1]", "3 batch [7 8]", "4 heal []", "5 post [4]", "6 post [4]"}
	if added != 1 || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFilter(t *testing.T) {
	l := newLog()
	for _, e := range []events.Event{
		{Type: events.Open, Conn: "a", User: "ann"},
		{Type: events.In, Conn: "a", User: "ann", Dir: events.DirIn},
		{Type: events.Out, Conn: "b", User: "bob", Dir: events.DirOut, Topic: "sku:MUG"},
		{Type: events.Out, Conn: "b", User: "bob", Dir: events.DirOut, Text: `{"topics":{"sku:CAP":1,"sku:MUG":2}}`},
		{Type: events.Row, Topic: "sku:MUGS"},
	} {
		l.Add(t.Context(), e)
	}
	for query, want := range map[string][]uint64{
		"":                    {1, 2, 3, 4, 5},
		"user=ann":            {1, 2},
		"conn=b":              {3, 4},
		"dir=in":              {2},
		"topic=sku:MUG":       {3, 4},
		"type=open&type=row":  {1, 5},
		"after=3":             {4, 5},
		"user=bob&after=3":    {4},
		"user=bob&type=in":    nil,
		"after=5":             nil,
		"last=2&dir=out":      {3, 4},
		"conn=b&topic=sku:NO": nil,
	} {
		values, _ := url.ParseQuery(query)
		f, err := events.ParseFilter(values, "last")
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		found, _ := readAll(l, f.After, f)
		if got := ids(found); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
		if got := ids(l.Latest(10, f)); !slices.Equal(got, want) {
			t.Errorf("%s, latest: got %v, want %v", query, got, want)
		}
	}
}

func ids(all []events.Event) (ids []uint64) {
	for _, e := range all {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestFilterRefusals(t *testing.T) {
	for query, want := range map[string]string{
		"after=-1":         `"after" must be the id of an event`,
		"after=x":          `"after" must be the id of an event`,
		"type=frame":       `"type" "frame": must be one of open, in, invoke`,
		"dir=up":           `"dir" must be in or out`,
		"users=ann":        `there is no "users"; there are after, user, conn`,
		"last=1":           `there is no "last"`,
		"user=ann&user=bo": `"user" may occur once`,
	} {
		values, _ := url.ParseQuery(query)
		if _, err := events.ParseFilter(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", query, err, want)
		}
	}
}

func TestLatest(t *testing.T) {
	l := newLog()
	for i := range events.MaxEvents + 700 {
		kind := events.In
		if i%1000 == 0 {
			kind = events.Close
		}
		l.Add(t.Context(), events.Event{Type: kind})
	}
	newest := l.Newest()
	if got := ids(l.Latest(3, events.Filter{})); !slices.Equal(got, []uint64{newest - 2, newest - 1, newest}) {
		t.Errorf("got %v", got)
	}
	closes := l.Latest(1000, events.Filter{Types: []events.Type{events.Close}})
	if len(closes) != 50 || closes[0].ID != 1001 || closes[49].ID != 50001 {
		t.Errorf("got %d closes: %v", len(closes), ids(closes))
	}
}

func TestPerSecond(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := events.New(func() time.Time { return now })
	for range 100 {
		now = now.Add(20 * time.Millisecond)
		l.Add(t.Context(), events.Event{})
	}
	if got := l.PerSecond(); got != 50 {
		t.Errorf("got %d events a second, want 50", got)
	}
}

// TestLogConcurrently is for the race detector: many goroutines add and read.
func TestLogConcurrently(t *testing.T) {
	l := newLog()
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 5000 {
				l.Add(t.Context(), events.Event{Type: events.Out, Text: "x"})
			}
		})
		running.Go(func() {
			var last uint64
			for last < 20_000 {
				p := l.Read(last, events.Filter{})
				for _, e := range p.Events {
					if e.ID <= last || e.Text != "x" {
						t.Errorf("got event %d after %d", e.ID, last)
					}
					last = e.ID
				}
				if len(p.Events) == 0 {
					l.Latest(10, events.Filter{})
				}
			}
		})
	}
	running.Wait()
}

// TestLogMasksNames: a secret in the place of a name does not enter the log.
func TestLogMasksNames(t *testing.T) {
	l := newLog()
	l.Add(t.Context(), events.Event{Type: events.Admin, Topic: "sku:" + apiKey, Note: "PUT /admin/stock/" + jwt})
	got := l.Latest(1, events.Filter{})[0]
	if got.Topic != "sku:[32 bytes]" || got.Note != "PUT /admin/stock/[44 bytes]" {
		t.Errorf("got %+v", got)
	}
}
