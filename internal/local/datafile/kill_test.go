package datafile_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
	"github.com/securecart/hub/internal/wire"
)

// writerVariable makes the test binary a process that writes to the file in a folder
// until it is killed. Its value is a number that no earlier process had.
const writerVariable = "DATAFILE_TEST_WRITER"

// killsVariable is how often TestKill kills.
const killsVariable = "HUB_TEST_KILLS"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(writerVariable) != "":
		writeUntilKilled(os.Args[1], os.Getenv(writerVariable))
	case os.Getenv(fullVariable) != "":
		fillFile(os.Args[1])
	default:
		os.Exit(m.Run())
	}
}

// event is a line of what the writing process prints: what somebody was told.
type event struct {
	Kind    string
	Row     string
	Version int64
	Content string // feed: of the row
	Key     string // ack of a cart: its idempotency key
}

const (
	startEvent   = "start"   // the process is about to open the file
	epochEvent   = "epoch"   // clients get it with each answer
	feedEvent    = "feed"    // subscribers get a row
	ackEvent     = "ack"     // the writer of a row got an answer
	revokedEvent = "revoked" // a revocation is acknowledged
)

func itemRow(sku string) string { return "item " + sku }
func cartRow(id string) string  { return "cart " + id }

func content(row any) string {
	text, err := json.Marshal(row)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// The writing process has several writers for each cart and item, so that they share
// groups and conflict.
const (
	writtenCarts   = 4
	writersPerCart = 4
	writtenItems   = 4
	writersPerItem = 2
)

// writeUntilKilled writes carts, stock and revocations through a hub, and prints what it
// told whom.
func writeUntilKilled(dir, process string) {
	var mu sync.Mutex
	report := func(e event) { // one system call for each line, so a kill cuts no line
		mu.Lock()
		defer mu.Unlock()
		if _, err := fmt.Println(content(e)); err != nil {
			fail(err)
		}
	}
	report(event{Kind: startEvent})
	f, err := datafile.Open(dir)
	if err != nil {
		fail(err)
	}
	store, err := memstore.Open("k"+process, f)
	if err != nil {
		fail(err)
	}
	store.Follow(func(c hub.Change) {
		if c.NewItem != nil {
			report(event{Kind: feedEvent, Row: itemRow(c.NewItem.SKU), Version: c.NewItem.Version, Content: content(c.NewItem)})
		} else {
			report(event{Kind: feedEvent, Row: cartRow(c.NewCart.ID), Version: c.NewCart.Version, Content: content(c.NewCart)})
		}
	})
	h := hub.New(store, nil, time.Now).WithCartsFrom(store.FirstCartVersion)
	ctx := context.Background()
	epoch, _ := store.Epoch(ctx)
	report(event{Kind: epochEvent, Content: epoch.Name})
	putStock := func(sku string, available int) error {
		i, err := h.PutStock(ctx, sku, hub.StockChange{Available: &available})
		if err == nil {
			report(event{Kind: ackEvent, Row: itemRow(sku), Version: i.Version})
		}
		return err
	}
	for _, sku := range []string{"MUG", "CAP"} { // what carts take
		if err := putStock(sku, 1000); err != nil {
			fail(err)
		}
	}
	var writers []func(n int) error
	for w := range writtenItems * writersPerItem {
		writers = append(writers, func(n int) error { return putStock(fmt.Sprint("S", w%writtenItems), 100*w+n%100) })
	}
	for w := range writtenCarts * writersPerCart {
		principal := hub.Principal{User: fmt.Sprint("user", w%writtenCarts), Role: hub.RoleCustomer}
		caller := hub.Connection{ID: fmt.Sprint("c", w), Principal: principal, ConnectedAt: time.Now()}
		if err := store.PutConnection(ctx, caller); err != nil {
			fail(err)
		}
		writers = append(writers, func(n int) error {
			r := wire.Request{Lines: []wire.LineChange{{SKU: "CAP", Quantity: n % 7}, {SKU: "MUG", Quantity: w + 1}}}
			if n%3 == 0 {
				r.Key = fmt.Sprintf("%s-%d-%d", process, w, n)
			}
			ok, err := h.Set(ctx, caller, r)
			if err == nil {
				report(event{Kind: ackEvent, Row: cartRow(principal.CartID()), Version: ok.Version, Key: r.Key})
			}
			return err
		})
	}
	writers = append(writers, func(n int) error {
		holder := fmt.Sprint("u~gone", n%5)
		err := store.Revoke(ctx, holder, time.UnixMilli(time.Now().UnixMilli()))
		revoked, _ := store.Revocation(ctx, holder)
		report(event{Kind: revokedEvent, Row: holder, Version: revoked.UnixMilli()})
		return err
	})
	writers = append(writers, func(int) error { return store.Erase(ctx, "u~nobody") }) // wipes the file
	var running sync.WaitGroup
	for _, write := range writers {
		running.Go(func() {
			for n := 0; ; n++ {
				if err := write(n); err != nil && !errors.Is(err, hub.ErrConflict) {
					fail(err)
				}
			}
		})
	}
	running.Wait()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// published is what processes that wrote to one file told anybody.
type published struct {
	epoch   string
	newest  map[string]int64            // version of each row that somebody has seen
	content map[string]map[int64]string // of each version of each row
	revoked map[string]int64            // of each holder: until when, in milliseconds
	keys    []event                     // acknowledged with a key, of the last process
	acks    int
}

func newPublished() *published {
	return &published{newest: map[string]int64{}, content: map[string]map[int64]string{}, revoked: map[string]int64{}}
}

// add notes what somebody was told, and reports a version with two contents.
func (p *published) add(e event) error {
	switch e.Kind {
	case startEvent:
		return nil
	case epochEvent:
		if p.epoch = cmp.Or(p.epoch, e.Content); p.epoch != e.Content {
			return fmt.Errorf("the epoch was %s and is %s", p.epoch, e.Content)
		}
		return nil
	case revokedEvent:
		p.revoked[e.Row] = max(p.revoked[e.Row], e.Version)
		return nil
	case ackEvent:
		p.acks++
		if e.Key != "" {
			p.keys = append(p.keys, e)
		}
	case feedEvent:
		versions := p.content[e.Row]
		if versions == nil {
			versions = map[int64]string{}
			p.content[e.Row] = versions
		}
		if before, known := versions[e.Version]; known && before != e.Content {
			return fmt.Errorf("%s has version %d twice:\n%s\n%s", e.Row, e.Version, before, e.Content)
		}
		versions[e.Version] = e.Content
	}
	p.newest[e.Row] = max(p.newest[e.Row], e.Version)
	return nil
}

// check compares a file with what was told. Whoever starts next tells what is in it.
func (p *published) check(rows memstore.Rows) (err error) {
	kept := map[string]int64{}
	for sku, i := range rows.Items {
		kept[itemRow(sku)] = i.Version
		err = errors.Join(err, p.add(event{Kind: feedEvent, Row: itemRow(sku), Version: i.Version, Content: content(i)}))
	}
	for id, c := range rows.Carts {
		kept[cartRow(id)] = c.Version
		err = errors.Join(err, p.add(event{Kind: feedEvent, Row: cartRow(id), Version: c.Version, Content: content(c)}))
	}
	for row, version := range p.newest {
		if kept[row] < version {
			err = errors.Join(err, fmt.Errorf("%s: version %d was told, the file has %d", row, version, kept[row]))
		}
	}
	for holder, until := range p.revoked {
		if got := rows.Revocations[holder].UnixMilli(); got < until {
			err = errors.Join(err, fmt.Errorf("%s: revoked until %d, the file has %d", holder, until, got))
		}
	}
	for _, e := range p.keys {
		id := e.Row[len(cartRow("")):]
		if rows.Receipts[memstore.ReceiptKey{CartID: id, Key: e.Key}] == nil {
			err = errors.Join(err, fmt.Errorf("%s: key %s was acknowledged, and has no receipt", e.Row, e.Key))
		}
	}
	p.keys = nil
	return err
}

// TestKill kills a process that writes, at a random instant, again and again. Whatever a
// writer or a subscriber was told is in the file, and no version has two contents.
func TestKill(t *testing.T) {
	kills := 10
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killsVariable, err)
		}
	}
	const perFile = 50
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	var dir string
	var p *published
	acks, early := 0, 0
	for kill := range kills {
		if kill%perFile == 0 {
			dir, p = t.TempDir(), newPublished()
		}
		before := p.acks
		lines := random.IntN(4) // while it opens the file
		if kill%3 > 0 {
			lines = 100*(kill%3) + random.IntN(100)
		}
		if err := writeAndKill(t, dir, fmt.Sprint(kill), lines, p); err != nil {
			t.Fatalf("seed %d, kill %d: %v", seed, kill, err)
		}
		f := open(t, dir)
		rows := load(t, f)
		closeFile(t, f)
		if err := p.check(rows); err != nil {
			t.Fatalf("seed %d, kill %d: %v", seed, kill, err)
		}
		if acks += p.acks - before; p.acks == before {
			early++
		}
	}
	t.Logf("%d kills, %d of them before the first answer; %d answers", kills, early, acks)
	if acks < 10*kills {
		t.Errorf("only %d answers in %d kills", acks, kills)
	}
}

// writeAndKill starts a process that writes, kills it after some lines, and notes all
// that it printed.
func writeAndKill(t *testing.T, dir, process string, lines int, p *published) error {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), writerVariable+"="+process)
	cmd.Stderr = t.Output()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	err = p.read(stdout, lines, func() { _ = cmd.Process.Kill() })
	state := cmd.Wait()
	if cmd.ProcessState.Exited() {
		return fmt.Errorf("the process ended before the kill: %w", state)
	}
	return err
}

// read notes lines until the end, and calls kill after some.
func (p *published) read(stdout io.Reader, lines int, kill func()) error {
	var events []event
	if lines == 0 {
		kill()
	}
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			return fmt.Errorf("%q: %w", scanner.Text(), err)
		}
		events = append(events, e)
		if len(events) == lines {
			kill()
		}
	}
	if len(events) < lines {
		return fmt.Errorf("got %d lines, want %d at least", len(events), lines)
	}
	// Later lines may come from a feed whose row was told before: order does not matter.
	return errors.Join(slices.Collect(func(yield func(error) bool) {
		for _, e := range events {
			if err := p.add(e); err != nil && !yield(err) {
				return
			}
		}
	})...)
}
