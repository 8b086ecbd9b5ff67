package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

// actor is one caller of a store, which waits at each request until it may go on.
type actor struct {
	at   chan bool // true: before a request; false: done
	goOn chan struct{}
	err  error
}

func start(w world, api dynamostore.API, op func(hub.Store) error) *actor {
	a := &actor{at: make(chan bool), goOn: make(chan struct{})}
	store := w.store(hook{api, func(_ context.Context, _ string, in any, next func(any) (any, error)) (any, error) {
		a.at <- true
		<-a.goOn
		return next(in)
	}})
	go func() {
		a.err = op(store)
		a.at <- false
	}()
	return a
}

// interleave runs the operations, one request at a time. choices says whose turn it
// is among those that are not done, and is filled up with zeros. alternatives says
// how many could have had each turn.
func interleave(w world, choices []int, ops ...func(hub.Store) error) (schedule, alternatives []int, err error) {
	var running []*actor
	var all []*actor
	settle := func(a *actor) {
		if !<-a.at {
			running = slices.DeleteFunc(running, func(b *actor) bool { return a == b })
		}
	}
	for _, op := range ops {
		a := start(w, w.client, op)
		all, running = append(all, a), append(running, a)
	}
	for _, a := range all {
		settle(a)
	}
	for turn := 0; len(running) > 0; turn++ {
		choice := 0
		if turn < len(choices) {
			choice = choices[turn]
		}
		schedule, alternatives = append(schedule, choice), append(alternatives, len(running))
		a := running[choice]
		a.goOn <- struct{}{}
		settle(a)
	}
	for _, a := range all {
		err = errors.Join(err, a.err)
	}
	return schedule, alternatives, err
}

// everyOrder runs operations on a connection of its own in every order that their
// requests may have.
func everyOrder(t *testing.T, w world, ops func(id string) []func(hub.Store) error, check func(id, order string)) {
	t.Helper()
	orders := 0
	for choices := []int{}; choices != nil; orders++ {
		id := fmt.Sprintf("c%d", orders)
		if err := w.store(w.client).PutConnection(t.Context(), connection(id)); err != nil {
			t.Fatal(err)
		}
		schedule, alternatives, err := interleave(w, choices, ops(id)...)
		if err != nil {
			t.Fatalf("order %v: %v", schedule, err)
		}
		check(id, fmt.Sprint("order ", schedule))
		choices = nil
		for i := len(schedule) - 1; i >= 0 && choices == nil; i-- {
			if schedule[i]+1 < alternatives[i] {
				choices = append(slices.Clone(schedule[:i]), schedule[i]+1)
			}
		}
	}
	if orders < 10 {
		t.Errorf("%d orders, want more", orders)
	}
	t.Logf("%d orders", orders)
}

// TestSideBySide: messages of one connection may be handled at once. In whatever
// order their requests reach DynamoDB, a topic that the connection shows has its
// subscription, and but for a connection that is forgotten, the other way round.
func TestSideBySide(t *testing.T) {
	subscribe := func(id string, names ...string) func(hub.Store) error {
		return func(s hub.Store) error {
			return s.Subscribe(context.Background(), connection(id), topics(names...))
		}
	}
	unsubscribe := func(id string, names ...string) func(hub.Store) error {
		return func(s hub.Store) error { return s.Unsubscribe(context.Background(), id, topics(names...)) }
	}
	forget := func(id string) func(hub.Store) error {
		return func(s hub.Store) error { return s.Forget(context.Background(), id) }
	}
	end := func(id string) func(hub.Store) error {
		return func(s hub.Store) error { return s.EndConnection(context.Background(), id, now) }
	}
	// put is a message that comes late: it brings back a connection whose row is lost.
	put := func(id string) func(hub.Store) error {
		return func(s hub.Store) error {
			err := s.PutConnection(context.Background(), connection(id))
			if errors.Is(err, hub.ErrGone) {
				return nil
			}
			return err
		}
	}
	for name, tt := range map[string]struct {
		ops   func(id string) []func(hub.Store) error
		exact bool // no subscription is left over
	}{
		"subscribe and unsubscribe": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{subscribe(id, "A"), unsubscribe(id, "A")}
		}, true},
		"subscribe and unsubscribe others": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{subscribe(id, "A", "B"), unsubscribe(id, "B", "C")}
		}, true},
		"subscribe twice": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{subscribe(id, "A", "B"), subscribe(id, "B", "C")}
		}, true},
		"unsubscribe and forget": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{unsubscribe(id, "A"), forget(id)}
		}, true},
		"subscribe and forget": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{subscribe(id, "A"), forget(id)}
		}, false},
		"forget twice": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{forget(id), forget(id)}
		}, true},
		"put and end": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{put(id), end(id)}
		}, true},
		"forget and end": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{forget(id), end(id)}
		}, true},
		"subscribe and end": {func(id string) []func(hub.Store) error {
			return []func(hub.Store) error{subscribe(id, "A"), end(id)}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.store(w.client)
			before := tt.ops
			if name == "unsubscribe and forget" || name == "forget twice" {
				before = func(id string) []func(hub.Store) error {
					if err := s.Subscribe(t.Context(), connection(id), topics("A", "B")); err != nil {
						t.Fatal(err)
					}
					return tt.ops(id)
				}
			}
			everyOrder(t, w, before, func(id, order string) {
				shown, subscribed := watched(t, s, id, "A", "B", "C")
				wantSubscribed(t, order, shown, subscribed)
				if _, err := s.Connection(t.Context(), id); (strings.Contains(name, "forget") || strings.HasSuffix(name, " end")) && !errors.Is(err, hub.ErrGone) {
					t.Errorf("%s: got %v, want the connection to stay forgotten", order, err)
				}
				if strings.HasSuffix(name, " end") {
					if err := s.PutConnection(t.Context(), connection(id)); !errors.Is(err, hub.ErrGone) {
						t.Errorf("%s: put again: %v, want ErrGone", order, err)
					}
					if o, err := s.Holder(t.Context(), connection(id).Principal.CartID(), "", 10); err != nil || len(o.Connections) > 0 {
						t.Errorf("%s: its user has %v, %v, want no connection", order, o.Connections, err)
					}
				}
				if tt.exact && !slices.Equal(shown, subscribed) {
					t.Errorf("%s: the connection shows %v, has subscriptions of %v", order, shown, subscribed)
				}
			})
		})
	}
	t.Run("mark and clear", func(t *testing.T) {
		w := newWorld(t)
		s := w.store(w.client)
		everyOrder(t, w, func(id string) []func(hub.Store) error {
			if err := mark(t.Context(), s, id, topics("A"), now); err != nil {
				t.Fatal(err)
			}
			return []func(hub.Store) error{
				func(s hub.Store) error { return mark(context.Background(), s, id, topics("B"), now) },
				func(s hub.Store) error {
					marks, err := s.RetryMarks(context.Background(), 10)
					for _, m := range marks {
						err = errors.Join(err, s.ClearRetryMark(context.Background(), m))
					}
					return err
				},
			}
		}, func(id, order string) {
			// B was cleared with a mark that named it, or is there still. A mark that
			// was read before cannot have named it.
			c, err := w.client.Query(t.Context(), queryAll(w.options.HubTable, "C#"+id))
			if err != nil {
				t.Fatal(err)
			}
			marks, err := s.RetryMarks(t.Context(), 10)
			wantSame(t, order+": marks listed", len(marks), len(c.Items)-1, err)
			for _, m := range marks {
				if !slices.Contains(m.Topics, topics("B")[0]) {
					t.Errorf("%s: the mark %s lost a topic", order, show(m))
				}
			}
			if err := s.Forget(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if marks, err = s.RetryMarks(t.Context(), 10); len(marks) > 0 || err != nil {
				t.Errorf("%s: marks after forgetting: %s, %v", order, show(marks), err)
			}
		})
	})
}
