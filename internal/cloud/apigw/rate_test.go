package apigw_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/hub"
)

// latencyAPI is a management API whose posts take a time, in a synctest bubble.
type latencyAPI struct {
	*timedAPI
	latency time.Duration // of a post

	mu            sync.Mutex
	running, most int // posts at the same time
}

// newLatencyAPI returns an API that answers after a latency and an answer of its own,
// which may be nil.
func newLatencyAPI(latency time.Duration, answer func(id string) error) *latencyAPI {
	a := &latencyAPI{timedAPI: newTimedAPI(), latency: latency}
	accept := a.answer
	a.answer = func(ctx context.Context, id string) error {
		a.count(1)
		defer a.count(-1)
		<-time.After(a.latency)
		if answer != nil {
			if err := answer(id); err != nil {
				return err
			}
		}
		return accept(ctx, id)
	}
	return a
}

func (a *latencyAPI) count(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running += n
	a.most = max(a.most, a.running)
}

// postAll sends n posts in batches of the size that the hub uses, and returns the time.
func postAll(t *testing.T, p *apigw.Poster, n int) time.Duration {
	t.Helper()
	began := time.Now()
	for range n / 1_000 {
		if err := errors.Join(p.Post(t.Context(), posts(1_000))...); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
}

// TestWorkersFollowTheBudget checks that a Poster reaches its budget, and no more, and
// with how many posts at the same time.
func TestWorkersFollowTheBudget(t *testing.T) {
	for _, tt := range []struct {
		budget  int
		latency time.Duration
		workers int // the most
		least   int // posts a second: the budget less a twentieth, or what 128 workers can do
	}{
		{800, 15 * time.Millisecond, 32, 760},
		{800, 100 * time.Millisecond, 120, 760},
		{3_000, 15 * time.Millisecond, 67, 2_850},
		{8_000, 15 * time.Millisecond, 128, 7_600},
		{8_000, 60 * time.Millisecond, 128, 2_026},
		{0, 15 * time.Millisecond, 128, 8_000},
	} {
		t.Run(fmt.Sprintf("%d a second at %s", tt.budget, tt.latency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newLatencyAPI(tt.latency, nil)
				p := apigw.New(api, apigw.Options{PostsPerSecond: tt.budget})
				postAll(t, p, 5_000) // until the workers are as many as they need to be
				const n = 40_000
				took := postAll(t, p, n)
				if perSecond := int(float64(n) / took.Seconds()); perSecond < tt.least {
					t.Errorf("%d posts a second, want at least %d", perSecond, tt.least)
				}
				if api.most > tt.workers || tt.workers == 128 && api.most < 128 {
					t.Errorf("%d posts at the same time, want at most %d", api.most, tt.workers)
				}
				if most := tt.budget + tt.budget/10; tt.budget > 0 && api.timedAPI.most(time.Second) > most {
					t.Errorf("%d posts within a second, want at most %d", api.timedAPI.most(time.Second), most)
				}
			})
		})
	}
}

// TestWorkersStopWhereTheyDoNotHelp checks a Poster without a budget whose process can
// do only 1 000 posts a second: it does not go on adding workers.
func TestWorkersStopWhereTheyDoNotHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		processor := make(chan struct{}, 1)
		api := newLatencyAPI(15*time.Millisecond, func(string) error {
			processor <- struct{}{}
			time.Sleep(time.Millisecond)
			<-processor
			return nil
		})
		took := postAll(t, apigw.New(api, apigw.Options{}), 20_000)
		if perSecond := 20_000 / took.Seconds(); perSecond < 950 {
			t.Errorf("%.0f posts a second, want 1 000", perSecond)
		}
		if api.most > 64 {
			t.Errorf("%d posts at the same time, want at most 64", api.most)
		}
	})
}

// TestPostsThatHangDelayNobody checks that connections whose posts hang for the timeout
// of a call leave workers for the others, at the default budget.
func TestPostsThatHangDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hanging = 20
		var mu sync.Mutex
		var last time.Duration // until the last post to a healthy connection
		began := time.Now()
		api := &fakeAPI{answer: func(_ context.Context, id string) error {
			if id < fmt.Sprintf("c%04d", hanging) {
				time.Sleep(3 * time.Second)
				return errors.New("timed out")
			}
			time.Sleep(15 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			last = max(last, time.Since(began))
			return nil
		}}
		errs := apigw.New(api, apigw.Options{PostsPerSecond: 800}).Post(t.Context(), posts(1_000))
		for i, err := range errs {
			if (err != nil) != (i < hanging) {
				t.Fatalf("post %d: got %v", i, err)
			}
		}
		if last > 1500*time.Millisecond {
			t.Errorf("the last healthy connection waited %s, want 1.2 s: 1 000 posts at 800 a second", last)
		}
	})
}

// TestThrottledAccount checks a Poster whose account takes fewer posts than its budget: it
// comes close to what the account takes, and few posts are throttled.
func TestThrottledAccount(t *testing.T) {
	for _, tt := range []struct{ budget, account int }{{8_000, 5_000}, {8_000, 1_000}, {800, 400}, {0, 2_000}} {
		t.Run(fmt.Sprintf("%d of %d", tt.account, tt.budget), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bucket, filled := float64(tt.account)/10, time.Now()
				throttled, sent := 0, 0
				var mu sync.Mutex
				api := newLatencyAPI(15*time.Millisecond, func(string) error {
					mu.Lock()
					defer mu.Unlock()
					bucket += time.Since(filled).Seconds() * float64(tt.account)
					bucket, filled = min(bucket, float64(tt.account)/10), time.Now()
					sent++
					if bucket < 1 {
						throttled++
						return status(429)
					}
					bucket--
					return nil
				})
				p := apigw.New(api, apigw.Options{PostsPerSecond: tt.budget})
				began, accepted := time.Now(), 0
				for time.Since(began) < 30*time.Second {
					for _, err := range p.Post(t.Context(), posts(1_000)) {
						switch {
						case err == nil:
							accepted++
						case !errors.Is(err, hub.ErrThrottled):
							t.Fatal(err)
						}
					}
				}
				perSecond := float64(accepted) / time.Since(began).Seconds()
				if perSecond < 0.6*float64(tt.account) {
					t.Errorf("%.0f posts a second were accepted, want at least 6 of 10 that the account takes", perSecond)
				}
				if 10*throttled > sent {
					t.Errorf("%d of %d posts were throttled, want at most a tenth", throttled, sent)
				}
				t.Logf("%.0f a second, %.1f %% throttled", perSecond, 100*float64(throttled)/float64(sent))
			})
		})
	}
}
