package wire

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files of the protocol; read the diff")

const goldenDir = "../../testdata/protocol"

func number(n int64) *int64 { return &n }
func pieces(n int) *int     { return &n }

func line(quantity int, version int64) *Line { return &Line{Quantity: quantity, Version: version} }

// The limits in hello for a guest and for a customer.
var (
	guestLimits = Limits{
		Message: MaxMessage, TopicsPerMessage: MaxTopics, Topics: MaxSubscriptions, Lines: MaxLines,
		Quantity: MaxQuantity, Messages: 50, SKUs: 500, Idle: 600,
	}
	customerLimits = Limits{
		Message: MaxMessage, TopicsPerMessage: MaxTopics, Topics: MaxSubscriptions, Lines: MaxLines,
		Quantity: MaxQuantity, Messages: 100, Idle: 600,
	}
)

// messages has every kind of message of version 1, in the order of
// docs/protocol.md: a Request of the client or an Answer of the server.
var messages = []struct {
	name string
	msg  any
}{
	{"hello", Request{Action: ActionHello, ID: json.RawMessage("1")}},
	{"hello-answer", Hello{
		ID: json.RawMessage("1"), ConnectionID: "L0SM9cOFvHcCIhw=", Epoch: "k3", User: "guest:9f2c41d07a55e813",
		Role:       "guest",
		GuestToken: "guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Limits: guestLimits, ReconnectAfter: 6900,
	}},
	{"hello-local-answer", Hello{
		ID: json.RawMessage("26"), ConnectionID: "L0SM9cOFvHcCIhw=", Epoch: "k3", User: "guest:9f2c41d07a55e813",
		Role:       "guest",
		GuestToken: "guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Limits: guestLimits, ReconnectAfter: 6900, PingEvery: 15,
	}},
	{"hello-crowd-answer", Hello{
		ID: json.RawMessage("27"), ConnectionID: "L0SM9cOFvHcCIhw=", Epoch: "k3", User: "guest:9f2c41d07a55e813",
		Role:       "guest",
		GuestToken: "guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Limits: guestLimits, ReconnectAfter: 6900, ReconnectWithin: 25,
	}},
	{"hello-deprecated-answer", Hello{
		ID: json.RawMessage("28"), ConnectionID: "L0SM9cOFvHcCIhw=", Epoch: "k3", User: "guest:9f2c41d07a55e813",
		Role:       "guest",
		GuestToken: "guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Limits: guestLimits, ReconnectAfter: 6900,
		Deprecation: &Deprecation{
			Deprecated: "2027-01-01", Sunset: "2027-07-05", Successor: "v2", Link: "https://shop.example/v2",
		},
	}},
	{"hello-token", Request{Action: ActionHello, ID: json.RawMessage("2"), Token: "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"}},
	{"hello-token-answer", Hello{
		ID: json.RawMessage("2"), ConnectionID: "L0SM9cOFvHcCIhw=", Epoch: "k3", User: "alice", Role: "customer",
		Expires: 1796083200000, ExpiresIn: number(3599), Limits: customerLimits, ReconnectAfter: 6900,
	}},
	{
		"subscribe",
		Request{
			Action: ActionSubscribe, ID: json.RawMessage("3"),
			Topics: []Topic{{Name: "sku:TEE-RED-M"}, {Name: "sku:MUG"}, {Name: "vendor:acme"}, {Name: "cart"}},
		},
	},
	{"subscribe-answer", Snapshot{
		ID: json.RawMessage("3"), Epoch: "k3",
		Topics: map[string]Value{
			"sku:TEE-RED-M": Badge{Version: 42, State: StateLow, Quantity: pieces(3)},
			"sku:MUG":       Badge{Version: 9, State: StateOut},
			"cart":          Cart{Version: 17, Lines: map[string]*Line{"MUG": line(1, 17)}},
		},
		Refused: map[string]Code{"vendor:acme": CodeDenied},
	}},
	{
		"subscribe-bad-topic",
		Request{
			Action: ActionSubscribe, ID: json.RawMessage("18"),
			Topics: []Topic{{Name: "sku:MUG"}, {Name: "sku:RED CAP"}, {Name: "hub"}},
		},
	},
	{"subscribe-bad-topic-answer", Snapshot{
		ID: json.RawMessage("18"), Epoch: "k3",
		Topics: map[string]Value{
			"sku:MUG":     Badge{Version: 9, State: StateOut},
			"sku:RED CAP": Badge{Version: 4, State: StateIn},
		},
		Refused: map[string]Code{"hub": CodeBadTopic},
	}},
	{
		"subscribe-resume",
		Request{
			Action: ActionSubscribe, ID: json.RawMessage(`"again"`), Epoch: "k3",
			Topics: []Topic{
				{Name: "cart", Version: 17}, {Name: "sku:MUG", Version: 9}, {Name: "sku:TEE-RED-M", Version: 42},
			},
		},
	},
	{"subscribe-resume-answer", Snapshot{
		ID: json.RawMessage(`"again"`), Epoch: "k3", Unchanged: 2,
		Topics: map[string]Value{
			"cart": Cart{Version: 19, Lines: map[string]*Line{"TEE-RED-M": line(2, 18)}},
		},
	}},
	{
		"subscribe-shown",
		Request{
			Action: ActionSubscribe, ID: json.RawMessage(`"keep"`), Epoch: "k3",
			Topics: []Topic{
				{Name: "cart", Version: 17},
				{Name: "sku:MUG", Version: 9, Shown: &Badge{Version: 9, State: StateOut}},
				{Name: "sku:TEE-RED-M", Version: 42, Shown: &Badge{Version: 42, State: StateLow, Quantity: pieces(3)}},
			},
		},
	},
	{"subscribe-shown-answer", Snapshot{
		ID: json.RawMessage(`"keep"`), Epoch: "k3", Unchanged: 1,
		Topics: map[string]Value{
			"cart":    Cart{Version: 17, Lines: map[string]*Line{"MUG": line(1, 17)}},
			"sku:MUG": Badge{Version: 3, State: StateLow, Quantity: pieces(4)},
		},
	}},
	{
		"subscribe-only",
		Request{
			Action: ActionSubscribe, ID: json.RawMessage("4"), Only: true,
			Topics: []Topic{{Name: "cart"}, {Name: "sku:CAP-NAVY"}},
		},
	},
	{"subscribe-only-answer", Snapshot{
		ID: json.RawMessage("4"), Epoch: "k3",
		Topics: map[string]Value{
			"cart":         Cart{Version: 19, Lines: map[string]*Line{"TEE-RED-M": line(2, 18)}},
			"sku:CAP-NAVY": Badge{Version: 1, State: StateIn},
		},
	}},
	{"subscribe-again-answer", Snapshot{
		ID: json.RawMessage("5"), Epoch: "k3",
		Topics: map[string]Value{"cart": Cart{Version: 19, Lines: map[string]*Line{"TEE-RED-M": line(2, 18)}}},
		Again:  []string{"sku:CAP-NAVY", "sku:MUG"},
	}},
	{
		"delta-badge",
		Delta{
			Epoch: "k3", Topics: map[string]Value{"sku:TEE-RED-M": Badge{Version: 43, State: StateLow, Quantity: pieces(2)}},
		},
	},
	{"delta-back-order", Delta{Epoch: "k3", Topics: map[string]Value{
		"sku:CAP-NAVY": Badge{Version: 2, State: StateBack, Until: "2026-12-24"},
		"sku:MUG":      Badge{Version: 10, State: StateBack},
	}}},
	{
		"delta-rev",
		Delta{
			Epoch: "k3", Topics: map[string]Value{
				"sku:MUG": Badge{Version: 3, State: StateLow, Quantity: pieces(4), Rev: "300000000000000000142"},
			},
		},
	},
	{
		"delta-removed",
		Delta{
			Epoch: "k3", Topics: map[string]Value{"sku:MUG": Badge{State: StateOut, Rev: "300000000000000000156"}},
		},
	},
	{"delta-both", Delta{Epoch: "k3", Topics: map[string]Value{
		"cart":          Cart{From: number(17), Version: 18, Lines: map[string]*Line{"TEE-RED-M": line(2, 18), "MUG": nil}},
		"sku:TEE-RED-M": Badge{Version: 44, State: StateIn},
	}}},
	{
		"delta-whole-cart",
		Delta{
			Epoch:  "k3",
			Topics: map[string]Value{"cart": Cart{Version: 19, Lines: map[string]*Line{"TEE-RED-M": line(2, 18)}}},
		},
	},
	{"unsubscribe", Request{Action: ActionUnsubscribe, ID: json.RawMessage("6"), Topics: []Topic{{Name: "sku:MUG"}}}},
	{"unsubscribe-all", Request{Action: ActionUnsubscribe, ID: json.RawMessage("7"), All: true}},
	{"unsubscribe-answer", Snapshot{ID: json.RawMessage("7"), Epoch: "k3", Topics: map[string]Value{}}},
	{"get", Request{Action: ActionGet, ID: json.RawMessage("8"), Topics: []Topic{{Name: "sku:MUG"}}}},
	{
		"get-answer",
		Snapshot{
			ID: json.RawMessage("8"), Epoch: "k3", Topics: map[string]Value{"sku:MUG": Badge{Version: 9, State: StateOut}},
		},
	},
	{
		"get-vendor",
		Request{Action: ActionGet, ID: json.RawMessage("9"), Topics: []Topic{{Name: "vendor:acme"}}, After: "CAP-NAVY"},
	},
	{
		"get-vendor-answer",
		Snapshot{
			ID: json.RawMessage("9"), Epoch: "k3",
			Topics: map[string]Value{"vendor:acme": Vendor{SKUs: []string{"CAP-SAND", "SOCKS-3"}, More: true}},
		},
	},
	{"add", Request{Action: ActionAdd, ID: json.RawMessage("10"), SKU: "TEE-RED-M", Quantity: 1, Key: "phone-7.41"}},
	{
		"add-answer",
		OK{
			ID: json.RawMessage("10"), Key: "phone-7.41", From: 17, Version: 18,
			Lines: map[string]*Line{"TEE-RED-M": line(1, 18)},
		},
	},
	{
		"add-duplicate-answer",
		OK{
			ID: json.RawMessage("11"), Key: "phone-7.41", Duplicate: true, From: 17, Version: 18,
			Lines: map[string]*Line{"TEE-RED-M": line(1, 18)},
		},
	},
	{
		"add-clamped-answer",
		OK{
			ID: json.RawMessage("12"), From: 18, Version: 19, Lines: map[string]*Line{"TEE-RED-M": line(3, 19)},
			Clamped: map[string]Clamp{"TEE-RED-M": {Wanted: 5, Got: 3}},
		},
	},
	{
		"add-negative",
		Request{
			Action: ActionAdd, ID: json.RawMessage("24"), SKU: "TEE-RED-M", Quantity: -1, Key: "phone-7.44",
		},
	},
	{
		"add-negative-answer",
		OK{
			ID: json.RawMessage("24"), Key: "phone-7.44", From: 18, Version: 19, Lines: map[string]*Line{"TEE-RED-M": nil},
		},
	},
	{
		"add-negative-nothing-answer",
		OK{ID: json.RawMessage("25"), From: 19, Version: 19, Lines: map[string]*Line{"MUG": nil}},
	},
	{
		"set",
		Request{
			Action: ActionSet, ID: json.RawMessage("13"), Lines: []LineChange{{"MUG", 0}, {"TEE-RED-M", 2}}, Version: number(19),
			Key: "phone-7.42",
		},
	},
	{
		"set-answer",
		OK{
			ID: json.RawMessage("13"), Key: "phone-7.42", From: 19, Version: 20,
			Lines: map[string]*Line{"TEE-RED-M": line(2, 20), "MUG": nil},
		},
	},
	{
		"set-again-answer",
		OK{
			ID: json.RawMessage("13"), From: 19, Version: 20, Lines: map[string]*Line{},
			Clamped: map[string]Clamp{"TEE-RED-M": {Wanted: 5, Got: 3}}, Again: []string{"cart"},
		},
	},
	{"set-conflict-answer", &Error{
		ID: json.RawMessage("14"), Key: "phone-7.43", Code: CodeConflict, Message: "TEE-RED-M was changed on another device",
		Version: 20, Lines: map[string]*Line{"TEE-RED-M": line(2, 20)}, Retry: true,
	}},
	{
		"set-empty",
		Request{Action: ActionSet, ID: json.RawMessage("22"), Lines: []LineChange{{"MUG", 1}}, Version: number(0)},
	},
	{
		"merge",
		Request{
			Action: ActionMerge, ID: json.RawMessage("15"), From: "guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Policy: PolicySum,
			Key: "login-88",
		},
	},
	{
		"merge-answer",
		OK{
			ID: json.RawMessage("15"), Key: "login-88", From: 20, Version: 21,
			Lines: map[string]*Line{"CAP-NAVY": line(1, 21)},
		},
	},
	{
		"merge-skipped-answer",
		OK{
			ID: json.RawMessage("15"), Key: "login-88", From: 20, Version: 20, Lines: map[string]*Line{},
			Skipped: map[string]Skip{
				"MUG": SkipRemoved, "CAP-OLD": SkipUnknown, "SOCKS-3": SkipNoStock, "TEE-RED-M": SkipLimit,
			},
		},
	},
	{
		"checkout",
		Request{Action: ActionCheckout, ID: json.RawMessage("18"), Version: number(21), Key: "order-7"},
	},
	{
		"checkout-answer",
		OK{
			ID: json.RawMessage("18"), Key: "order-7", From: 21, Version: 22,
			Lines:   map[string]*Line{"CAP-NAVY": nil, "TEE-RED-M": nil},
			Ordered: map[string]int{"CAP-NAVY": 1, "TEE-RED-M": 2},
		},
	},
	{
		"checkout-delta",
		Delta{Epoch: "k3", Topics: map[string]Value{
			"cart": Cart{Version: 22, Lines: map[string]*Line{}, Reason: ReasonOrdered},
		}},
	},
	{
		"checkout-empty-answer",
		OK{ID: json.RawMessage("19"), From: 22, Version: 22, Lines: map[string]*Line{}, Ordered: map[string]int{}},
	},
	{
		"checkout-conflict-answer",
		&Error{
			ID: json.RawMessage("20"), Key: "order-8", Code: CodeConflict, Version: 23, Retry: true,
			Message: "the cart was changed on another device", Lines: map[string]*Line{"MUG": line(1, 23)},
		},
	},
	{"why", Request{Action: ActionWhy, ID: json.RawMessage("29"), Topic: "sku:MUG", Version: number(4)}},
	{"why-answer", Why{
		ID: json.RawMessage("29"), Epoch: "k3", Topic: "sku:MUG", Version: number(5),
		Badge: &Badge{Version: 5, State: StateLow, Quantity: pieces(3)}, Reason: WhyBehind,
		Message: "you have v4, the newest is v5: sub MUG",
	}},
	{
		"why-epoch",
		Request{
			Action: ActionWhy, ID: json.RawMessage("30"), Topic: "sku:MUG", Version: number(5), Epoch: "k3",
		},
	},
	{"why-path-answer", Why{
		ID: json.RawMessage("30"), Epoch: "k3", Topic: "sku:MUG", Version: number(5),
		Badge: &Badge{Version: 5, State: StateLow, Quantity: pieces(3)}, Changed: 1796058432806, Reason: WhyCurrent,
		Message: "you have v5, nothing is missing",
		Path: []Step{
			NewStep(StepCommit, 0, "v5"), NewStep(StepStream, 200*time.Microsecond, ""),
			NewStep(StepBatch, 310*time.Microsecond, ""),
			NewStep(StepPost, 400*time.Microsecond, "429, tried again after 305.4 ms"),
			NewStep(StepAccepted, 305_800*time.Microsecond, ""),
		},
	}},
	{"why-cart", Request{Action: ActionWhy, Topic: "cart"}},
	{"why-cart-answer", Why{
		Epoch: "k3", Topic: "cart", Version: number(19), Changed: 1796058432806, Reason: WhyUnsubscribed,
		Message: "not subscribed: sub cart",
	}},
	{"why-connection", Request{Action: ActionWhy}},
	{"why-connection-answer", Why{
		Epoch: "k3", Reason: WhyCurrent, Message: "3 topics, nothing is missing; why TOPIC says more",
	}},
	{"ping", Request{Action: ActionPing}},
	{"ping-answer", Pong{}},
	{"help", Request{Action: ActionHelp, ID: json.RawMessage("16")}},
	{"help-answer", Help{ID: json.RawMessage("16"), Usage: []string{"sub TOPIC ..."}}},
	{
		"error",
		&Error{ID: json.RawMessage("17"), Code: CodeBadField, Message: `"quantity" must be a whole number from -999 to 999`},
	},
	{"error-expired", &Error{Code: CodeTokenExpired, Message: "session expired; public topics stay subscribed"}},
	{"error-slow-down", &Error{Code: CodeSlowDown, Message: "too many messages", Retry: true, After: 2000}},
	{"bye", Bye{Code: "recycle", Retry: true, After: 4000}},
	{"bye-gone-version", Bye{Code: string(CodeGoneVersion)}},
}

func encodeAny(t *testing.T, msg any) []byte {
	t.Helper()
	if a, ok := msg.(Answer); ok {
		return Encode(a)
	}
	data, err := json.Marshal(msg)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func goldenName(msg any, name string) string {
	side := "client"
	if _, ok := msg.(Answer); ok {
		side = "server"
	}
	return name + "." + side + ".json"
}

func TestGolden(t *testing.T) {
	want := map[string]bool{}
	for _, c := range messages {
		file := goldenName(c.msg, c.name)
		want[file] = true
		t.Run(file, func(t *testing.T) {
			got := append(encodeAny(t, c.msg), '\n')
			path := filepath.Join(goldenDir, file)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, golden) {
				t.Errorf("encoded\n got %s\nwant %s", got, golden)
			}
			if request, ok := c.msg.(Request); ok {
				back, err := Decode(golden, false)
				if err != nil || !reflect.DeepEqual(back, request) {
					t.Errorf("decoded: got %+v, %v, want %+v", back, err, request)
				}
			}
		})
	}
	files, err := os.ReadDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[f.Name()] {
			t.Errorf("no message belongs to %s", f.Name())
		}
	}
}

// TestProtocolDocument checks that docs/protocol.md shows every message byte for
// byte.
func TestProtocolDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range messages {
		if message := string(encodeAny(t, c.msg)); !strings.Contains(string(doc), "\n"+message+"\n") {
			t.Errorf("docs/protocol.md does not show %s:\n%s", c.name, message)
		}
	}
	for _, code := range codes {
		if !strings.Contains(string(doc), "`"+string(code)+"`") {
			t.Errorf("docs/protocol.md does not explain %s", code)
		}
	}
}

var codes = []Code{
	CodeBadJSON, CodeBadField, CodeUnknownAction, CodeTooBig, CodeDenied, CodeTokenExpired, CodeTokenBad,
	CodeTooManyTopics, CodeConflict, CodeNoStock, CodeLimit, CodeSlowDown, CodeBusy, CodeOldEpoch, CodeGoneVersion,
	CodeInternal, CodeBadTopic,
}

// TestEncodeDeltas checks that encoded entries give the bytes of Encode, split
// where a message would be too long.
func TestEncodeDeltas(t *testing.T) {
	topics := map[string]Value{}
	var entries []Entry
	for _, c := range messages {
		if d, ok := c.msg.(Delta); ok && c.name == "delta-both" {
			topics = d.Topics
		}
	}
	for _, name := range []string{"cart", "sku:TEE-RED-M"} {
		entries = append(entries, NewEntry(name, topics[name]))
	}
	got := EncodeDeltas("k3", entries, MaxMessage)
	if want := Encode(Delta{Epoch: "k3", Topics: topics}); len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := EncodeDeltas("k3", nil, MaxMessage); got != nil {
		t.Errorf("of nothing: got %s, want no message", got)
	}
	big := Entry(`"sku:A":{"pad":"` + strings.Repeat("x", 15_900) + `"}`)
	messages := EncodeDeltas("k3", []Entry{big, big, big}, MaxMessage)
	if len(messages) != 2 {
		t.Fatalf("three entries of 15.9 kB: got %d messages, want 2", len(messages))
	}
	for _, m := range messages {
		if len(m) > MaxMessage || !json.Valid(m) {
			t.Errorf("a message of %d bytes, valid %t", len(m), json.Valid(m))
		}
	}
}

// TestFullCartDelta checks that a delta of a full cart with all its tombstones is one
// message.
func TestFullCartDelta(t *testing.T) {
	cart := fullCart()
	cart.From = number(MaxVersion - 1)
	for i := range 100 {
		cart.Lines[longName(MaxLines+i)] = nil
	}
	entries := []Entry{NewEntry("cart:"+strings.Repeat("c", MaxSafeName), cart)}
	messages := EncodeDeltas(strings.Repeat("e", MaxSafeName), entries, MaxMessage)
	if len(messages) != 1 || len(messages[0]) > MaxMessage {
		t.Errorf("got %d messages, the first of %d bytes, want one of at most %d",
			len(messages), len(messages[0]), MaxMessage)
	}
}
