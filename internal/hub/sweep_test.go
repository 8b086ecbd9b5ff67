package hub_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// TestCrowdIsSwept checks that a batch serves carts, exact viewers and small rows itself,
// and that a sweep serves everybody else, each once.
func TestCrowdIsSwept(t *testing.T) {
	th, h := crowd(t, 7, 3)
	th.connect("admin", admin, "sku:A")
	th.connect("b1", bob, "sku:B", "cart")
	th.stock("B", 1)
	th.stock("A", 3)
	report := th.broadcastWith(h)
	if report.Crowds != 1 || report.Posts != 2 {
		t.Errorf("got %d crowds and %d posts, want 1 and 2", report.Crowds, report.Posts)
	}
	if got := th.posted(); !slices.Equal(got, []string{"admin", "b1"}) {
		t.Errorf("the batch posted to %v", got)
	}
	th.sent = nil
	swept := th.sweep(h, always)
	want := hub.SweepReport{Begun: 1, Ended: 1, Pages: 3, Posts: 7}
	if swept != want {
		t.Errorf("got %+v, want %+v", swept, want)
	}
	got := th.posted()
	slices.Sort(got)
	if !slices.Equal(got, []string{"w00", "w01", "w02", "w03", "w04", "w05", "w06"}) {
		t.Errorf("the sweep posted to %v", got)
	}
	for _, p := range th.sent {
		if want := delta(`"sku:A":{"version":2,"state":"low","quantity":3}`); string(p.Data) != want {
			t.Fatalf("got %s, want %s", p.Data, want)
		}
	}
	if again := th.sweep(h, always); again != (hub.SweepReport{}) {
		t.Errorf("after the end: got %+v", again)
	}
}

// TestQuietChangeReadsExactViewers checks that a change that no badge shows reads no badge
// viewer.
func TestQuietChangeReadsExactViewers(t *testing.T) {
	th, _ := crowd(t, 7, 3)
	th.connect("admin", admin, "sku:A")
	reads := &countingReads{Store: th.store}
	h := th.withStore(reads).WithPostsPerSecond(3)
	th.stock("A", 99)
	report := th.broadcastWith(h)
	if report.Posts != 1 || report.Crowds != 0 || reads.others != 0 {
		t.Errorf("got %d posts, %d crowds, %d reads of badge viewers, want 1, 0, 0",
			report.Posts, report.Crowds, reads.others)
	}
}

// countingReads counts the badge viewers that are read, and the calls.
type countingReads struct {
	hub.Store
	others, calls int
}

func (s *countingReads) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	page, next, err := s.Store.Subscribers(ctx, t, after, limit)
	s.others += len(page)
	s.calls++
	return page, next, err
}

// TestCrowdIsNotReadWhole checks that a batch reads no more of a crowd than a small one.
func TestCrowdIsNotReadWhole(t *testing.T) {
	th, _ := crowd(t, 250, 10)
	reads := &countingReads{Store: th.store}
	th.stock("A", 3)
	th.broadcastWith(th.withStore(reads).WithPostsPerSecond(10))
	if reads.others != 100 {
		t.Errorf("the batch read %d of a crowd, want 100", reads.others)
	}
}

// TestBatchIsBounded checks that a batch of many rows with few viewers posts no more than
// a second's worth, that connections which it serves anyway do not count, and that a sweep
// serves the others together.
func TestBatchIsBounded(t *testing.T) {
	th := newTestHub(t)
	th.stock("ALL", 100)
	for i := range 100 {
		th.stock(fmt.Sprintf("S%02d", i), 100)
		th.connect(fmt.Sprintf("s%02d", i), guest, fmt.Sprintf("sku:S%02d", i), "sku:ALL")
	}
	for i := range 40 {
		th.subscribe(th.connect(fmt.Sprintf("s%02d", i), guest), "sku:S50")
	}
	th.changes = nil
	for i := range 100 {
		th.stock(fmt.Sprintf("S%02d", i), 1)
	}
	th.stock("ALL", 1)
	h := th.WithPostsPerSecond(40)
	report := th.broadcastWith(h)
	if report.Crowds != 61 || report.Posts != 40 { // S40 to S99, and ALL
		t.Errorf("got %d crowds and %d posts, want 61 and 40", report.Crowds, report.Posts)
	}
	swept := th.sweep(h, always)
	if swept.Ended != 61 || swept.Posts > 60+41+100 || swept.Pages > 6 {
		t.Errorf("got %+v, want 61 sweeps to end after few pages", swept)
	}
}

// TestQuietRowNeedsNoSweep checks that a row without viewers fits into a batch that is full.
func TestQuietRowNeedsNoSweep(t *testing.T) {
	th, h := crowd(t, 3, 3)
	th.stock("A", 1)
	th.stock("B", 1)
	if report := th.broadcastWith(h); report.Crowds != 0 || report.Posts != 3 {
		t.Errorf("got %d crowds and %d posts, want none and 3", report.Crowds, report.Posts)
	}
}

// TestChangeJoinsSweep checks that a change that comes in the middle of a sweep restarts
// the circle from there, and that everybody gets it once.
func TestChangeJoinsSweep(t *testing.T) {
	th, h := crowd(t, 9, 3)
	th.stock("A", 3)
	th.broadcastWith(h)
	th.sweep(h, func() bool { return false }) // one page
	first := th.posted()
	th.stock("A", 2)
	th.broadcastWith(h)
	report := th.sweep(h, always)
	if report.Begun != 0 || report.Ended != 1 || report.Posts != 9 {
		t.Errorf("got %+v, want the same sweep to end after 9 posts", report)
	}
	got := th.posted()
	if !slices.Equal(got[6:], first) {
		t.Errorf("the circle ends with %v, want the first page %v", got[6:], first)
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 9 {
		t.Errorf("got %v, want everybody once", got)
	}
}

// TestCrowdsTakeTurns checks that two crowds share a sweep page by page.
func TestCrowdsTakeTurns(t *testing.T) {
	th, h := crowd(t, 6, 3)
	for i := range 6 {
		th.connect(fmt.Sprintf("x%02d", i), guest, "sku:X")
	}
	th.stock("X", 1)
	th.stock("A", 1)
	th.broadcastWith(h)
	pages := 0
	th.sweep(h, func() bool { pages++; return pages < 2 })
	counts := map[byte]int{}
	for _, id := range th.posted() {
		counts[id[0]]++
	}
	if counts['w'] == 0 || counts['x'] == 0 {
		t.Errorf("two pages went to %v, want some of both crowds", counts)
	}
}

// TestCrowdsThatNeverRest checks that of more crowds than a page serves, which change all
// the time, none is left behind, although each call serves one page.
func TestCrowdsThatNeverRest(t *testing.T) {
	th := newTestHub(t)
	const crowds, viewers, pages = 7, 30, 21
	for i := range crowds {
		th.stock(fmt.Sprint("S", i), 100)
		for j := range viewers {
			th.connect(fmt.Sprintf("%d-%02d", i, j), guest, fmt.Sprint("sku:S", i))
		}
	}
	th.changes = nil
	h := th.WithPostsPerSecond(3)
	counts := map[byte]int{}
	for page := range pages {
		for i := range crowds {
			th.stock(fmt.Sprint("S", i), 1+page%2)
		}
		th.now = th.now.Add(time.Second)
		th.broadcastWith(h)
		th.sweep(h, func() bool { return false })
		for _, id := range th.posted() {
			counts[id[0]]++
		}
	}
	for i := range crowds {
		if got := counts['0'+byte(i)]; got < pages/3 {
			t.Errorf("crowd %d got %d posts, want at least one on every third page", i, got)
		}
	}
}

// TestSmallCrowdLeavesItsShare checks that two crowds share a page evenly, and that what a
// small one does not need goes to the other.
func TestSmallCrowdLeavesItsShare(t *testing.T) {
	for _, tt := range []struct{ small, wantSmall, wantLarge int }{{2, 2, 8}, {30, 5, 5}} {
		th, h := crowd(t, 30, 10)
		for i := range tt.small {
			th.connect(fmt.Sprintf("x%02d", i), guest, "sku:X")
		}
		th.stock("A", 1)
		th.broadcastWith(h)
		if err := th.store.AskSweep(t.Context(), hub.Topic{Kind: hub.KindSKU, Name: "X"}, "7", "", th.now); err != nil {
			t.Fatal(err)
		}
		th.sweep(h, func() bool { return false })
		counts := map[byte]int{}
		for _, id := range th.posted() {
			counts[id[0]]++
		}
		if counts['x'] != tt.wantSmall || counts['w'] != tt.wantLarge {
			t.Errorf("a crowd of %d: the page went to %v, want %d and %d", tt.small, counts, tt.wantSmall, tt.wantLarge)
		}
	}
}

// TestRemovedItemIsSwept checks that a crowd learns of the removal of a row: the value
// comes with its rev.
func TestRemovedItemIsSwept(t *testing.T) {
	th, h := crowd(t, 5, 3)
	if err := th.store.RemoveItem("A"); err != nil {
		t.Fatal(err)
	}
	th.broadcastWith(h)
	th.sweep(h, always)
	got := th.got()
	if len(got) != 5 {
		t.Errorf("got %v, want 5 connections", got)
	}
	for id, messages := range got {
		equal(t, id, messages, []string{
			delta(`"sku:A":{"version":0,"state":"out"}`), delta(`"sku:A":{"version":0,"state":"out","rev":"102"}`),
		})
	}
}

// TestSweepOfNothing checks that a sweep ends if there is nothing to show.
func TestSweepOfNothing(t *testing.T) {
	th, h := crowd(t, 5, 3)
	topic := hub.Topic{Kind: hub.KindSKU, Name: "NOPE"}
	th.connect("n1", guest)
	if err := th.store.AskSweep(t.Context(), topic, "7", "", th.now); err != nil {
		t.Fatal(err)
	}
	report := th.sweep(h, always)
	if report.Ended != 1 || report.Posts != 0 || len(th.sent) != 0 {
		t.Errorf("got %+v and %d posts, want an end without posts", report, len(th.sent))
	}
}

// TestBellIsRungAgain checks that the schedule rings for a sweep without progress, after a
// minute, and leaves the others alone.
func TestBellIsRungAgain(t *testing.T) {
	th, h := crowd(t, 5, 3)
	th.stock("A", 3)
	th.broadcastWith(h)
	var rung []string
	th.store.FollowSweeps(func(topic hub.Topic) { rung = append(rung, topic.String()) })
	for _, wait := range []time.Duration{0, time.Minute, time.Millisecond, 0} {
		th.now = th.now.Add(wait)
		if err := h.RingSweeps(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(rung, []string{"sku:A"}) || len(th.sent) != 0 {
		t.Errorf("rung for %v, %d posts, want one bell and no post", rung, len(th.sent))
	}
	if report := th.sweep(h, always); report.Posts != 5 {
		t.Errorf("got %+v, want 5 posts", report)
	}
}

// TestBellSpoilsNoPage checks that a page can be recorded although its bell was rung while
// it ran.
func TestBellSpoilsNoPage(t *testing.T) {
	th, h := crowd(t, 9, 3)
	th.stock("A", 3)
	th.broadcastWith(h)
	th.now = th.now.Add(2 * time.Minute)
	rung := false
	th.postError = func(hub.Post) error {
		if !rung {
			rung = true
			return th.RingSweeps(t.Context())
		}
		return nil
	}
	report := th.sweep(h, always)
	if got := th.posted(); report.Pages != 4 || len(got) != 9 || !rung { // the last page finds nobody
		t.Errorf("got %+v and posts to %v, want four pages and everybody once", report, got)
	}
}

// TestNobodyIsAlwaysLast checks that sweeps begin at different places, although the ids
// have a common beginning.
func TestNobodyIsAlwaysLast(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 100)
	for i := range 40 {
		th.connect(fmt.Sprintf("L0SM9%c%02d=", 'A'+i%26, i), guest, "sku:A")
	}
	h := th.WithPostsPerSecond(5)
	last := map[string]bool{}
	for i := range 20 {
		th.stock("A", 1+i%2)
		th.broadcastWith(h)
		th.sweep(h, always)
		if len(th.sent) != 40 {
			t.Fatalf("got %d posts, want 40", len(th.sent))
		}
		last[th.sent[39].ConnectionID] = true
	}
	if len(last) < 5 {
		t.Errorf("after 20 sweeps the last was one of %v", last)
	}
}

// TestBatchLeavesASweptRowToItsSweep: a row whose sweep is under way gets its next change from
// it. The sweep may post an older value behind a batch, with a rev that clients take.
func TestBatchLeavesASweptRowToItsSweep(t *testing.T) {
	th, h := crowd(t, 3, 3) // the viewers of A fill a batch
	th.stock("B", 100)
	th.connect("b", guest, "sku:B")
	th.stock("A", 3)
	row := func(version int64, available int) *hub.Item {
		return &hub.Item{SKU: "B", Version: version, Available: available, LowAt: 5}
	}
	put := func(i *hub.Item, prev int64) {
		if err := th.store.PutItem(t.Context(), *i, prev); err != nil {
			t.Fatal(err)
		}
	}
	put(row(1, 3), 1) // imported: deleted and inserted, below its old version
	imported := hub.Change{OldItem: row(50, 100), NewItem: row(1, 3), Sequence: "205"}
	if _, err := h.Broadcast(t.Context(), append(th.numbered(), imported)); err != nil {
		t.Fatal(err)
	}
	put(row(2, 0), 1)
	th.sent = nil
	report, err := h.Broadcast(t.Context(), []hub.Change{{OldItem: row(1, 3), NewItem: row(2, 0), Sequence: "206"}})
	if err != nil || report.Crowds != 1 || len(th.sent) != 0 {
		t.Errorf("got %d crowds and %d posts, %v, want the change to join the sweep", report.Crowds, len(th.sent), err)
	}
	if _, err := h.Sweep(t.Context(), always); err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, post := range th.sent {
		if post.ConnectionID == "b" {
			last = string(post.Data)
		}
	}
	if !strings.Contains(last, `"version":2,"state":"out"`) {
		t.Errorf("the last that b gets is %s", last)
	}
}

// TestCountedViewersAreReadByThePage: rows with the same viewers cost a batch a few reads
// each, even if its posts are used up.
func TestCountedViewersAreReadByThePage(t *testing.T) {
	const rows = 130 // more than are read at once
	th := newTestHub(t)
	for i := range rows {
		sku := fmt.Sprint("S", i)
		th.stock(sku, 100)
		for viewer := range 20 {
			th.connect(fmt.Sprint("c", viewer), guest, "sku:"+sku)
		}
	}
	th.changes = nil
	for i := range rows {
		th.stock(fmt.Sprint("S", i), 3)
	}
	changes := th.numbered()
	reads := &countingReads{Store: th.store}
	if _, err := th.withStore(reads).WithPostsPerSecond(20).Broadcast(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if reads.calls > 2*rows {
		t.Errorf("%d reads of viewers of %d rows", reads.calls, rows)
	}
}
