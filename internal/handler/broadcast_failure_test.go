package handler_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// These tests break the neighbours of the broadcast function. The stream and the
// schedule react as in AWS: they deliver again from the record that was named, and
// heal every minute. In the end every subscriber has the newest state, and no
// subscriber gets a version twice.

// sixSubscribers returns a fixture with one subscriber for each of the SKUs A to F,
// and one change of each in the stream: 100 to 105.
func sixSubscribers(t *testing.T) *broadcastFixture {
	f := newBroadcastFixture(t)
	for _, sku := range []string{"A", "B", "C", "D", "E", "F"} {
		f.stock(sku, 40)
	}
	f.deliver()
	f.records = 0
	old := time.Now().Add(-time.Hour)
	for _, sku := range []string{"A", "B", "C", "D", "E", "F"} {
		f.listen("on-"+sku, sku, old)
		f.stock(sku, 0)
	}
	return f
}

// manySubscribers returns a fixture with many subscribers to the SKU A, and one
// change of it in the stream.
func manySubscribers(t *testing.T, ids []string, since time.Time) *broadcastFixture {
	f := newBroadcastFixture(t)
	f.stock("A", 40)
	f.deliver()
	f.records = 0
	for _, id := range ids {
		f.listen(id, "A", since)
	}
	f.stock("A", 0)
	return f
}

// sameVersions returns the same versions for every id.
func sameVersions(ids []string, versions ...int64) map[string][]int64 {
	all := map[string][]int64{}
	for _, id := range ids {
		all[id] = versions
	}
	return all
}

// failing returns a hook that fails the first n calls for one argument.
func failing[A comparable](about A, n int, how func(context.Context) error) func(context.Context, A) error {
	return func(ctx context.Context, a A) error {
		if a != about || n == 0 {
			return nil
		}
		n--
		return how(ctx)
	}
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func refuse(context.Context) error { return errInside }

// TestHalfABatchFails checks that only the named record and later ones come again, and
// that nobody who was served before is served again.
func TestHalfABatchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sixSubscribers(t)
		f.store.subscribers = failing(sku("D"), 2, refuse)
		f.deliver()
		f.wantInvocations("100-105:103", "103-105:103", "103-105")
		f.wantGot(sameVersions([]string{"on-A", "on-B", "on-C", "on-D", "on-E", "on-F"}, 2))
	})
}

// TestRowFailsForGood checks that a row whose subscribers cannot be read takes no other row
// of its batch with it when the stream gives the batch up, and that the others are served
// once.
func TestRowFailsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sixSubscribers(t)
		f.store.subscribers = failing(sku("D"), 1000, refuse)
		f.deliver()
		if len(f.failures) != 1 || f.failures[0].Count != 3 || len(f.invocations) != 7 {
			t.Errorf("got failures %+v after %d invocations, want one of 3 records after 7", f.failures, len(f.invocations))
		}
		f.wantGot(sameVersions([]string{"on-A", "on-B", "on-C", "on-E", "on-F"}, 2))
	})
}

// TestMarkFailsForGood checks that nobody gets a change again each time that a mark cannot
// be written.
func TestMarkFailsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sixSubscribers(t)
		f.api.answer = func(_ context.Context, id string) error {
			if id == "on-C" || id == "on-D" {
				return status(429)
			}
			return nil
		}
		f.store.mark = failing("on-D", 1000, refuse)
		f.deliver()
		f.wantGot(sameVersions([]string{"on-A", "on-B", "on-E", "on-F"}, 2))
		if n := len(f.marked()); n != 1 {
			t.Errorf("%d are marked, want on-C", n)
		}
	})
}

// TestNewEnvironmentServesAgain checks that a retry in another environment, which
// remembers nothing, posts what comes again once more.
func TestNewEnvironmentServesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sixSubscribers(t)
		f.store.subscribers = failing(sku("D"), 2, func(context.Context) error {
			f.renew()
			return errInside
		})
		f.deliver()
		f.wantGot(map[string][]int64{
			"on-A": {2}, "on-B": {2}, "on-C": {2}, "on-D": {2}, "on-E": {2, 2, 2}, "on-F": {2, 2, 2},
		})
	})
}

// TestPoisonRecord checks that an unreadable record delays no other record and sends
// none of them twice.
func TestPoisonRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBroadcastFixture(t)
		for _, sku := range []string{"A", "B"} {
			f.stock(sku, 40)
		}
		f.deliver()
		f.records = 0
		f.listen("on-A", "A", time.Now().Add(-time.Hour))
		f.listen("on-B", "B", time.Now().Add(-time.Hour))
		f.stock("A", 0)
		f.append("sku:MUG", unreadable(101))
		f.stock("B", 0)
		committed := time.Now()
		f.deliver()
		if waited := time.Since(committed); waited != 0 {
			t.Errorf("the batch took %s, want no retry", waited)
		}
		f.wantInvocations("100-102")
		if len(f.failures) != 0 {
			t.Errorf("failures: %+v, want none", f.failures)
		}
		f.wantGot(map[string][]int64{"on-A": {2}, "on-B": {2}})
		f.stock("B", 3)
		f.deliver()
		f.wantInvocations("103-103")
	})
}

// TestFanoutRunsOutOfTime checks a fan-out that takes longer than the function may
// run. It ends with time left. No record comes again; the subscribers that were not
// served are healed, and no subscriber is served twice.
func TestFanoutRunsOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		everybody := ids("c", 3_000)
		f := manySubscribers(t, everybody, time.Now().Add(-time.Hour))
		f.api.answer = func(ctx context.Context, _ string) error { return pause(ctx, time.Second) }
		f.deliver()
		f.wantInvocations("100-100")
		// 128 workers run for 22 seconds: eight for each of the first two thousands. The
		// rest is 2 s for the marks and 0.5 s for the answer.
		const want = 2*1_000 + 6*128
		if served, marked := len(f.api.got), len(f.marked()); served != want || marked != 3_000-served {
			t.Errorf("got %d served and %d marked, want %d and the others", served, marked, want)
		}
		for f.api.answer = nil; len(f.marked()) > 0; {
			f.schedule()
		}
		f.wantGot(sameVersions(everybody, 2))
	})
}

// TestReadHangs checks that a store that does not answer fails the batch before the
// deadline, and that the batch comes again.
func TestReadHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sixSubscribers(t)
		f.store.subscribers = failing(sku("D"), 1, hang)
		f.deliver()
		f.wantInvocations("100-105:100", "100-105")
		f.wantGot(sameVersions([]string{"on-A", "on-B", "on-C", "on-D", "on-E", "on-F"}, 2))
	})
}

// TestMarkFails checks that a subscriber that was not served and cannot be marked
// is served when the batch comes again.
func TestMarkFails(t *testing.T) {
	for name, how := range map[string]func(context.Context) error{"at once": refuse, "by hanging": hang} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := sixSubscribers(t)
				f.api.answer = failing("on-D", 3, func(context.Context) error { return status(429) }) // all tries of one post
				f.store.mark = failing("on-D", 1, how)
				f.deliver()
				f.wantInvocations("100-105:103", "103-105")
				f.wantGot(sameVersions([]string{"on-A", "on-B", "on-C", "on-D", "on-E", "on-F"}, 2))
			})
		})
	}
}

// TestGoneStorm checks that many gone connections, each slow to remove, delay no
// other connection and fail nothing.
func TestGoneStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, live := ids("a-dead", 2_000), ids("z-live", 5)
		f := manySubscribers(t, append(dead, live...), time.Now().Add(-time.Hour))
		committed := time.Now()
		var last time.Time
		f.api.answer = func(_ context.Context, id string) error {
			if id[0] == 'a' {
				return status(410)
			}
			f.api.mu.Lock()
			defer f.api.mu.Unlock()
			last = time.Now()
			return nil
		}
		f.store.forget = func(ctx context.Context, _ string) error { return pause(ctx, 20*time.Millisecond) }
		f.deliver()
		f.wantInvocations("100-100")
		if left := f.invocations[0].left; left < functionTimeout-5*time.Second {
			t.Errorf("the next batch had to wait until %s before the end", left)
		}
		f.wantGot(sameVersions(live, 2))
		if waited := last.Sub(committed); waited > time.Second {
			t.Errorf("the last open connection waited %s", waited)
		}
		if marked := f.marked(); len(marked) != 0 {
			t.Errorf("%d are marked, want none: a gone connection cannot be healed", len(marked))
		}
		// A batch removes a hundred. Later batches find the others.
		for n := range 19 {
			f.stock("A", 1+n%2)
			f.deliver()
		}
		for _, id := range dead {
			if _, err := f.store.Connection(t.Context(), id); err == nil {
				t.Fatalf("%s is still stored", id)
			}
		}
		f.stock("A", 3)
		f.api.got = map[string][]int64{}
		f.deliver()
		f.wantGot(sameVersions(live, 22))
	})
}

// TestGoneNewConnection checks a connection that is 410 because its $connect is not
// answered yet. It is marked and healed.
func TestGoneNewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		young := ids("young", 50)
		f := manySubscribers(t, young, time.Now().Add(-time.Second))
		f.api.answer = func(context.Context, string) error { return status(410) }
		f.deliver()
		f.wantInvocations("100-100")
		if n := count(f.marked(), "young"); n != len(young) {
			t.Errorf("%d are marked, want all %d", n, len(young))
		}
		f.api.answer = nil
		f.schedule()
		f.wantGot(sameVersions(young, 2))
	})
}

// TestThrottledForAWhile checks that an account over its rate fails no batch. The
// subscribers that had to wait get the newest state, once.
func TestThrottledForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		everybody := ids("c", 500)
		f := manySubscribers(t, everybody, time.Now().Add(-time.Hour))
		f.api.answer = func(context.Context, string) error { return status(429) }
		f.deliver()
		f.wantInvocations("100-100")
		f.stock("A", 3)
		f.deliver()
		f.wantInvocations("101-101")
		if n := len(f.marked()); n != len(everybody) {
			t.Errorf("%d are marked, want all %d", n, len(everybody))
		}
		f.api.answer = nil
		f.schedule()
		f.wantGot(sameVersions(everybody, 3))
		if n := len(f.marked()); n != 0 {
			t.Errorf("%d are still marked", n)
		}
	})
}

// TestSlowReaderIsClosed checks that a connection that is throttled for more than a
// minute is closed, so that its client reconnects and gets a snapshot. The others
// are not affected.
func TestSlowReaderIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := manySubscribers(t, append(ids("c", 20), "slow"), time.Now().Add(-time.Hour))
		f.api.answer = func(_ context.Context, id string) error {
			if id == "slow" {
				return status(429)
			}
			return nil
		}
		f.deliver()
		f.wantInvocations("100-100")
		for range 2 {
			f.schedule()
			if f.api.closed["slow"] {
				t.Error("it was closed within a minute")
			}
			time.Sleep(40 * time.Second)
		}
		f.schedule()
		if !f.api.closed["slow"] || len(f.api.closed) != 1 {
			t.Errorf("closed %v, want only the slow connection", f.api.closed)
		}
		if _, err := f.store.Connection(t.Context(), "slow"); err == nil {
			t.Error("the slow connection is still stored")
		}
		f.wantGot(sameVersions(ids("c", 20), 2))
	})
}
