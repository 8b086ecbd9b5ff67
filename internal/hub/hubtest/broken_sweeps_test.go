package hubtest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
)

// The stores with broken sweeps or lists of subscribers. Each breaks one promise.
type (
	newestSweep struct { // wants what was asked for last
		hub.Store
		wanted map[hub.Topic]string
	}
	textSweep     struct{ hub.Store } // compares sequence numbers as texts
	noSweepRevs   struct{ hub.Store } // keeps no revs of sweeps
	anyStep       struct{ hub.Store } // saves a sweep whatever its step is
	unsavedSweep  struct{ hub.Store } // does not save how far a sweep came
	endsAnyway    struct{ hub.Store } // ends a sweep although a newer change is wanted
	endlessSweep  struct{ hub.Store } // does not end a sweep
	unsortedSweep struct{ hub.Store } // lists sweeps in another order
	bellIsSave    struct{ hub.Store } // raises the step when it rings a bell
	lostBell      struct{ hub.Store } // does not ring a bell
	stepOfAsk     struct{ hub.Store } // raises the step when a sweep is asked for
	noExact       struct{ hub.Store } // has one list of subscribers
	exactTopics   struct{ hub.Store } // has exact subscribers of carts
	bothLists     struct{ hub.Store } // leaves exact subscribers in the other list
	movesBack     struct{ hub.Store } // moves subscribers back
	exactPage     struct{ hub.Store } // ends exact subscribers after one page
)

func (s newestSweep) AskSweep(ctx context.Context, t hub.Topic, sequence, rev string, now time.Time) error {
	s.wanted[t] = sequence
	return s.Store.AskSweep(ctx, t, sequence, rev, now)
}

func (s newestSweep) Sweeps(ctx context.Context) ([]hub.Sweep, error) {
	sweeps, err := s.Store.Sweeps(ctx)
	for i := range sweeps {
		sweeps[i].Wanted = s.wanted[sweeps[i].Topic]
	}
	return sweeps, err
}

func (s textSweep) AskSweep(ctx context.Context, t hub.Topic, sequence, rev string, now time.Time) error {
	sweeps, _ := s.Store.Sweeps(ctx)
	for _, sweep := range sweeps {
		if sweep.Topic == t && sequence < sweep.Wanted {
			return nil
		}
	}
	return s.Store.AskSweep(ctx, t, sequence, rev, now)
}

func (s noSweepRevs) AskSweep(ctx context.Context, t hub.Topic, sequence, _ string, now time.Time) error {
	return s.Store.AskSweep(ctx, t, sequence, "", now)
}

func (s anyStep) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	sweeps, _ := s.Store.Sweeps(ctx)
	for _, stored := range sweeps {
		if stored.Topic == sweep.Topic {
			sweep.Step = stored.Step
		}
	}
	return s.Store.SaveSweep(ctx, sweep, now)
}

func (s unsavedSweep) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	sweep.From, sweep.At = "", ""
	return s.Store.SaveSweep(ctx, sweep, now)
}

func (s endsAnyway) EndSweep(ctx context.Context, sweep hub.Sweep) error {
	sweeps, _ := s.Store.Sweeps(ctx)
	for _, stored := range sweeps {
		if stored.Topic == sweep.Topic {
			sweep.Serving = stored.Wanted
		}
	}
	return s.Store.EndSweep(ctx, sweep)
}

func (s endlessSweep) EndSweep(context.Context, hub.Sweep) error { return nil }

func (s unsortedSweep) Sweeps(ctx context.Context) ([]hub.Sweep, error) {
	sweeps, err := s.Store.Sweeps(ctx)
	slices.Reverse(sweeps)
	return sweeps, err
}

func (s stepOfAsk) AskSweep(ctx context.Context, t hub.Topic, sequence, rev string, now time.Time) error {
	err := s.Store.AskSweep(ctx, t, sequence, rev, now)
	sweeps, _ := s.Store.Sweeps(ctx)
	for _, stored := range sweeps {
		if stored.Topic == t {
			_ = s.Store.SaveSweep(ctx, stored, now)
		}
	}
	return err
}

func (s bellIsSave) RingSweep(ctx context.Context, t hub.Topic, now time.Time) error {
	sweeps, err := s.Store.Sweeps(ctx)
	for _, stored := range sweeps {
		if stored.Topic == t {
			err = s.Store.SaveSweep(ctx, stored, now)
		}
	}
	return err
}

func (s lostBell) RingSweep(context.Context, hub.Topic, time.Time) error { return nil }

// all returns the subscribers in both lists.
func all(ctx context.Context, s hub.Store, t hub.Topic, after string) []hub.Subscriber {
	exact, _, _ := s.ExactSubscribers(ctx, t, after, 1000)
	others, _, _ := s.Subscribers(ctx, t, after, 1000)
	return append(exact, others...)
}

func (s noExact) ExactSubscribers(context.Context, hub.Topic, string, int) ([]hub.Subscriber, string, error) {
	return nil, "", nil
}

func (s noExact) Subscribers(ctx context.Context, t hub.Topic, after string, _ int) ([]hub.Subscriber, string, error) {
	return all(ctx, s.Store, t, after), "", nil
}

func (s exactTopics) ExactSubscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if t.Kind == hub.KindSKU {
		return s.Store.ExactSubscribers(ctx, t, after, limit)
	}
	return s.Store.Subscribers(ctx, t, after, limit)
}

func (s bothLists) Subscribers(
	ctx context.Context, t hub.Topic, after string, _ int,
) ([]hub.Subscriber, string, error) {
	return all(ctx, s.Store, t, after), "", nil
}

func (s movesBack) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	if stored, err := s.Connection(ctx, c.ID); err == nil && !c.Principal.MaySeeExact() {
		_ = s.Forget(ctx, c.ID)
		_ = s.PutConnection(ctx, stored)
	}
	return s.Store.Subscribe(ctx, c, topics)
}

func (s exactPage) ExactSubscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	page, _, err := s.Store.ExactSubscribers(ctx, t, after, limit)
	return page, "", err
}

// TestStoreFindsBrokenSweeps checks that the suite finds each of these stores.
func TestStoreFindsBrokenSweeps(t *testing.T) {
	const (
		raised, listed, saved, ends = "a sweep keeps the newest change", "sweeps are listed in order",
			"a sweep is saved at its step", "a sweep ends when it has served what is wanted"
		rung         = "a bell is rung without a step"
		exact, moves = "those who may see exact figures have a list", "a subscription moves to the exact list for good"
	)
	for name, tt := range map[string]struct {
		store func(hub.Store) hub.Store
		want  []string
	}{
		"wants what was asked for last": {
			func(s hub.Store) hub.Store { return newestSweep{s, map[hub.Topic]string{}} }, []string{raised}},
		"compares as text":           {func(s hub.Store) hub.Store { return textSweep{s} }, []string{raised}},
		"keeps no revs":              {func(s hub.Store) hub.Store { return noSweepRevs{s} }, []string{raised, saved}},
		"saves at any step":          {func(s hub.Store) hub.Store { return anyStep{s} }, []string{saved}},
		"saves no place":             {func(s hub.Store) hub.Store { return unsavedSweep{s} }, []string{saved}},
		"ends anyway":                {func(s hub.Store) hub.Store { return endsAnyway{s} }, []string{ends}},
		"does not end":               {func(s hub.Store) hub.Store { return endlessSweep{s} }, []string{ends}},
		"unsorted":                   {func(s hub.Store) hub.Store { return unsortedSweep{s} }, []string{listed}},
		"a bell raises the step":     {func(s hub.Store) hub.Store { return bellIsSave{s} }, []string{rung}},
		"a bell is lost":             {func(s hub.Store) hub.Store { return lostBell{s} }, []string{rung}},
		"a new wish raises the step": {func(s hub.Store) hub.Store { return stepOfAsk{s} }, []string{saved}},
		"one list":                   {func(s hub.Store) hub.Store { return noExact{s} }, []string{exact, moves}},
		"exact subscribers of carts": {func(s hub.Store) hub.Store { return exactTopics{s} }, []string{exact}},
		"both lists":                 {func(s hub.Store) hub.Store { return bothLists{s} }, []string{exact, moves}},
		"moves back":                 {func(s hub.Store) hub.Store { return movesBack{s} }, []string{moves}},
		"one page":                   {func(s hub.Store) hub.Store { return exactPage{s} }, []string{exact}},
	} {
		t.Run(name, func(t *testing.T) {
			failed := hubtest.StoreFailures(t.Context(), fixture(tt.store, nil))
			for _, want := range tt.want {
				if !slices.Contains(failed, want) {
					t.Errorf("the suite found %q, want %q too", failed, want)
				}
			}
		})
	}
}
