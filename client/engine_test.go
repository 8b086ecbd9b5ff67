package client

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// TestQuietNetworkIsNeverStale: a network loses nothing, and the hub ends each connection
// after a while, and says slow_down now and then. The next connection is always there before
// the last one ends, so every value stays live.
func TestQuietNetworkIsNeverStale(t *testing.T) {
	for seed := range seeds(t) {
		random := rand.New(rand.NewPCG(seed, 3))
		b, s := newBench(random.Float64), newShop()
		s.hello.ReconnectAfter = 30 + random.IntN(60)
		n := newNetwork(b, s, random)
		b.want(everything)
		b.connect()
		n.run()
		n.slow = 0.1
		alone := begin
		for range 300 {
			if random.IntN(10) == 0 {
				n.push(s.changeBadge("sku:A", "in"))
			}
			b.advance(time.Second)
			for _, topic := range everything {
				if s := b.state(topic); s.Word != Live {
					t.Fatalf("seed %d: %s is %s", seed, topic, s.Word)
				}
			}
			n.run()
			if open := openLinks(b); open == 1 {
				alone = b.timers.now
			} else if open > 2 || b.timers.now.Sub(alone) > answerWithin {
				t.Fatalf("seed %d: %d connections are open, for %s", seed, open, b.timers.now.Sub(alone))
			}
		}
		for _, l := range b.dialled[:len(b.dialled)-1] {
			if !l.settled {
				t.Fatalf("seed %d: a connection was given up before it said anything", seed)
			}
		}
		if len(b.dialled) < 4 {
			t.Fatalf("seed %d: got %d connections, want 4 or more", seed, len(b.dialled))
		}
	}
}

func openLinks(b *bench) (n int) {
	for _, l := range b.dialled {
		if !l.closed {
			n++
		}
	}
	return n
}

// TestCutIsSpread: clients whose connections break together come back over the time that
// the hub named.
func TestCutIsSpread(t *testing.T) {
	const clients, within = 1_000, 25
	random := rand.New(rand.NewPCG(1, 4))
	perSecond := map[int]int{}
	for range clients {
		b, s := newBench(random.Float64), newShop()
		s.hello.ReconnectWithin = within
		n := newNetwork(b, s, random)
		b.connect()
		n.run()
		n.cut()
		b.advance(within * time.Second)
		if len(b.dialAt) != 2 {
			t.Fatalf("got %d attempts within %d s, want the first and one more", len(b.dialAt), within)
		}
		perSecond[int(b.dialAt[1].Sub(begin)/time.Second)]++
	}
	for second, n := range perSecond {
		if n > 2*clients/within {
			t.Errorf("%d clients came back in second %d, want about %d", n, second, clients/within)
		}
	}
}

// TestDeadConnectionIsReplaced: where pings are free, a connection that swallows everything
// is found dead after a ping.
func TestDeadConnectionIsReplaced(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	s.hello.PingEvery = 15
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 5)))
	b.connect()
	b.want(everything)
	n.run()
	if b.state("sku:A").Word != Live {
		t.Fatal("it is not live at first")
	}
	b.advance(15*time.Second + proofWithin + firstWait)
	if b.state("sku:A").Word != Stale || len(b.dialled) != 2 {
		t.Errorf("got %s after %d attempts, want stale and the second one", b.state("sku:A").Word, len(b.dialled))
	}
}

// TestKeepsAlive: an idle connection is subscribed again before API Gateway's ten minutes.
func TestKeepsAlive(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 6)))
	b.want(everything)
	b.connect()
	n.run()
	l := b.last()
	before := len(b.sent[l])
	b.advance(9*time.Minute + 30*time.Second)
	sent := b.sent[l][before:]
	if len(sent) != 1 || sent[0].Action != wire.ActionSubscribe || sent[0].Epoch != "k1" || len(sent[0].Topics) != 3 {
		t.Errorf("got %+v, want a subscribe with versions", sent)
	}
}

// TestEndClosesEveryConnection: also two that were replaced one soon after the other, while
// requests on them have no answer yet.
func TestEndClosesEveryConnection(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 11)))
	b.connect()
	n.run()
	for range 3 {
		b.current.ask(add("k"), nil, func(*message) {})
		b.receive(b.current, wire.Bye{Code: "recycle", Retry: true})
		b.advance(firstWait)
		l := b.last()
		b.onOpened(l, offer{"ann.token", true})
		answer, _ := s.answer(b.sent[l][0])
		b.receive(l, answer)
	}
	if len(b.dialled) != 4 || openLinks(b) != 2 {
		t.Errorf("got %d connections, %d of them open, want 4 and 2", len(b.dialled), openLinks(b))
	}
	b.end(closed)
	if openLinks(b) != 0 {
		t.Errorf("%d connections stay open", openLinks(b))
	}
}

// TestByeOfAReplacedConnection: the hub closes one that was replaced already, and a connection
// whose successor is being made. Neither needs another one.
func TestByeOfAReplacedConnection(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 12)))
	b.want(everything)
	b.connect()
	n.run()
	first := b.last()
	first.ask(add("k"), nil, func(*message) {}) // without an answer, it stays open
	b.receive(first, wire.Bye{Code: "recycle", Retry: true})
	b.advance(firstWait)
	b.receive(first, wire.Bye{Code: "recycle", Retry: true}) // its successor is being made
	if len(b.dialled) != 2 {
		t.Fatalf("got %d connections, want a second one", len(b.dialled))
	}
	second := b.last()
	b.onOpened(second, offer{"ann.token", true})
	for i := 0; i < len(b.sent[second]); i++ {
		answer, _ := s.answer(b.sent[second][i])
		b.receive(second, answer)
	}
	if b.retired != first || b.current != second {
		t.Fatal("the first connection is not replaced")
	}
	before := b.notBefore
	b.receive(first, wire.Bye{Code: "recycle", Retry: true})
	b.advance(firstWait)
	if len(b.dialled) != 2 || b.notBefore != before {
		t.Errorf("got %d connections, want 2", len(b.dialled))
	}
}

// TestEndedVersion: after a bye without retry, the client does not come back.
func TestEndedVersion(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 7)))
	s.hello.Deprecation = &wire.Deprecation{Sunset: "2027-07-05", Successor: "v2"}
	b.connect()
	n.run()
	var deprecated *DeprecationError
	if len(b.reports) != 1 || !errors.As(b.reports[0], &deprecated) || deprecated.Sunset != "2027-07-05" {
		t.Errorf("got %v, want the deprecation", b.reports)
	}
	var sent, waiting error
	b.push(&change{req: add("k1"), done: func(_ Result, err error) { sent = err }})
	b.push(&change{req: add("k2"), done: func(_ Result, err error) { waiting = err }})
	b.receive(b.last(), wire.Bye{Code: "gone_version"})
	b.advance(time.Hour)
	if len(b.dialled) != 1 || openLinks(b) != 0 || b.status != ended {
		t.Errorf("got %d connections, want one that is closed", len(b.dialled))
	}
	var uncertain *Error
	if !errors.As(sent, &uncertain) || uncertain.Code != CodeUncertain || !errors.Is(waiting, ErrEnded) {
		t.Errorf("got %v of what was sent and %v of what was not", sent, waiting)
	}
}

func add(key string) wire.Request {
	return wire.Request{Action: wire.ActionAdd, SKU: "X", Quantity: 1, Key: key}
}

// TestAnotherUser: with another user, nothing of the one before is shown or written.
func TestAnotherUser(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	s.lines["X"] = &wire.Line{Quantity: 1, Version: 1}
	s.cart = 1
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 8)))
	b.want(everything)
	b.connect()
	n.run()
	n.cut()
	var got error
	b.push(&change{req: add("k1"), done: func(_ Result, err error) { got = err }})
	b.advance(reconnectWithin)
	s.hello.User = "bob"
	l := b.last()
	b.onOpened(l, offer{"bob.token", true})
	answer, _ := s.answer(b.sent[l][0])
	b.receive(l, answer)
	var refused *Error
	if s := b.state("cart"); s.Word != Unknown || !errors.As(got, &refused) || refused.Code != CodeIdentity {
		t.Errorf("got a cart that is %s, and %v of the change", s.Word, got)
	}
	for _, req := range b.sent[l] {
		if req.Action == wire.ActionAdd {
			t.Error("bob's cart gets ann's change")
		}
	}
}

// TestKeepsTheKey: a change whose answer is lost is sent again with its key, on the next
// connection.
func TestKeepsTheKey(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 9)))
	b.connect()
	n.run()
	var got []Result
	b.push(&change{req: add("k1"), done: func(r Result, err error) { got = append(got, r) }})
	s.answer(b.sent[b.last()][1]) // arrives; the answer does not
	n.cut()
	b.advance(reconnectWithin)
	n.run()
	if len(got) != 1 || !got[0].Duplicate || s.lines["X"].Quantity != 1 {
		t.Errorf("got %+v, and %d pieces, want one that was a duplicate", got, s.lines["X"].Quantity)
	}
}

// TestRetryOfARefusedChange: a change that met other writers is sent again, a conflict is not.
func TestRetryOfARefusedChange(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 10)))
	b.connect()
	n.run()
	l := b.last()
	var got error
	isDone := false
	b.push(&change{req: add("k1"), done: func(_ Result, err error) { got, isDone = err, true }})
	for _, code := range []wire.Code{wire.CodeBusy, wire.CodeInternal, wire.CodeConflict} {
		if isDone {
			t.Fatalf("%v ended it", got)
		}
		sent := b.sent[l]
		b.receive(l, &wire.Error{ID: sent[len(sent)-1].ID, Code: code, Retry: true, Message: "no", Version: 4})
		b.advance(2 * time.Second)
	}
	var refused *Error
	if !errors.As(got, &refused) || refused.Code != CodeConflict || refused.Version != 4 {
		t.Errorf("got %v, want the conflict", got)
	}
}
