package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

var errCrash = errors.New("the function was killed")

// crashAt is an engine whose caller crashes at request n, before or after the
// request is carried out. No later request arrives.
func crashAt(api dynamostore.API, n int, after bool) interceptor {
	return interceptor{api, func(_ context.Context, _ string, in any, next func(any) (any, error)) (any, error) {
		n--
		if n > 0 || n == 0 && after {
			out, err := next(in)
			if n > 0 {
				return out, err
			}
		}
		return nil, errCrash
	}}
}

// forEachCrash runs op once for each point at which it may crash, each time on
// another connection, and then checks what is left.
func forEachCrash(
	t *testing.T, db testDB, prepare, op func(s hub.Store, id string) error, check func(id, crash string),
) {
	t.Helper()
	crashes := 0
	for n := 1; ; n++ {
		completed := false
		for _, after := range []bool{false, true} {
			id := fmt.Sprintf("c-%d-%v", n, after)
			if err := prepare(db.store(db.client), id); err != nil {
				t.Fatal(err)
			}
			err := op(db.store(crashAt(db.client, n, after)), id)
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatalf("%s: got %v", id, err)
			}
			completed = err == nil
			check(id, fmt.Sprintf("crash at request %d, carried out %v", n, after))
			crashes++
		}
		if completed {
			break
		}
	}
	if crashes < 4 {
		t.Errorf("%d crashes, want more", crashes)
	}
}

// topicsAndSubscriptions returns the topics that a connection shows, and the topics
// that it is a subscriber of.
func topicsAndSubscriptions(t *testing.T, s hub.Store, id string, names ...string) (shown, subscribed []string) {
	t.Helper()
	c, err := s.Connection(t.Context(), id)
	if err != nil && !errors.Is(err, hub.ErrGone) {
		t.Fatal(err)
	}
	for _, topic := range c.Topics {
		shown = append(shown, topic.Name)
	}
	for _, topic := range topics(names...) {
		page, _, err := s.Subscribers(t.Context(), topic, "", 1000)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(page, func(s hub.Subscriber) bool { return s.ConnectionID == id }) {
			subscribed = append(subscribed, topic.Name)
		}
	}
	return shown, subscribed
}

func wantSubscribed(t *testing.T, crash string, shown, subscribed []string) {
	t.Helper()
	for _, name := range shown {
		if !slices.Contains(subscribed, name) {
			t.Errorf("%s: the connection shows %v, has subscriptions to %v", crash, shown, subscribed)
		}
	}
}

func TestCrashSubscribe(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	put := func(s hub.Store, id string) error { return s.PutConnection(t.Context(), connection(id)) }
	forEachCrash(t, db, put, func(s hub.Store, id string) error { return subscribe(id, "A", "B")(s) },
		func(id, crash string) {
			shown, subscribed := topicsAndSubscriptions(t, s, id, "A", "B")
			wantSubscribed(t, crash, shown, subscribed)
			if err := subscribe(id, "A", "B")(s); err != nil {
				t.Fatal(err)
			}
			shown, subscribed = topicsAndSubscriptions(t, s, id, "A", "B")
			wantSame(t, crash+": again", fmt.Sprint(shown, subscribed), "[A B] [A B]", nil)
		})
}

func subscribedAndMarked(t *testing.T) func(s hub.Store, id string) error {
	return func(s hub.Store, id string) error {
		return errors.Join(
			s.PutConnection(t.Context(), connection(id)), errOf(s.Subscribe(t.Context(), connection(id), topics("A", "B"))),
			mark(t.Context(), s, id, topics("A"), now))
	}
}

func TestCrashUnsubscribe(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	op := func(s hub.Store, id string) error { return unsubscribe(id, "A")(s) }
	forEachCrash(t, db, subscribedAndMarked(t), op, func(id, crash string) {
		shown, subscribed := topicsAndSubscriptions(t, s, id, "A", "B")
		wantSubscribed(t, crash, shown, subscribed)
		if err := unsubscribe(id, "A")(s); err != nil {
			t.Fatal(err)
		}
		shown, subscribed = topicsAndSubscriptions(t, s, id, "A", "B")
		wantSame(t, crash+": again", fmt.Sprint(shown, subscribed), "[B] [B]", nil)
	})
}

func TestCrashForget(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	op := func(s hub.Store, id string) error { return forget(id)(s) }
	forEachCrash(t, db, subscribedAndMarked(t), op, func(id, crash string) {
		shown, subscribed := topicsAndSubscriptions(t, s, id, "A", "B")
		wantSubscribed(t, crash, shown, subscribed)
		// A post then finds the connection gone, and its sender knows the topics.
		if err := s.Forget(t.Context(), id, topics("A", "B")...); err != nil {
			t.Fatal(err)
		}
		shown, subscribed = topicsAndSubscriptions(t, s, id, "A", "B")
		wantSame(t, crash+": again", fmt.Sprint(shown, subscribed), "[] []", nil)
		if err := s.ClearRetryMarks(t.Context(), []hub.RetryMark{{ConnectionID: id}})[0]; err != nil {
			t.Fatal(err)
		}
	})
	db.wantRows(t, 0)
}

func TestCrashEndConnection(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	op := func(s hub.Store, id string) error { return end(id)(s) }
	forEachCrash(t, db, subscribedAndMarked(t), op, func(id, crash string) {
		shown, subscribed := topicsAndSubscriptions(t, s, id, "A", "B")
		wantSubscribed(t, crash, shown, subscribed)
		if err := end(id)(s); err != nil {
			t.Fatal(err)
		}
		wantEnded(t, s, id, crash+": again")
	})
}

func TestCrashMarkForRetry(t *testing.T) {
	for name, before := range map[string][]hub.Topic{"first": nil, "renewed": topics("A")} {
		t.Run(name, func(t *testing.T) {
			db := newTestDB(t)
			s := db.store(db.client)
			forEachCrash(t, db,
				func(s hub.Store, id string) error {
					if before == nil {
						return nil
					}
					return mark(t.Context(), s, id, before, now)
				},
				func(s hub.Store, id string) error {
					return mark(t.Context(), s, id, topics("B"), now.Add(time.Minute))
				},
				func(id, crash string) {
					if before != nil { // the mark from before stays
						_, _, err := s.RetryMarks(t.Context(), "", 10)
						marks, _, again := s.RetryMarks(t.Context(), "", 10)
						if err := errors.Join(err, again); err != nil || len(marks) != 1 ||
							marks[0].Topics[0].Name != "A" || !marks[0].Since.Equal(now) {
							t.Fatalf("%s: got marks %s, %v, want the mark from before", crash, show(marks), err)
						}
					}
					if err := mark(t.Context(), s, id, topics("C"), now.Add(time.Hour)); err != nil {
						t.Fatal(err)
					}
					marks, _, err := s.RetryMarks(t.Context(), "", 10)
					if err != nil || len(marks) != 1 || marks[0].ConnectionID != id || !slices.Contains(marks[0].Topics,
						topics("C")[0]) {
						t.Fatalf("%s: got marks %s, %v, want one", crash, show(marks), err)
					}
					if err := s.ClearRetryMarks(t.Context(), []hub.RetryMark{marks[0]})[0]; err != nil {
						t.Fatal(err)
					}
					marks, _, err = s.RetryMarks(t.Context(), "", 10)
					wantSame(t, crash+": marks after clearing", len(marks), 0, err)
				})
			db.wantRows(t, 0)
		})
	}
}

func TestCrashClearRetryMark(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	forEachCrash(t, db,
		func(s hub.Store, id string) error { return mark(t.Context(), s, id, topics("A"), now) },
		func(s hub.Store, id string) error {
			return s.ClearRetryMarks(t.Context(), []hub.RetryMark{db.mark(t, id)})[0]
		},
		func(id, crash string) {
			marks, _, err := s.RetryMarks(t.Context(), "", 10)
			if err != nil || len(marks) > 1 {
				t.Fatalf("%s: got %s, %v, want at most one", crash, show(marks), err)
			}
			for _, m := range marks {
				if err := s.ClearRetryMarks(t.Context(), []hub.RetryMark{m})[0]; err != nil {
					t.Fatal(err)
				}
			}
		})
	db.wantRows(t, 0)
}

// mark reads the mark of a connection.
func (db testDB) mark(t *testing.T, id string) hub.RetryMark {
	t.Helper()
	marks, _, err := db.store(db.client).RetryMarks(t.Context(), "", 10)
	i := slices.IndexFunc(marks, func(m hub.RetryMark) bool { return m.ConnectionID == id })
	if err != nil || i < 0 {
		t.Fatalf("got marks %s, %v, want one for %s", show(marks), err, id)
	}
	return marks[i]
}

func TestCrashPutItem(t *testing.T) {
	for name, next := range map[string]hub.Item{
		"other vendor": {Version: 2, Vendor: "other"},
		"deleted":      {Version: 2, Vendor: "acme", Deleted: true},
		"same vendor":  {Version: 2, Vendor: "acme", Available: 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := newTestDB(t)
			s := db.store(db.client)
			forEachCrash(t, db,
				func(s hub.Store, id string) error {
					return s.PutItem(t.Context(), hub.Item{SKU: id, Version: 1, Vendor: "acme"}, 0)
				},
				func(s hub.Store, id string) error {
					next.SKU = id
					return s.PutItem(t.Context(), next, 1)
				},
				func(id, crash string) {
					items, err := s.Items(t.Context(), []string{id})
					for _, vendor := range []string{"acme", "other"} {
						skus, _, listErr := s.VendorSKUs(t.Context(), vendor, "", 1000)
						want := items[id].Vendor == vendor && !items[id].Deleted
						wantSame(t, crash+": in the index of "+vendor, slices.Contains(skus, id), want, errors.Join(err, listErr))
					}
				})
		})
	}
}

// wantRows fails unless the hub table has that many rows.
func (db testDB) wantRows(t *testing.T, want int) {
	t.Helper()
	out, err := db.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &db.options.HubTable,
		ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Items) != want {
		t.Errorf("got %d rows in the hub table, want %d: %s", len(out.Items), want, show(out.Items))
	}
}

// TestClearKeepsRenewedMark checks that a mark that was renewed since it was read
// stays, also if it was cleared and set again.
func TestClearKeepsRenewedMark(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	var first hub.RetryMark
	for range 3 {
		if err := mark(t.Context(), s, "c1", topics("A"), now); err != nil {
			t.Fatal(err)
		}
		marks, _, err := s.RetryMarks(t.Context(), "", 10)
		if err != nil || len(marks) != 1 {
			t.Fatalf("got marks %s, %v, want one", show(marks), err)
		}
		if first.Revision == 0 {
			first = marks[0]
		} else if err := s.ClearRetryMarks(t.Context(), []hub.RetryMark{first})[0]; err != nil {
			t.Fatal(err) // of the mark of an earlier round
		}
		again, _, err := s.RetryMarks(t.Context(), "", 10)
		wantSame(t, "marks", again, marks, err)
		if err := s.ClearRetryMarks(t.Context(), []hub.RetryMark{marks[0]})[0]; err != nil {
			t.Fatal(err)
		}
		db.wantRows(t, 0)
	}
}

// TestLostAnswers checks that a write that was carried out although it seemed to
// fail counts once, and that a write that may have been carried out is not a
// conflict.
func TestLostAnswers(t *testing.T) {
	first := hub.Item{SKU: "TEE", Version: 1, Available: 5, Vendor: "acme", UpdatedAt: now}
	mine, theirs, later := first, first, first
	mine.Version, mine.Available = 2, 4
	theirs.Version, theirs.Available = 2, 3
	later.Version, later.Available = 3, 2
	for name, tt := range map[string]struct {
		carriedOut bool
		meanwhile  []hub.Item
		want       error
	}{
		"carried out":                             {true, nil, nil},
		"not carried out":                         {false, nil, nil},
		"not carried out, others wrote":           {false, []hub.Item{theirs}, hub.ErrConflict},
		"carried out, others wrote since":         {true, []hub.Item{later}, errors.New("unknown")},
		"not carried out, others wrote two times": {false, []hub.Item{theirs, later}, errors.New("unknown")},
	} {
		t.Run(name, func(t *testing.T) {
			db := newTestDBWithLayout(t, shopLayout)
			clean := db.store(db.client)
			if err := clean.PutItem(t.Context(), first, 0); err != nil {
				t.Fatal(err)
			}
			answerLost := false
			store := db.store(interceptor{db.client, func(_ context.Context, op string, in any,
				next func(any) (any, error)) (any, error) {
				if op != "UpdateItem" || answerLost {
					return next(in)
				}
				answerLost = true
				if tt.carriedOut {
					if _, err := next(in); err != nil {
						return nil, err
					}
				}
				for _, item := range tt.meanwhile {
					if err := clean.PutItem(t.Context(), item, item.Version-1); err != nil {
						return nil, err
					}
				}
				return nil, responseError(500, &types.InternalServerError{})
			}})
			err := store.PutItem(t.Context(), mine, 1)
			switch {
			case tt.want == nil && err != nil, tt.want == hub.ErrConflict && !errors.Is(err,
				hub.ErrConflict), tt.want != nil && err == nil,
				tt.want != nil && tt.want != hub.ErrConflict && hasKind(err):
				t.Errorf("got %v, want %v", err, tt.want)
			}
			want := mine
			if n := len(tt.meanwhile); n > 0 {
				want = tt.meanwhile[n-1]
			}
			items, err := clean.Items(t.Context(), []string{"TEE"})
			wantSame(t, "item", items["TEE"], want, err)
		})
	}
	t.Run("transaction", func(t *testing.T) {
		db := newTestDB(t)
		sent := 0
		store := db.store(interceptor{db.client, func(_ context.Context, op string, in any,
			next func(any) (any, error)) (any, error) {
			out, err := next(in)
			if op != "TransactWriteItems" || err != nil {
				return out, err
			}
			if sent++; sent < 3 {
				return nil, responseError(500, &types.InternalServerError{})
			}
			return out, nil
		}})
		if err := store.PutCarts(t.Context(), []hub.CartWrite{testCart}, &testReceipt); err != nil || sent != 3 {
			t.Errorf("got %v after %d attempts, want success after 3", err, sent)
		}
	})
}

// TestExpiredRowsAreReturned checks that expired rows are returned with their times,
// because TTL may lag by days, and the hub checks the times.
func TestExpiredRowsAreReturned(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	old := connection("c1")
	old.ConnectedAt = time.Now().UTC().Truncate(time.Millisecond).Add(-hub.ConnectionLife - time.Hour)
	expired := testReceipt
	expired.At = old.ConnectedAt.Add(-hub.ReceiptLife)
	if err := errors.Join(s.PutConnection(t.Context(), old), errOf(s.Subscribe(t.Context(), old, topics("A"))),
		s.PutCarts(t.Context(), nil, &expired)); err != nil {
		t.Fatal(err)
	}
	page, _, err := s.Subscribers(t.Context(), topics("A")[0], "", 10)
	wantSame(t, "subscribers", page, []hub.Subscriber{old.Subscriber(topics("A")[0])}, err)
	kept, err := s.Receipt(t.Context(), expired.CartID, expired.Key)
	wantSame(t, "receipt", kept, expired, err)

	young := expired
	young.At = expired.At.Add(hub.ReceiptLife)
	if err := s.PutCarts(t.Context(), nil, &young); !errors.Is(err, hub.ErrConflict) {
		t.Errorf("key just before its expiry: got %v, want %v", err, hub.ErrConflict)
	}
	young.At = young.At.Add(time.Millisecond)
	if err := s.PutCarts(t.Context(), nil, &young); err != nil {
		t.Errorf("expired key: got %v", err)
	}
}

// TestMalformedRows checks that a malformed cart is unreadable, and that a malformed
// row of the hub table does not hide the others.
func TestMalformedRows(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	for _, put := range []dynamodb.PutItemInput{
		{TableName: &db.options.CartTable, Item: map[string]types.AttributeValue{"cart": text("u~ann"),
			"version": text("secret")}},
		{TableName: &db.options.HubTable, Item: map[string]types.AttributeValue{"pk": text("T#sku:A#0"), "sk": text("c#b"),
			"connectedAt": text("secret")}},
	} {
		if _, err := db.client.PutItem(t.Context(), &put); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Cart(t.Context(), "u~ann")
	if !errors.Is(err, hub.ErrUnreadable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %v, want %v", err, hub.ErrUnreadable)
	}
	for _, id := range []string{"a", "c"} {
		if err := unlessGone(errOf(s.Subscribe(t.Context(), connection(id), topics("A")))); err != nil {
			t.Fatal(err)
		}
	}
	page, next, err := s.Subscribers(t.Context(), topics("A")[0], "", 10)
	if err != nil || next != "" || len(page) != 3 || page[1].ConnectionID != "b" ||
		!page[1].ConnectedAt.IsZero() || page[2] != connection("c").Subscriber(topics("A")[0]) {
		t.Errorf("got %s, %q, %v, want a, b and c", show(page), next, err)
	}
}
