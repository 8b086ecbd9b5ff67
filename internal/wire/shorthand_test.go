package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func id(text string) json.RawMessage { return json.RawMessage(text) }

func TestShorthand(t *testing.T) {
	const token = "guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln"
	for _, tt := range []struct {
		line string
		want Request
	}{
		{"hello", Request{Action: ActionHello}},
		{"hello token=" + token, Request{Action: ActionHello, Token: token}},
		{"why", Request{Action: ActionWhy}},
		{"WHY MUG", Request{Action: ActionWhy, Topic: "sku:MUG"}},
		{"why sku:MUG@4 epoch=k3", Request{Action: ActionWhy, Topic: "sku:MUG", Version: number(4), Epoch: "k3"}},
		{"why cart@0", Request{Action: ActionWhy, Topic: "cart", Version: number(0)}},
		{`why "sku:RED CAP"@7 id=3`, Request{Action: ActionWhy, ID: id("3"), Topic: "sku:RED CAP", Version: number(7)}},
		{"ping", Request{Action: ActionPing}},
		{"help", Request{Action: ActionHelp}},
		{"  ping \t\n", Request{Action: ActionPing}},

		{"sub cart", Request{Action: ActionSubscribe, Topics: []Topic{{Name: "cart"}}}},
		{"subscribe cart", Request{Action: ActionSubscribe, Topics: []Topic{{Name: "cart"}}}},
		{
			"sub sku:TEE-RED-M cart",
			Request{Action: ActionSubscribe, Topics: []Topic{{Name: "sku:TEE-RED-M"}, {Name: "cart"}}},
		},
		{"sub cart cart", Request{Action: ActionSubscribe, Topics: []Topic{{Name: "cart"}}}},
		{
			"sub sku:MUG@9 cart@17",
			Request{
				Action: ActionSubscribe, Topics: []Topic{{Name: "cart", Version: 17}, {Name: "sku:MUG", Version: 9}},
			},
		},
		{
			"sub sku:MUG@9 cart",
			Request{Action: ActionSubscribe, Topics: []Topic{{Name: "cart"}, {Name: "sku:MUG", Version: 9}}},
		},
		{
			"sub sku:MUG@9 epoch=k3",
			Request{Action: ActionSubscribe, Epoch: "k3", Topics: []Topic{{Name: "sku:MUG", Version: 9}}},
		},
		{
			"sub sku:MUG cart epoch=k3",
			Request{Action: ActionSubscribe, Epoch: "k3", Topics: []Topic{{Name: "sku:MUG"}, {Name: "cart"}}},
		},
		{"only cart", Request{Action: ActionSubscribe, Only: true, Topics: []Topic{{Name: "cart"}}}},
		{"only", Request{Action: ActionSubscribe, Only: true, Topics: []Topic{}}},
		{"unsub sku:MUG", Request{Action: ActionUnsubscribe, Topics: []Topic{{Name: "sku:MUG"}}}},
		{"unsubscribe sku:MUG", Request{Action: ActionUnsubscribe, Topics: []Topic{{Name: "sku:MUG"}}}},
		{"unsub *", Request{Action: ActionUnsubscribe, All: true}},
		{"get sku:MUG", Request{Action: ActionGet, Topics: []Topic{{Name: "sku:MUG"}}}},
		{
			"get vendor:acme after=CAP-NAVY",
			Request{Action: ActionGet, Topics: []Topic{{Name: "vendor:acme"}}, After: "CAP-NAVY"},
		},

		{"SUB MUG cart sku:CAP", Request{Action: ActionSubscribe, Topics: []Topic{
			{Name: "sku:MUG"}, {Name: "cart"}, {Name: "sku:CAP"},
		}}},
		{"Only MUG@3", Request{Action: ActionSubscribe, Only: true, Topics: []Topic{{Name: "sku:MUG", Version: 3}}}},
		{"unsub MUG", Request{Action: ActionUnsubscribe, Topics: []Topic{{Name: "sku:MUG"}}}},
		{`get MUG "sku:RED CAP"`, Request{Action: ActionGet, Topics: []Topic{{Name: "sku:MUG"}, {Name: "sku:RED CAP"}}}},
		{`stock MUG "RED CAP" sku:CAP cart`, Request{Action: ActionGet, Topics: []Topic{
			{Name: "sku:MUG"}, {Name: "sku:RED CAP"}, {Name: "sku:CAP"}, {Name: "sku:cart"},
		}}},
		{"ls", Request{Action: ActionGet, All: true}},
		{"get *", Request{Action: ActionGet, All: true}},
		{"who", Request{Action: ActionHello}},
		{"PING", Request{Action: ActionPing}},
		{"pretty on", Request{Action: ActionHello, Pretty: &[]bool{true}[0]}},
		{"pretty OFF", Request{Action: ActionHello, Pretty: &[]bool{false}[0]}},
		{"?", Request{Action: ActionHelp}},
		{"help add", Request{Action: ActionHelp, About: "add"}},
		{"? SUB", Request{Action: ActionHelp, About: "sub"}},

		{"add MUG", Request{Action: ActionAdd, SKU: "MUG", Quantity: 1}},
		{"add 7", Request{Action: ActionAdd, SKU: "7", Quantity: 1}},
		{"add TEE-RED-M 2", Request{Action: ActionAdd, SKU: "TEE-RED-M", Quantity: 2}},
		{"add MUG -1", Request{Action: ActionAdd, SKU: "MUG", Quantity: -1}},
		{"add MUG -999 key=a", Request{Action: ActionAdd, SKU: "MUG", Quantity: -999, Key: "a"}},
		{"add MUG 2 key=phone-7.41", Request{Action: ActionAdd, SKU: "MUG", Quantity: 2, Key: "phone-7.41"}},
		{"add key=a=b MUG", Request{Action: ActionAdd, SKU: "MUG", Quantity: 1, Key: "a=b"}},
		{"set MUG 0", Request{Action: ActionSet, Lines: []LineChange{{"MUG", 0}}}},
		{"set TEE-RED-M 1 v18", Request{Action: ActionSet, Lines: []LineChange{{"TEE-RED-M", 1}}, Version: number(18)}},
		{
			"set TEE-RED-M 1 MUG 2 v18 epoch=k3",
			Request{Action: ActionSet, Lines: []LineChange{{"MUG", 2}, {"TEE-RED-M", 1}}, Version: number(18), Epoch: "k3"},
		},
		{"set v18 5", Request{Action: ActionSet, Lines: []LineChange{{"v18", 5}}}},
		{"set v18 5 v19", Request{Action: ActionSet, Lines: []LineChange{{"v18", 5}}, Version: number(19)}},
		{"set MUG 1 v0", Request{Action: ActionSet, Lines: []LineChange{{"MUG", 1}}, Version: number(0)}},
		{"set 12 34", Request{Action: ActionSet, Lines: []LineChange{{"12", 34}}}},
		{"merge " + token, Request{Action: ActionMerge, From: token, Policy: PolicySum}},
		{
			"merge " + token + " theirs key=login-88",
			Request{Action: ActionMerge, From: token, Policy: PolicyTheirs, Key: "login-88"},
		},
		{"checkout", Request{Action: ActionCheckout}},
		{"checkout v0", Request{Action: ActionCheckout, Version: number(0)}},
		{
			"checkout v21 key=order-7 epoch=k3",
			Request{Action: ActionCheckout, Version: number(21), Key: "order-7", Epoch: "k3"},
		},

		{"ping id=7", Request{Action: ActionPing, ID: id(`7`)}},
		{"ping id=again", Request{Action: ActionPing, ID: id(`"again"`)}},
		{`ping id="again"`, Request{Action: ActionPing, ID: id(`"again"`)}},
		{`ping id="7"`, Request{Action: ActionPing, ID: id(`"7"`)}},
		{"ping id=null", Request{Action: ActionPing, ID: id(`null`)}},
		{"ping id=", Request{Action: ActionPing, ID: id(`""`)}},
		{"ping id=1.50", Request{Action: ActionPing, ID: id(`1.50`)}},
		{"ping id=01", Request{Action: ActionPing, ID: id(`"01"`)}},
		{`ping id="a b"`, Request{Action: ActionPing, ID: id(`"a b"`)}},
		{"ping id=\"a\u00a0b \u3000c\"", Request{Action: ActionPing, ID: id("\"a\u00a0b \u3000c\"")}},
		{`ping id="say \"a b\""`, Request{Action: ActionPing, ID: id(`"say \"a b\""`)}},
		{`ping id="\ud83d"`, Request{Action: ActionPing, ID: id(`"\"\\ud83d\""`)}}, // not JSON, so a string
		{`get id="a b" cart`, Request{Action: ActionGet, ID: id(`"a b"`), Topics: []Topic{{Name: "cart"}}}},
		{`get id="a cart`, Request{Action: ActionGet, ID: id(`"\"a"`), Topics: []Topic{{Name: "cart"}}}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			if got := accept(t, tt.line, true); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// typedTopics returns a line that subscribes to n topics.
func typedTopics(n int) string {
	line := "sub"
	for i := range n {
		line += fmt.Sprintf(" sku:N%d", i)
	}
	return line
}

func TestShorthandRefuses(t *testing.T) {
	for _, tt := range []struct {
		line string
		want Code
	}{
		{"", CodeBadJSON},
		{" \t\u00a0\n", CodeBadJSON},
		{"7", CodeBadJSON}, // a JSON value, but not a message
		{`"ping"`, CodeBadJSON},
		{"null", CodeBadJSON},
		{"{ping}", CodeBadJSON},
		{"[ping", CodeBadJSON},

		{"buy MUG", CodeUnknownAction},
		{"id=1 ping", CodeUnknownAction},
		{`"ping`, CodeUnknownAction},
		{"\u00a0{\"action\":\"ping\"}", CodeUnknownAction},

		{"ping pong", CodeBadField},
		{"hello you", CodeBadField},
		{"help fly", CodeBadField},
		{"pretty", CodeBadField},
		{"pretty please", CodeBadField},
		{"help sub cart", CodeBadField},
		{"ls cart", CodeBadField},
		{"why MUG cart", CodeBadField},
		{"why *", CodeBadField},
		{"why @1", CodeBadField},
		{"why MUG@x", CodeBadField},
		{"why epoch=k3", CodeBadField},
		{"who am I", CodeBadField},
		{"sub", CodeBadField},
		{"sub epoch=k3", CodeBadField},
		{"sub cart@", CodeBadField},
		{"sub cart@x", CodeBadField},
		{"sub cart@-1", CodeBadField},
		{"sub cart@1.0", CodeBadField},
		{"sub cart@007", CodeBadField},
		{"sub cart@+7", CodeBadField},
		{"sub cart@9007199254740992", CodeBadField},
		{"sub cart@1 cart@2", CodeBadField},
		{"sub cart@1 cart", CodeBadField},
		{"sub @1", CodeBadField},
		{"sub *", CodeBadField},
		{"unsub * cart", CodeBadField},
		{"get cart@1", CodeBadField},
		{"add MUG 0", CodeBadField},
		{"add MUG 1000", CodeBadField},
		{"add MUG -1000", CodeBadField},
		{"add MUG -0", CodeBadField},
		{"add MUG +1", CodeBadField},
		{"add MUG -01", CodeBadField},
		{"add MUG two", CodeBadField},
		{"add MUG 1e2", CodeBadField},
		{"add MUG 02", CodeBadField},
		{"add MUG 1 2", CodeBadField},
		{"set", CodeBadField},
		{"set MUG", CodeBadField},
		{"set v18", CodeBadField},
		{"set MUG 1 TEE", CodeBadField},
		{"set MUG 1 18", CodeBadField},
		{"set MUG 1 v", CodeBadField},
		{"set MUG 1 v-1", CodeBadField},
		{"set MUG 1 v18 v19", CodeBadField},
		{"set MUG 1 MUG 2", CodeBadField},
		{"set MUG one", CodeBadField},
		{"set MUG -0", CodeBadField},
		{"merge", CodeBadField},
		{"merge a most", CodeBadField},
		{"merge a sum b", CodeBadField},
		{"checkout 21", CodeBadField},
		{"checkout v", CodeBadField},
		{"checkout v1e2", CodeBadField},
		{"checkout v21 v21", CodeBadField},
		{"add MUG colour=red", CodeBadField},
		{"add MUG quantity=2", CodeBadField},
		{"add MUG Key=a", CodeBadField},
		{"add MUG =a", CodeBadField},
		{"add MUG key=", CodeBadField},
		{"add MUG key=é", CodeBadField},
		{"add MUG key=a key=a", CodeBadField},
		{"ping id=1 id=1", CodeBadField},
		{"ping id=[]", CodeBadField},
		{`ping id={"a":1}`, CodeBadField},
		{`ping id="` + strings.Repeat("i", 127) + `"`, CodeBadField},
		{"hello token=a+b", CodeBadField},
		{typedTopics(101), CodeTooManyTopics},
	} {
		t.Run(Clip(tt.line), func(t *testing.T) {
			refuse(t, tt.line, true, tt.want)
		})
	}
}

// TestVerbAlone: an answer to a verb that needs more says what to type, and names no field of
// JSON. Options are not what it needs.
func TestVerbAlone(t *testing.T) {
	refused := 0
	for _, verb := range append(slices.Clone(Verbs), "ADD") {
		_, err := Decode([]byte(verb), true)
		if err == nil {
			continue
		}
		refused++
		c, _ := commandOf(verb)
		want := fmt.Sprintf("type %s; \"help %s\" says more", c.form, c.names[0])
		for _, line := range []string{verb, verb + " id=7", verb + " key=K"} {
			_, err := Decode([]byte(line), true)
			if e, ok := err.(*Error); !ok || e.Message != want && e.Message != "type pretty on, or pretty off" {
				t.Errorf("%s: got %v, want %q", line, err, want)
			}
		}
	}
	if refused != 7 {
		t.Errorf("%d verbs are refused alone, want 7", refused)
	}
}

func TestShorthandEchoesID(t *testing.T) {
	for _, line := range []string{
		"buy id=7", "add id=7", "ping pong id=7", "sub cart@x id=7", "add MUG 0 id=7", "ping colour=red id=7",
		"add MUG key= id=7",
	} {
		t.Run(line, func(t *testing.T) {
			_, err := Decode([]byte(line), true)
			if e, ok := err.(*Error); !ok || string(e.ID) != "7" {
				t.Errorf("got %+v, want an error with id 7", err)
			}
		})
	}
}

// TestShorthandIsASetting checks that JSON is always accepted, and a typed line
// only with the setting.
func TestShorthandIsASetting(t *testing.T) {
	accept(t, `{"action":"ping"}`, true)
	accept(t, `{"action":"ping"}`, false)
	accept(t, "ping", true)
	refuse(t, "ping", false, CodeBadJSON)
}

// TestUsage checks that every verb in Usage exists, that there is more about it, and that a
// terminal has room for each line.
func TestUsage(t *testing.T) {
	if n := len(strings.Join(Usage, "\n")); n > 1000 || len(Usage) > 17 {
		t.Errorf("the list has %d lines and %d bytes, which nobody reads", len(Usage), n)
	}
	for _, c := range commands {
		for _, name := range c.names {
			_, err := Decode([]byte(name), true)
			if e, ok := err.(*Error); ok && e.Code == CodeUnknownAction {
				t.Errorf("usage shows %q: got %v, want it known", name, err)
			}
			for _, line := range append(Usage, UsageOf(name)...) {
				if n := utf8.RuneCountInString(line); n > 80 {
					t.Errorf("%q has %d columns", line, n)
				}
			}
		}
	}
}

// TestDidYouMean: an unknown word is answered with the nearest one, or with none.
func TestDidYouMean(t *testing.T) {
	for line, want := range map[string]string{
		"subb MUG": `did you mean "sub"?`, "ad MUG": `did you mean "add"?`, "chekcout": `did you mean "checkout"?`,
		"HLEP": `did you mean "help"?`, "subscribee x": `did you mean "subscribe"?`, "stok MUG": `did you mean "stock"?`,
		"buy MUG": `type "help" for a list`, "x": `type "help" for a list`, "dance": `type "help" for a list`,
		"help ad": `did you mean "add"?`,
		"sbu x":   `did you mean "sub"?`, "gte x": `did you mean "get"?`, "hepl": `did you mean "help"?`,
		"wyh MUG": `did you mean "why"?`,
	} {
		_, err := Decode([]byte(line), true)
		if e, ok := err.(*Error); !ok || !strings.Contains(e.Message, want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

// TestGoldenShorthand checks that every message of the documentation can be typed.
func TestGoldenShorthand(t *testing.T) {
	for _, c := range messages {
		if r, ok := c.msg.(Request); ok {
			t.Run(c.name, func(t *testing.T) { wantOneGrammar(t, r) })
		}
	}
}

// withoutShown returns the request without the values that its client shows.
func withoutShown(r Request) Request {
	topics := slices.Clone(r.Topics) // nil stays nil
	for i := range topics {
		topics[i].Shown = nil
	}
	r.Topics = topics
	return r
}

// wantOneGrammar checks that a request and its JSON bytes are unchanged after a
// trip through JSON and through shorthand.
func wantOneGrammar(t rapid.TB, r Request) {
	t.Helper()
	data, err := r.MarshalJSON()
	if err != nil {
		t.Fatalf("encode %+v: %v", r, err)
	}
	if len(data) > MaxMessage {
		t.Fatalf("%d bytes of JSON, want at most %d", len(data), MaxMessage)
	}
	for _, shorthand := range []bool{false, true} {
		back, err := Decode(data, shorthand)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Fatalf("JSON %s\n got %+v, %v\nwant %+v", data, back, err, r)
		}
	}
	r = withoutShown(r) // a person types versions
	if data, err = r.MarshalJSON(); err != nil {
		t.Fatalf("encode %+v: %v", r, err)
	}
	line := r.Shorthand()
	back, err := Decode([]byte(line), true)
	if err != nil || !reflect.DeepEqual(back, r) {
		t.Fatalf("shorthand %s\n got %+v, %v\nwant %+v", line, back, err, r)
	}
	if again, err := back.MarshalJSON(); err != nil || !bytes.Equal(again, data) {
		t.Fatalf("JSON after shorthand %s\n got %s, %v\nwant %s", line, again, err, data)
	}
}

// TestOneGrammar runs wantOneGrammar with random requests.
func TestOneGrammar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { wantOneGrammar(t, requests().Draw(t, "request")) })
}

// safeNames generates names of epochs and guests, and SKUs as they mostly are, also
// ones that look like other words of a line.
func safeNames() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[A-Za-z0-9._~-]{1,64}`),
		rapid.StringMatching(`v[0-9]{1,3}`),
		rapid.SampledFrom([]string{
			"MUG", "TEE-RED-M", "0", "18", "v18", "only", "sum", "id", "null", "true", "-", strings.Repeat("n", MaxSafeName),
		}),
	)
}

// names generates names of SKUs.
func names() *rapid.Generator[string] {
	return rapid.OneOf(safeNames(), rapid.String().Filter(IsName), rapid.StringOf(
		rapid.RuneFrom([]rune("aé😀 \"\\=@*/:#%&+v1{}[]"))).Filter(IsName))
}

func topicNames() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Just("cart"),
		rapid.Map(names(), func(n string) string { return "sku:" + n }),
		rapid.Map(names(), func(n string) string { return "vendor:" + n }),
		rapid.StringMatching(`[A-Za-z0-9._~:-]{1,71}`),
		rapid.String(), // the decoder accepts any text
	)
}

// ids generates ids in any allowed spelling, and nil.
func ids() *rapid.Generator[json.RawMessage] {
	fits := func(r json.RawMessage) bool { return len(r) <= MaxID }
	quoted := rapid.Map(rapid.String(), func(s string) json.RawMessage { return quote(s) })
	blanks := rapid.Map(
		rapid.StringOf(rapid.RuneFrom([]rune("ab\"\\= \t\n\u0085\u00a0\u2003\u2028\u3000<&>😀"))),
		func(s string) json.RawMessage { return quote(s) },
	)
	return rapid.OneOf(
		rapid.Just(json.RawMessage(nil)),
		rapid.Map(rapid.Int64(), func(n int64) json.RawMessage { return quote(n) }),
		rapid.Map(rapid.Float64Range(-1e300, 1e300), func(f float64) json.RawMessage { return quote(f) }),
		rapid.SampledFrom([]json.RawMessage{
			id(`null`), id(`true`), id(`false`), id(`""`), id(`0`), id(`-0`), id(`1.50`), id(`1E+9`), id(`"1"`), id(`"null"`),
			id("\"a\u2028b\""), id(`"\u0061\/\u0020"`), id(`"\ud83d\ude00"`), id(`"` + strings.Repeat(" ", MaxID-2) + `"`),
		}),
		quoted.Filter(fits),
		blanks.Filter(fits),
	)
}

func requests() *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		r := Request{Action: rapid.SampledFrom(Actions).Draw(t, "action"), ID: ids().Draw(t, "id")}
		maybe := func(g *rapid.Generator[string], label string) string {
			return rapid.OneOf(rapid.Just(""), g).Draw(t, label)
		}
		token := rapid.OneOf(
			rapid.StringMatching(`guest\.[A-Za-z0-9_-]{1,20}\.[A-Za-z0-9_-]{1,20}`),
			rapid.Just(strings.Repeat("t", MaxToken)), safeNames(),
		)
		key := rapid.StringMatching(`[!-~]{1,64}`)
		version := rapid.Int64Range(0, MaxVersion)
		switch r.Action {
		case ActionHello:
			r.Token = maybe(token, "token")
		case ActionSubscribe:
			r.Epoch = maybe(safeNames(), "epoch")
			r.Only = rapid.Bool().Draw(t, "only")
			least := 1
			if r.Only {
				least = 0
			}
			r.Topics = topics(t, least)
			if rapid.Bool().Draw(t, "versions") {
				for i := range r.Topics {
					r.Topics[i].Version = version.Draw(t, "version")
				}
				// An object has no order: Decode sorts it.
				if hasVersion(r.Topics) {
					slices.SortFunc(r.Topics, func(a, b Topic) int { return cmp.Compare(a.Name, b.Name) })
				}
			}
		case ActionUnsubscribe:
			if r.All = rapid.Bool().Draw(t, "all"); !r.All {
				r.Topics = topics(t, 0)
			}
		case ActionGet:
			r.Topics = topics(t, 0)
			r.After = maybe(names(), "after")
		case ActionAdd:
			r.SKU = names().Draw(t, "sku")
			quantity := rapid.IntRange(-MaxQuantity, MaxQuantity).Filter(func(n int) bool { return n != 0 })
			r.Quantity = quantity.Draw(t, "quantity")
			r.Key = maybe(key, "key")
		case ActionSet:
			for _, sku := range rapid.SliceOfNDistinct(names(), 1, 8, rapid.ID[string]).Draw(t, "skus") {
				r.Lines = append(r.Lines, LineChange{sku, rapid.IntRange(0, MaxQuantity).Draw(t, "quantity")})
			}
			slices.SortFunc(r.Lines, func(a, b LineChange) int { return cmp.Compare(a.SKU, b.SKU) })
			r.Version = rapid.Ptr(version, true).Draw(t, "version")
			r.Epoch = maybe(safeNames(), "epoch")
			r.Key = maybe(key, "key")
		case ActionCheckout:
			r.Version = rapid.Ptr(version, true).Draw(t, "version")
			r.Epoch = maybe(safeNames(), "epoch")
			r.Key = maybe(key, "key")
		case ActionWhy:
			if r.Topic = maybe(topicNames(), "topic"); r.Topic != "" {
				r.Version = rapid.Ptr(version, true).Draw(t, "version")
				r.Epoch = maybe(safeNames(), "epoch")
			}
		case ActionMerge:
			r.From = token.Draw(t, "from")
			r.Policy = rapid.SampledFrom([]Policy{PolicySum, PolicyMax, PolicyMine, PolicyTheirs}).Draw(t, "policy")
			r.Key = maybe(key, "key")
		}
		return r
	})
}

func topics(t *rapid.T, least int) []Topic {
	list := []Topic{}
	for _, name := range rapid.SliceOfNDistinct(topicNames(), least, 8, rapid.ID[string]).Draw(t, "topics") {
		list = append(list, Topic{Name: name})
	}
	return list
}

// TestLargestRequests checks that requests that reach all limits at once still fit.
func TestLargestRequests(t *testing.T) {
	epoch := strings.Repeat("N", MaxSafeName)
	subscribe := Request{
		Action: ActionSubscribe, ID: id(`"` + strings.Repeat(" ", MaxID-2) + `"`), Epoch: epoch, Only: true,
	}
	for i := range MaxTopics {
		subscribe.Topics = append(subscribe.Topics, Topic{Name: longestTopic(i), Version: MaxVersion})
	}
	set := Request{Action: ActionSet, Version: number(MaxVersion), Epoch: epoch, Key: strings.Repeat("~", MaxKey)}
	for i := range MaxLines {
		set.Lines = append(set.Lines, LineChange{longName(i), MaxQuantity})
	}
	for _, r := range []Request{subscribe, set} {
		t.Run(string(r.Action), func(t *testing.T) { wantOneGrammar(t, r) })
	}
}

// TestVerbsAndOptions: typed lines have exactly the words that Verbs and Options list, for
// those who read messages without decoding them.
func TestVerbsAndOptions(t *testing.T) {
	for _, verb := range append(Verbs, "dance") {
		_, err := Decode([]byte(verb), true)
		var failed *Error
		unknown := errors.As(err, &failed) && failed.Code == CodeUnknownAction
		if unknown != (verb == "dance") {
			t.Errorf("%s: got %v", verb, err)
		}
	}
	for _, action := range Actions {
		if !slices.Contains(Verbs, string(action)) {
			t.Errorf("the action %s is no verb", action)
		}
	}
	for _, option := range append(Options, "quantity") {
		_, err := Decode([]byte("ping "+option+"=x"), true)
		if unknown := err != nil && strings.Contains(err.Error(), "unknown option"); unknown != (option == "quantity") {
			t.Errorf("%s: got %v", option, err)
		}
	}
}
