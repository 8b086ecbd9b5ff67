package handler_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/esm"
)

// The budgets of template.yaml.
const (
	batchPosts = 500
	sweepPosts = 1_500
)

// withSweeps gives the function of a fixture the budgets of template.yaml and the stream of
// sweeps. It returns the mapping of that stream.
func (f *broadcastFixture) withSweeps() (sweeps *esm.Mapping) {
	f.t.Helper()
	hubOf := func(posts int) *hub.Hub {
		poster := apigw.New(f.api, apigw.Options{PostsPerSecond: posts})
		return hub.New(f.store, poster, time.Now).WithPostsPerSecond(posts)
	}
	handle := lambda.NewHandler(handler.Broadcast(hubOf(batchPosts), handler.BroadcastOptions{
		SweepTable: "sweeps", Sweeper: hubOf(sweepPosts),
	}, slog.New(slog.DiscardHandler)))
	mapping := func() *esm.Mapping {
		m, err := esm.New(handle, esm.Options{
			BatchSize: 1000, Timeout: functionTimeout, MaximumRetryAttempts: 5, ReportBatchItemFailures: true,
			OnFailure: func(g esm.Failure) { f.failures = append(f.failures, g) },
		})
		if err != nil {
			f.t.Fatal(err)
		}
		return m
	}
	f.mapping, sweeps = mapping(), mapping()
	rung := 0
	f.store.FollowSweeps(func(topic hub.Topic) {
		rung++
		e := bells("sweeps", strconv.Itoa(rung)).Records[0]
		e.Change.Keys["sk"] = events.NewStringAttribute(topic.String())
		data, err := json.Marshal(e)
		if err != nil {
			f.t.Error(err)
		}
		sweeps.Put(esm.Record{Key: "S", SequenceNumber: strconv.Itoa(rung), Data: data})
	})
	return sweeps
}

// TestOneHotItemHarmsNobody changes a SKU that 20 000 people watch, another one right after
// it, and the first one again while it is swept. Nobody waits for the crowd, everybody
// ends with the newest value, and nobody gets anything twice or a retry mark.
func TestOneHotItemHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const watchers = 20_000
		f := newBroadcastFixture(t)
		f.stock("HOT", 40)
		f.stock("COLD", 40)
		f.deliver()
		sweeps := f.withSweeps()
		everybody := ids("w", watchers)
		for _, id := range everybody {
			f.listen(id, "HOT", time.Now().Add(-time.Hour))
		}
		f.listen("cold", "COLD", time.Now().Add(-time.Hour))

		began := time.Now()
		var mu sync.Mutex // guards last
		last := map[string]time.Duration{}
		f.api.answer = func(ctx context.Context, id string) error {
			mu.Lock()
			last[id] = time.Since(began)
			mu.Unlock()
			return pause(ctx, 15*time.Millisecond)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, m := range []*esm.Mapping{f.mapping, sweeps} {
			running.Go(func() { _ = m.Run(ctx) })
		}
		f.stock("HOT", 3)
		f.stock("COLD", 3)
		time.Sleep(4 * time.Second)
		f.stock("HOT", 2)
		f.wait(ctx, f.mapping)
		f.wait(ctx, sweeps)
		stop()
		running.Wait()

		if last["cold"] > time.Second {
			t.Errorf("the other item waited %s", last["cold"])
		}
		latest := time.Duration(0)
		for _, id := range everybody {
			latest = max(latest, last[id])
		}
		if most := 4*time.Second + watchers*time.Second/sweepPosts + 3*time.Second; latest > most {
			t.Errorf("the last of the crowd waited %s, want at most %s", latest, most)
		}
		for _, id := range everybody {
			if got := f.api.got[id]; !slices.Equal(got, []int64{3}) && !slices.Equal(got, []int64{2, 3}) {
				t.Fatalf("%s got versions %v, want 3, perhaps after 2", id, got)
			}
		}
		if marked := f.marked(); len(marked) > 0 || len(f.failures) > 0 {
			t.Errorf("%d marks, failures %v, want none", len(marked), f.failures)
		}
		t.Logf("the other item after %s, the last of the crowd after %s", last["cold"], latest)
	})
}

// wait waits until a mapping has delivered everything.
func (f *broadcastFixture) wait(ctx context.Context, m *esm.Mapping) {
	f.t.Helper()
	if err := m.Wait(ctx); err != nil {
		f.t.Error(err)
	}
}
