package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

// longName returns a different name for every i up to 999: MaxLines of them have
// MaxSKUBytes together.
func longName(i int) string {
	return fmt.Sprintf("%s%03d", strings.Repeat("N", MaxSKUBytes/MaxLines-3), i)
}

// longID is the longest id that Decode accepts.
var longID = json.RawMessage(`"` + strings.Repeat("i", MaxID-2) + `"`)

// fullCart returns the largest cart that a customer can have.
func fullCart() Cart {
	cart := Cart{Version: MaxVersion, Lines: map[string]*Line{}}
	for i := range MaxLines {
		cart.Lines[longName(i)] = line(MaxQuantity, MaxVersion)
	}
	return cart
}

// fullSnapshot returns a snapshot of more than MaxMessage bytes.
func fullSnapshot() Snapshot {
	s := Snapshot{ID: longID, Epoch: "k3", Topics: map[string]Value{"cart": fullCart()}}
	for i := range MaxTopics - 1 {
		s.Topics["sku:"+longName(i)] = Badge{Version: MaxVersion, State: StateLow, Quantity: pieces(5)}
	}
	return s
}

// clampedOK returns an answer of more than MaxMessage bytes: a full cart with every
// line clamped.
func clampedOK() OK {
	o := OK{
		ID: longID, Key: strings.Repeat("k", MaxKey), Duplicate: true,
		From: MaxVersion - 1, Version: MaxVersion, Lines: fullCart().Lines, Clamped: map[string]Clamp{},
	}
	for name := range o.Lines {
		o.Clamped[name] = Clamp{Wanted: 2 * MaxQuantity, Got: MaxQuantity}
	}
	return o
}

// TestFitSnapshot checks that a snapshot that does not fit names the topics that it
// leaves out.
func TestFitSnapshot(t *testing.T) {
	s := fullSnapshot()
	all := len(s.Topics)
	s.Fit()
	if size := len(Encode(s)); size > MaxMessage {
		t.Errorf("fitted to %d bytes, want at most %d", size, MaxMessage)
	}
	if len(s.Topics)+len(s.Again) != all || len(s.Again) == 0 || s.Topics["cart"] == nil {
		t.Errorf("got %d topics and %d again, want %d in all and the cart among the topics",
			len(s.Topics), len(s.Again), all)
	}
	small := Snapshot{Epoch: "k3", Topics: map[string]Value{"cart": fullCart()}}
	if small.Fit(); small.Again != nil {
		t.Errorf("a full cart alone does not fit")
	}
}

// TestFitOK checks that an answer with a full cart of long names, all of them
// clamped, drops the lines and nothing else.
func TestFitOK(t *testing.T) {
	o := clampedOK()
	o.Fit()
	if size := len(Encode(o)); size > MaxMessage || len(o.Clamped) != MaxLines || len(o.Again) != 1 {
		t.Errorf("fitted to %d bytes with %d clamped, again %v", size, len(o.Clamped), o.Again)
	}
	small := OK{Lines: map[string]*Line{"A": line(1, 1)}}
	if small.Fit(); small.Again != nil || len(small.Lines) != 1 {
		t.Errorf("an answer that fits was changed: %+v", small)
	}
}

// TestFullCheckoutFits checks that the answer to the checkout of the largest cart is
// one message with nothing left out.
func TestFullCheckoutFits(t *testing.T) {
	o := OK{
		ID: longID, Key: strings.Repeat("k", MaxKey), Duplicate: true,
		From: MaxVersion - 1, Version: MaxVersion, Lines: map[string]*Line{}, Ordered: map[string]int{},
	}
	for i := range MaxLines {
		o.Lines[longName(i)], o.Ordered[longName(i)] = nil, MaxQuantity
	}
	if o.Fit(); len(Encode(o)) > MaxMessage || len(o.Ordered) != MaxLines || o.Again != nil {
		t.Errorf("got %d bytes with %d ordered, again %v", len(Encode(o)), len(o.Ordered), o.Again)
	}
}

// TestSizeBound checks that no encoding is larger than its bound.
func TestSizeBound(t *testing.T) {
	type bounded interface {
		Answer
		sizeBound() int
	}
	odd := "\x00\xff\u2028\"<é" // needs escapes of every kind
	least := int(math.MinInt64)
	lines := map[string]*Line{odd: line(least, math.MinInt64), "A": nil}
	full, clamped := fullSnapshot(), clampedOK()
	answers := []bounded{
		&full, &clamped, &Snapshot{}, &OK{},
		&Snapshot{ID: json.RawMessage("\"\u2028<\""), Epoch: odd, Unchanged: least, Again: []string{odd, "a"},
			Refused: map[string]Code{odd: Code(odd), "sku:A": CodeDenied}, Topics: map[string]Value{
				odd: Badge{
					Version: math.MinInt64, State: State(odd), Quantity: &least, Until: strings.Repeat(odd, 50),
				},
				"none":     nil,
				"cart":     Cart{From: number(math.MinInt64), Version: math.MinInt64, Lines: lines, Reason: Reason(odd)},
				"vendor:a": Vendor{SKUs: []string{odd, "A"}, More: true}, "vendor:b": Vendor{},
			}},
		&OK{ID: json.RawMessage("\"\u2028<\""), Key: odd, Duplicate: true, From: math.MinInt64, Version: math.MinInt64,
			Lines: lines, Clamped: map[string]Clamp{odd: {Wanted: least, Got: least}}, Again: []string{odd},
			Skipped: map[string]Skip{odd: Skip(odd), "A": SkipRemoved}, Ordered: map[string]int{odd: least, "A": 1}},
	}
	for _, c := range messages {
		switch a := c.msg.(type) {
		case Snapshot:
			answers = append(answers, &a)
		case OK:
			answers = append(answers, &a)
		}
	}
	for _, a := range answers {
		if data := Encode(a); len(data) > a.sizeBound() {
			t.Errorf("%d bytes exceed the bound of %d: %.200s", len(data), a.sizeBound(), data)
		}
	}
}

// TestFitEncodesNothing checks that Fit does not encode an answer that surely fits.
func TestFitEncodesNothing(t *testing.T) {
	s := Snapshot{Epoch: "k3", Topics: map[string]Value{"sku:A": Badge{Version: 1, State: StateIn}}}
	o := OK{Key: "k", Lines: map[string]*Line{"A": line(1, 1)}}
	if n := testing.AllocsPerRun(10, func() { s.Fit(); o.Fit() }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

// BenchmarkAnswer measures what an answer costs from Fit to its bytes: a snapshot
// of a page of a shop, and a write to a cart of ten lines.
func BenchmarkAnswer(b *testing.B) {
	s := Snapshot{ID: json.RawMessage("7"), Epoch: "k3", Topics: map[string]Value{}}
	cart := Cart{Version: 41, Lines: map[string]*Line{}}
	for i := range 40 {
		s.Topics[fmt.Sprintf("sku:MUG-BLUE-%d", i)] = Badge{Version: 42, State: StateLow, Quantity: pieces(3)}
	}
	for i := range 10 {
		cart.Lines[fmt.Sprintf("MUG-BLUE-%d", i)] = line(2, 17)
	}
	s.Topics["cart"] = cart
	ok := OK{ID: json.RawMessage("7"), Key: "k1", From: 40, Version: 41, Lines: cart.Lines}
	b.Run("snapshot", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Fit()
			Encode(s)
		}
	})
	b.Run("ok", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ok.Fit()
			Encode(ok)
		}
	})
}
