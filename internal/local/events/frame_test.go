package events_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/events"
)

const (
	jwt   = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln"
	guest = "guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln"

	ticket = "ABCDEFGHIJKLMNOPQRSTUVWX23"
	apiKey = "4f9c2ab07d1e6358f0a1b2c3d4e5f607"
)

func TestHubFrame(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       events.Frame
		private    string // the text with -show-private; "": as it is
	}{
		{
			"a delta", `{"type":"delta","epoch":"k3","topics":{"sku:MUG":{"version":43,"state":"low","quantity":2}}}`,
			events.Frame{
				Text:  `{"type":"delta","epoch":"k3","topics":{"sku:MUG":{"version":43,"state":"low","quantity":2}}}`,
				Topic: "sku:MUG", Version: 43,
			}, "",
		},
		{
			"a why", `{"type":"why","topic":"sku:MUG","version":5,"badge":{"version":5,"state":"in"},"reason":"quiet"}`,
			events.Frame{
				Text:  `{"type":"why","topic":"sku:MUG","version":5,"badge":{"version":5,"state":"in"},"reason":"quiet"}`,
				Topic: "sku:MUG", Version: 5,
			}, "",
		},
		{
			"a delta of two", `{"type":"delta","topics":{"sku:CAP":{"version":2},"sku:MUG":{"version":10}}}`,
			events.Frame{Text: `{"type":"delta","topics":{"sku:CAP":{"version":2},"sku:MUG":{"version":10}}}`}, "",
		},
		{
			"a cart", `{"type":"delta","topics":{"cart":{"from":17,"version":18,"lines":{"MUG":null,"CAP":{"quantity":2}}}}}`,
			events.Frame{Text: `{"type":"delta","topics":{"cart":{"from":17,"version":18,"lines":"[2 lines]"}}}`,
				Topic: "cart", Version: 18}, "",
		},
		{
			"an answer", `{"type":"ok","id":12,"key":"phone-7","from":18,"version":19,"lines":{"TEE":{"quantity":3}},` +
				`"clamped":{"TEE":{"wanted":5,"got":3}},"skipped":{"A":"unknown","B":"removed"},"ordered":{}}`,
			events.Frame{Text: `{"type":"ok","id":12,"key":"[7 bytes]","from":18,"version":19,"lines":"[1 lines]",` +
				`"clamped":"[1 lines]","skipped":"[2 lines]","ordered":"[0 lines]"}`, Topic: "cart", Version: 19}, "",
		},
		{
			"an add", ` { "action" : "add", "sku":"TEE-RED", "quantity":-1, "key":"k" } `,
			events.Frame{Text: `{"action":"add","sku":"[7 bytes]","quantity":-1,"key":"[1 bytes]"}`, Topic: "cart"},
			`{"action":"add","sku":"TEE-RED","quantity":-1,"key":"k"}`,
		},
		{
			"a set", `{"action":"set","lines":{"MUG":0,"TEE":2},"version":19}`,
			events.Frame{Text: `{"action":"set","lines":"[2 lines]","version":19}`, Topic: "cart", Version: 19}, "",
		},
		{
			"a sign-in", `{"action":"hello","id":2,"token":"` + jwt + `"}`,
			events.Frame{Text: `{"action":"hello","id":2,"token":"[44 bytes]"}`},
			`{"action":"hello","id":2,"token":"[44 bytes]"}`,
		},
		{
			"a token in another letter case", `{"action":"hello","TOKEN":"secret"}`,
			events.Frame{Text: `{"action":"hello","TOKEN":"[6 bytes]"}`}, `{"action":"hello","TOKEN":"[6 bytes]"}`,
		},
		{
			"a token with an escaped name", `{"action":"hello","tok\u0065n":"secret"}`,
			events.Frame{Text: `{"action":"hello","tok\u0065n":"[6 bytes]"}`}, `{"action":"hello","tok\u0065n":"[6 bytes]"}`,
		},
		{
			"a token that is no text", `{"action":"hello","token":{"a":["}",1]}}`,
			events.Frame{Text: `{"action":"hello","token":"[1 lines]"}`}, `{"action":"hello","token":"[1 lines]"}`,
		},
		{
			"a token in the wrong place", `{"action":"ping","id":"` + jwt + `"}`,
			events.Frame{Text: `{"action":"ping","id":"[44 bytes]"}`}, `{"action":"ping","id":"[44 bytes]"}`,
		},
		{
			"a merge", `{"action":"merge","from":"` + guest + `","policy":"sum"}`,
			events.Frame{Text: `{"action":"merge","from":"[35 bytes]","policy":"sum"}`, Topic: "cart"},
			`{"action":"merge","from":"[35 bytes]","policy":"sum"}`,
		},
		{
			"an answer to hello", `{"type":"hello","user":"ann","role":"customer","guestToken":"` + guest + `"}`,
			events.Frame{Text: `{"type":"hello","user":"ann","role":"customer","guestToken":"[35 bytes]"}`,
				User: "ann", Role: "customer"}, `{"type":"hello","user":"ann","role":"customer","guestToken":"[35 bytes]"}`,
		},
		{
			"a conflict", `{"type":"error","code":"conflict","message":"TEE was changed","version":20,"lines":{"TEE":{}}}`,
			events.Frame{Text: `{"type":"error","code":"conflict","message":"[15 bytes]","version":20,"lines":"[1 lines]"}`,
				Topic: "cart", Version: 20, Code: "conflict"}, "",
		},
		{
			"an error that quotes", `{"type":"error","code":"bad_field","message":"\"quantity\" of \"TEE \\\"x\" is wrong"}`,
			events.Frame{Text: `{"type":"error","code":"bad_field","message":"\"quantity\" of [9 bytes] is wrong"}`,
				Code: "bad_field"}, `{"type":"error","code":"bad_field","message":"\"quantity\" of [9 bytes] is wrong"}`,
		},
		{
			"a subscription", `{"action":"subscribe","topics":["sku:MUG"]}`,
			events.Frame{Text: `{"action":"subscribe","topics":["sku:MUG"]}`, Topic: "sku:MUG"}, "",
		},
		{
			"a resume", `{"action":"subscribe","topics":{"cart":17,"sku:MUG":{"version":9,"state":"out"}}}`,
			events.Frame{Text: `{"action":"subscribe","topics":{"cart":17,"sku:MUG":{"version":9,"state":"out"}}}`}, "",
		},
		{"broken JSON", `{"action":"hello","token":"secret"`, events.Frame{Text: "[34 bytes]"}, "[34 bytes]"},
		{"typed: sub", "sub cart MUG id=7", events.Frame{Text: "sub cart MUG id=7"}, ""},
		{"typed: add", "ADD TEE 2 key=k1", events.Frame{Text: "ADD [12 bytes]"}, ""},
		{"typed: checkout", "checkout v18 key=order-7", events.Frame{Text: "checkout v18 key=[7 bytes]"}, ""},
		{"typed: hello", "hello token=secret", events.Frame{Text: "hello token=[6 bytes]"}, "hello token=[6 bytes]"},
		{"typed: merge", "merge " + guest + " max", events.Frame{Text: "merge [39 bytes]"}, "merge [39 bytes]"},
		{"typed: a token alone", "secret", events.Frame{Text: "[6 bytes]"}, "[6 bytes]"},
		{"typed: add alone", "add", events.Frame{Text: "add"}, ""},
		{"nothing", "", events.Frame{}, ""},
		{
			"unknown members", `{"action":"hello","Authorization":"secret","pin":1234,"x":{"y":"secret"},"ID":"secret"}`,
			events.Frame{Text: `{"action":"hello","Authorization":"[6 bytes]","pin":"[4 bytes]",` +
				`"x":"[1 lines]","ID":"[6 bytes]"}`},
			`{"action":"hello","Authorization":"[6 bytes]","pin":"[4 bytes]","x":"[1 lines]","ID":"[6 bytes]"}`,
		},
		{
			"an unknown action", `{"action":"secret","version":"secret"}`,
			events.Frame{Text: `{"action":"[6 bytes]","version":"[6 bytes]"}`}, `{"action":"[6 bytes]","version":"[6 bytes]"}`,
		},
		{
			"no topics", `{"action":"get","topics":["token:secret","MUG","sku:MUG"],"topic":"x:secret"}`,
			events.Frame{Text: `{"action":"get","topics":["[12 bytes]","MUG","sku:MUG"],"topic":"[8 bytes]"}`},
			`{"action":"get","topics":["[12 bytes]","MUG","sku:MUG"],"topic":"[8 bytes]"}`,
		},
		{
			"one that is no topic", `{"action":"get","topics":["token:secret"]}`,
			events.Frame{Text: `{"action":"get","topics":["[12 bytes]"]}`}, `{"action":"get","topics":["[12 bytes]"]}`,
		},
		{
			"a resume of no topic", `{"action":"subscribe","topics":{"token:secret":{"version":"secret","token":"secret"}}}`,
			events.Frame{Text: `{"action":"subscribe","topics":{"[12 bytes]":{"version":"[6 bytes]","token":"[6 bytes]"}}}`},
			`{"action":"subscribe","topics":{"[12 bytes]":{"version":"[6 bytes]","token":"[6 bytes]"}}}`,
		},
		{
			"topics that are a text", `{"action":"get","topics":"secret"}`,
			events.Frame{Text: `{"action":"get","topics":"[6 bytes]"}`}, `{"action":"get","topics":"[6 bytes]"}`,
		},
		{
			"all topics", `{"action":"get","topics":"*"}`, events.Frame{Text: `{"action":"get","topics":"*"}`}, "",
		},
		{
			"a refusal", `{"type":"snapshot","topics":{},"refused":{"token:secret":"bad_topic","sku:NO":"denied"}}`,
			events.Frame{Text: `{"type":"snapshot","topics":{},"refused":{"[12 bytes]":"bad_topic","sku:NO":"denied"}}`},
			`{"type":"snapshot","topics":{},"refused":{"[12 bytes]":"bad_topic","sku:NO":"denied"}}`,
		},
		{"typed: a word too many", "hello secret", events.Frame{Text: "hello [6 bytes]"}, "hello [6 bytes]"},
		{"typed: no topic", `get token:secret "x:y z" cart`, events.Frame{Text: "get [12 bytes] [7 bytes] cart"},
			"get [12 bytes] [7 bytes] cart"},
		{"typed: an unknown option", "sub MUG authorization=secret",
			events.Frame{Text: "sub MUG [20 bytes]"}, "sub MUG [20 bytes]"},
		{"typed: a topic in quotes", `only "sku:RED CAP"@7 MUG@9 epoch=k3`,
			events.Frame{Text: `only "sku:RED CAP"@7 MUG@9 epoch=k3`}, ""},
		{"typed: stock", `stock MUG "RED CAP" token:secret`, events.Frame{Text: `stock MUG "RED CAP" [12 bytes]`},
			`stock MUG "RED CAP" [12 bytes]`},
		{"typed: tokens as SKUs", "sub " + jwt[:20] + " " + guest + " " + ticket + " " + apiKey + " MUG@9",
			events.Frame{Text: "sub [20 bytes] [35 bytes] [26 bytes] [32 bytes] MUG@9"},
			"sub [20 bytes] [35 bytes] [26 bytes] [32 bytes] MUG@9"},
		{
			"a key as a SKU", `{"action":"get","topics":["sku:` + apiKey + `"]}`,
			events.Frame{Text: `{"action":"get","topics":["sku:[32 bytes]"]}`, Topic: "sku:" + apiKey},
			`{"action":"get","topics":["sku:[32 bytes]"]}`,
		},
		{"typed: help", "help secret", events.Frame{Text: "help [6 bytes]"}, "help [6 bytes]"},
		{"typed: help about", "help add", events.Frame{Text: "help add"}, ""},
		{"typed: pretty", "pretty on", events.Frame{Text: "pretty on"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := events.HubFrame(false)([]byte(tt.text)); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			private := tt.private
			if private == "" {
				private = tt.text
			}
			if got := events.HubFrame(true)([]byte(tt.text)); got.Text != private {
				t.Errorf("with carts: got  %s\nwant %s", got.Text, private)
			}
		})
	}
}

// mask matches what is masked, and secret the members that are.
var (
	mask   = regexp.MustCompile(`\[\d+ (bytes|lines)\]`)
	secret = regexp.MustCompile(`"(token|guestToken|from)":\s*"`)
)

// TestHubFrameReadsAllMessages reads each message of the protocol: what is masked is JSON
// still, and nothing secret is left.
func TestHubFrameReadsAllMessages(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/protocol/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := events.HubFrame(false)(text).Text
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: got %s", file, got)
		}
		for _, secret := range []string{"eyJ", "phone-7", "order-", "login-", "wanted"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s: %q is in %s", file, secret, got)
			}
		}
		private := events.HubFrame(true)(text).Text
		if !json.Valid([]byte(private)) || strings.Contains(private, "eyJ") {
			t.Errorf("%s: with carts got %s", file, private)
		}
		masked := len(mask.FindAllString(private, -1))
		if secrets := len(secret.FindAllString(string(text), -1)); masked != secrets {
			t.Errorf("%s: %d of %d members are masked: the log does not know one: %s", file, masked, secrets, private)
		}
	}
}

func TestHubAnswerMasksWords(t *testing.T) {
	const text = "cart: TEE 2 (version 7)"
	if got := events.HubAnswer(false)([]byte(text)); got != (events.Frame{Text: "[23 bytes]"}) {
		t.Errorf("got %+v", got)
	}
	if got := events.HubAnswer(true)([]byte(text + " " + jwt)); got.Text != text+" [44 bytes]" {
		t.Errorf("with carts: got %+v", got)
	}
}

func TestOpenFrame(t *testing.T) {
	got := events.OpenFrame([]byte(`{"lines":[1],"jwt":"` + jwt + `"} ` + guest))
	if want := `{"lines":[1],"jwt":"[44 bytes]"} [35 bytes]`; got.Text != want {
		t.Errorf("got %s, want %s", got.Text, want)
	}
}

// FuzzHubFrame checks that no text makes the reader panic, and that masked JSON is JSON.
func FuzzHubFrame(f *testing.F) {
	f.Add([]byte(`{"action":"add","sku":"TEE","lines":{"a":{"b":[1,"]"]}},"topics":{"cart":{"lines":{}}}}`))
	f.Add([]byte(`{"topics":[],"message":"\"","code":1,"from":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := events.HubFrame(false)(text).Text
		if len(text) < events.MaxText/8 && json.Valid(text) && text[0] == '{' && !json.Valid([]byte(got)) {
			t.Errorf("%q became %q", text, got)
		}
	})
}
