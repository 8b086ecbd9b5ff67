package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

// operation is a call of a store.
type operation func(hub.Store) error

// caller runs one operation, which waits before each request until it may proceed.
type caller struct {
	waiting chan bool // true: before a request; false: done
	proceed chan struct{}
	err     error
}

func startCaller(db testDB, api dynamostore.API, op operation) *caller {
	c := &caller{waiting: make(chan bool), proceed: make(chan struct{})}
	store := db.store(interceptor{api, func(
		_ context.Context, _ string, in any, next func(any) (any, error),
	) (any, error) {
		c.waiting <- true
		<-c.proceed
		return next(in)
	}})
	go func() {
		c.err = op(store)
		c.waiting <- false
	}()
	return c
}

// interleave runs operations, one request at a time. choices selects, for each turn,
// one of the callers that are not done; missing choices are 0. alternatives has the
// number of callers that could be selected in each turn.
func interleave(db testDB, choices []int, ops ...operation) (schedule, alternatives []int, err error) {
	var running, all []*caller
	await := func(c *caller) {
		if !<-c.waiting {
			running = slices.DeleteFunc(running, func(other *caller) bool { return c == other })
		}
	}
	for _, op := range ops {
		c := startCaller(db, db.client, op)
		all, running = append(all, c), append(running, c)
	}
	for _, c := range all {
		await(c)
	}
	for turn := 0; len(running) > 0; turn++ {
		choice := 0
		if turn < len(choices) {
			choice = choices[turn]
		}
		schedule, alternatives = append(schedule, choice), append(alternatives, len(running))
		c := running[choice]
		c.proceed <- struct{}{}
		await(c)
	}
	for _, c := range all {
		err = errors.Join(err, c.err)
	}
	return schedule, alternatives, err
}

// forEachOrder runs operations in every order that their requests may have, each
// time on another connection.
func forEachOrder(t *testing.T, db testDB, ops func(id string) []operation, check func(id, order string)) {
	t.Helper()
	orders := 0
	for choices := []int{}; choices != nil; orders++ {
		id := fmt.Sprintf("c%d", orders)
		if err := db.store(db.client).PutConnection(t.Context(), connection(id)); err != nil {
			t.Fatal(err)
		}
		schedule, alternatives, err := interleave(db, choices, ops(id)...)
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
	if orders < 6 { // of two operations with two requests each
		t.Errorf("%d orders, want more", orders)
	}
	t.Logf("%d orders", orders)
}

func subscribe(id string, names ...string) operation {
	return func(s hub.Store) error {
		return unlessGone(errOf(s.Subscribe(context.Background(), connection(id), topics(names...))))
	}
}

// unlessGone returns an error other than ErrGone.
func unlessGone(err error) error {
	if errors.Is(err, hub.ErrGone) {
		return nil
	}
	return err
}

func unsubscribe(id string, names ...string) operation {
	return func(s hub.Store) error { return errOf(s.Unsubscribe(context.Background(), id, topics(names...))) }
}

func forget(id string) operation {
	return func(s hub.Store) error { return s.Forget(context.Background(), id) }
}

func end(id string) operation {
	return func(s hub.Store) error { return s.EndConnection(context.Background(), id, now, 0) }
}

// putAgain is a late message, which records a connection again whose row is lost.
func putAgain(id string) operation {
	return func(s hub.Store) error { return unlessGone(s.PutConnection(context.Background(), connection(id))) }
}

// TestConcurrentMessages runs messages of one connection concurrently. In whatever
// order their requests reach DynamoDB, a topic that the connection shows has its
// subscription. Unless the connection is forgotten, a subscription has its topic
// too.
func TestConcurrentMessages(t *testing.T) {
	for name, tt := range map[string]struct {
		subscribed bool // to A and B before
		ops        func(id string) []operation
		exact      bool // no subscription is left over
		forgotten  bool // in the end
		ended      bool // in the end
	}{
		"subscribe and unsubscribe": {
			ops:   func(id string) []operation { return []operation{subscribe(id, "A"), unsubscribe(id, "A")} },
			exact: true,
		},
		"subscribe and unsubscribe others": {
			ops: func(id string) []operation {
				return []operation{subscribe(id, "A", "B"), unsubscribe(id, "B", "C")}
			},
			exact: true,
		},
		"two subscribes": {
			ops: func(id string) []operation {
				return []operation{subscribe(id, "A", "B"), subscribe(id, "B", "C")}
			},
			exact: true,
		},
		"unsubscribe and forget": {
			ops:        func(id string) []operation { return []operation{unsubscribe(id, "A"), forget(id)} },
			subscribed: true, exact: true, forgotten: true,
		},
		"subscribe and forget": {
			ops:       func(id string) []operation { return []operation{subscribe(id, "A"), forget(id)} },
			forgotten: true,
		},
		"two forgets": {
			ops:        func(id string) []operation { return []operation{forget(id), forget(id)} },
			subscribed: true, exact: true, forgotten: true,
		},
		"put and end": {
			ops:   func(id string) []operation { return []operation{putAgain(id), end(id)} },
			exact: true, forgotten: true, ended: true,
		},
		"forget and end": {
			ops:   func(id string) []operation { return []operation{forget(id), end(id)} },
			exact: true, forgotten: true, ended: true,
		},
		"subscribe and end": {
			ops:       func(id string) []operation { return []operation{subscribe(id, "A"), end(id)} },
			forgotten: true, ended: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := newTestDB(t)
			s := db.store(db.client)
			ops := func(id string) []operation {
				if tt.subscribed {
					if err := subscribe(id, "A", "B")(s); err != nil {
						t.Fatal(err)
					}
				}
				return tt.ops(id)
			}
			forEachOrder(t, db, ops, func(id, order string) {
				shown, subscribed := topicsAndSubscriptions(t, s, id, "A", "B", "C")
				wantSubscribed(t, order, shown, subscribed)
				if tt.exact && !slices.Equal(shown, subscribed) {
					t.Errorf("%s: the connection shows %v, has subscriptions to %v", order, shown, subscribed)
				}
				if _, err := s.Connection(t.Context(), id); tt.forgotten && !errors.Is(err, hub.ErrGone) {
					t.Errorf("%s: got %v, want the connection to stay forgotten", order, err)
				}
				if tt.ended {
					wantEnded(t, s, id, order)
				}
			})
		})
	}
}

// wantEnded fails unless a connection cannot be put again and has no holder.
func wantEnded(t *testing.T, s hub.Store, id, when string) {
	t.Helper()
	for _, moment := range []string{"before", "after"} {
		holder, err := s.Holder(t.Context(), connection(id).Principal.CartID(), "", 10)
		if err != nil || len(holder.Connections) > 0 {
			t.Errorf("%s: %s another put its user has connections %v, %v, want none", when, moment, holder.Connections, err)
		}
		if err := s.PutConnection(t.Context(), connection(id)); !errors.Is(err, hub.ErrGone) {
			t.Errorf("%s: put again: got %v, want ErrGone", when, err)
		}
	}
}

// TestConcurrentMarkAndClear marks a connection for B while its mark for A is read
// and cleared.
func TestConcurrentMarkAndClear(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	ops := func(id string) []operation {
		if err := mark(t.Context(), s, id, topics("A"), now); err != nil {
			t.Fatal(err)
		}
		return []operation{
			func(s hub.Store) error { return mark(context.Background(), s, id, topics("B"), now) },
			func(s hub.Store) error {
				marks, _, err := s.RetryMarks(context.Background(), "", 10)
				for _, m := range marks {
					err = errors.Join(err, s.ClearRetryMarks(context.Background(), []hub.RetryMark{m})[0])
				}
				return err
			},
		}
	}
	forEachOrder(t, db, ops, func(id, order string) {
		// Either the mark that was cleared had B, or a mark still has it. A mark that
		// was read before cannot have had it.
		marks, _, err := s.RetryMarks(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marks {
			if !slices.Contains(m.Topics, topics("B")[0]) {
				t.Errorf("%s: the mark %s lost a topic", order, show(m))
			}
		}
		if err := s.ClearRetryMarks(t.Context(), []hub.RetryMark{{ConnectionID: id}})[0]; err != nil {
			t.Fatal(err)
		}
		if marks, _, err = s.RetryMarks(t.Context(), "", 10); len(marks) > 0 || err != nil {
			t.Errorf("%s: marks after clearing: %s, %v", order, show(marks), err)
		}
	})
}
