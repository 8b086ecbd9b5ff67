package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// testNames returns the names of testdata/names.json, which the tests of the other
// packages and of the browser module read too.
func testNames(t testing.TB) (good, bad []string) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/names.json")
	if err != nil {
		t.Fatal(err)
	}
	var names struct{ Good, Bad []string }
	if err := json.Unmarshal(data, &names); err != nil || len(names.Good) == 0 || len(names.Bad) == 0 {
		t.Fatalf("testdata/names.json: got %d good and %d bad names, %v", len(names.Good), len(names.Bad), err)
	}
	return names.Good, names.Bad
}

// TestNames tries each name in every place that a message has for one, as JSON and
// typed.
func TestNames(t *testing.T) {
	good, bad := testNames(t)
	bad = append(bad, "\xff", "A\xc3", "\xed\xa0\x80") // not UTF-8
	for _, name := range good {
		t.Run(Clip(name), func(t *testing.T) {
			if !IsName(name) {
				t.Fatalf("%q is not a name", name)
			}
			for _, r := range []Request{
				{Action: ActionSubscribe, Topics: []Topic{{Name: "sku:" + name}, {Name: "vendor:" + name}}},
				{Action: ActionSubscribe, Topics: []Topic{{Name: "sku:" + name, Version: 7}}},
				{Action: ActionUnsubscribe, Topics: []Topic{{Name: "sku:" + name}}},
				{Action: ActionGet, Topics: []Topic{{Name: "vendor:" + name}}, After: name},
				{Action: ActionAdd, SKU: name, Quantity: 2},
				{Action: ActionSet, Lines: []LineChange{{name, 2}}},
				{Action: ActionSet, Lines: []LineChange{{name, 2}}, Version: number(3)},
			} {
				wantOneGrammar(t, r)
			}
		})
	}
	for _, name := range bad {
		t.Run(fmt.Sprintf("not %q", Clip(name)), func(t *testing.T) {
			if IsName(name) {
				t.Fatalf("%q is a name", name)
			}
			if !utf8.ValidString(name) {
				return // no JSON text can hold it
			}
			text, rule := string(quote(name)), NotAName("SKU", name)
			for _, message := range []string{
				`{"action":"add","sku":` + text + `}`, `{"action":"set","lines":{` + text + `:1}}`,
				`{"action":"get","topics":[],"after":` + text + `}`, `add ` + text, `set ` + text + ` 1`, `get after=` + text,
			} {
				if e := refuse(t, message, true, CodeBadField); e.Message != rule {
					t.Errorf("%s: got %q, want %q", message, e.Message, rule)
				}
			}
		})
	}
	refuse(t, `{"action":"add","sku":"\ud83d"}`, false, CodeBadJSON)
}

// TestSafeNames checks that every name that a cart can have is also one of a SKU.
func TestSafeNames(t *testing.T) {
	for _, name := range []string{"a", ".", "..", "u~alice", strings.Repeat("n", MaxSafeName)} {
		if !IsSafeName(name) || !IsName(name) {
			t.Errorf("%q: safe %t, a name %t, want both", name, IsSafeName(name), IsName(name))
		}
	}
	for _, name := range []string{"", "a b", "a:b", "ä", "a/b", strings.Repeat("n", MaxSafeName+1)} {
		if IsSafeName(name) {
			t.Errorf("%q is a safe name", name)
		}
	}
}

// TestTextSize compares TextSize with the encoder.
func TestTextSize(t *testing.T) {
	good, _ := testNames(t)
	for _, s := range good {
		if got, want := TextSize(s), len(quote(s))-len(`""`); got != want {
			t.Errorf("%q: got %d bytes, want %d", s, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).
			Draw(t, "text")
		if got, least := TextSize(s), len(quote(s))-len(`""`); got < least {
			t.Errorf("%q: got %d bytes, want at least %d", s, got, least)
		}
	})
}

// TestClipKeepsCharacters checks that an error message does not end in half a
// character.
func TestClipKeepsCharacters(t *testing.T) {
	for i := range 4 {
		s := strings.Repeat("a", i) + strings.Repeat("😀", 40)
		if got := Clip(s); !utf8.ValidString(got) || len(got) > 80+len("…") {
			t.Errorf("got %q", got)
		}
	}
}

// TestTopicsAreAnyText checks that the decoder leaves it to package hub to judge each
// topic, and that a list of long ones cannot make an answer too long.
func TestTopicsAreAnyText(t *testing.T) {
	odd := []string{"", "hub", "sku:", "sku: x", "*", "sku:A\nB", "\u2028", "cart@1", "\x00", strings.Repeat("n", 1000)}
	list := make([]Topic, len(odd))
	for i, name := range odd {
		list[i] = Topic{Name: name}
	}
	for _, action := range []Action{ActionSubscribe, ActionUnsubscribe, ActionGet} {
		wantOneGrammar(t, Request{Action: action, Topics: list})
	}
	slices.SortFunc(list, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	for i := range list {
		list[i].Version = int64(i + 1)
	}
	wantOneGrammar(t, Request{Action: ActionSubscribe, Topics: list})

	// 31 800 bytes of JSON, which would be 63 kB with the escapes of an answer.
	text := `{"action":"get","topics":["` + strings.Repeat("\u2028", 10_600) + `"]}`
	refuse(t, text, false, CodeTooBig)
	refuse(t, "get "+strings.Repeat("\x01", 6_000), true, CodeTooBig)
}

// longestTopic returns a different topic for every i up to 999, of the most bytes that
// a message needs for one.
func longestTopic(i int) string {
	return fmt.Sprintf("vendor:%s%03d", strings.Repeat(`"`, MaxName-3), i)
}

// TestRefusedTopicsFit checks that an answer can refuse as many topics as a message
// can name, and that 100 of the longest good names are not too many.
func TestRefusedTopicsFit(t *testing.T) {
	r := Request{Action: ActionGet, ID: longID}
	s := Snapshot{ID: longID, Epoch: strings.Repeat("e", MaxSafeName), Refused: map[string]Code{}, Unchanged: MaxTopics}
	for i := range MaxTopics {
		r.Topics = append(r.Topics, Topic{Name: longestTopic(i)})
		s.Refused[longestTopic(i)] = CodeTokenExpired
	}
	wantOneGrammar(t, r)
	if s.Fit(); len(Encode(s)) > MaxMessage || len(s.Refused) != MaxTopics {
		t.Errorf("got %d bytes with %d refused", len(Encode(s)), len(s.Refused))
	}
	s.Refused = map[string]Code{"": CodeBadTopic}
	for size := textBound("") + 19; ; {
		name := fmt.Sprintf("%s%d", strings.Repeat("\x01", 50), len(s.Refused))
		if size += textBound(name) + 19; size > MaxTopicBytes {
			break
		}
		s.Refused[name] = CodeTooManyTopics
	}
	if s.Fit(); len(Encode(s)) > MaxMessage {
		t.Errorf("got %d bytes with %d refused", len(Encode(s)), len(s.Refused))
	}
}

// TestGetAgainEnds checks that a client that gets the topics in "again" receives all
// of them, however long the names are and whatever else is among them.
func TestGetAgainEnds(t *testing.T) {
	state := map[string]Value{"cart": fullCart()}
	for i := range MaxTopics - 1 {
		state[longestTopic(i)] = Badge{Version: MaxVersion, State: StateLow, Quantity: pieces(MaxQuantity)}
	}
	got := 0
	for again, round := []string(nil), 0; got < len(state); round++ {
		s := Snapshot{ID: longID, Epoch: strings.Repeat("e", MaxSafeName), Topics: map[string]Value{}}
		for name, value := range state {
			if round == 0 || slices.Contains(again, name) {
				s.Topics[name] = value
			}
		}
		asked := len(s.Topics)
		s.Fit()
		if size := len(Encode(s)); size > MaxMessage || len(s.Topics) == 0 || len(s.Topics)+len(s.Again) != asked {
			t.Fatalf("round %d: %d bytes with %d topics and %d again of %d", round, size, len(s.Topics), len(s.Again), asked)
		}
		got, again = got+len(s.Topics), s.Again
	}
}

// TestSetIsLimitedByBytes checks the total size of the SKUs of a set.
func TestSetIsLimitedByBytes(t *testing.T) {
	set := Request{Action: ActionSet}
	for i := range MaxSKUBytes / MaxName {
		set.Lines = append(set.Lines, LineChange{longSKU(i), 1})
	}
	wantOneGrammar(t, set)
	set.Lines = append(set.Lines, LineChange{"z", 1})
	data, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, string(data), false, CodeTooBig)
	if data = bytes.ReplaceAll(data, []byte(`,"z":1`), nil); !reflect.DeepEqual(accept(t, string(data), false).Lines,
		set.Lines[:len(set.Lines)-1]) {
		t.Error("the lines are not those of the message")
	}
}

// longSKU returns a different SKU of MaxName bytes for every i up to 999.
func longSKU(i int) string { return fmt.Sprintf("%s%03d", strings.Repeat("N", MaxName-3), i) }

func TestTypedNames(t *testing.T) {
	for _, tt := range []struct {
		line string
		want Request
	}{
		{`sub "sku:RED CAP" cart`, Request{Action: ActionSubscribe, Topics: []Topic{{Name: "sku:RED CAP"}, {Name: "cart"}}}},
		{`sub "sku:RED CAP"@7`, Request{Action: ActionSubscribe, Topics: []Topic{{Name: "sku:RED CAP", Version: 7}}}},
		{`sub "sku:A@7"`, Request{Action: ActionSubscribe, Topics: []Topic{{Name: "sku:A@7"}}}},
		{`sub sku:SHIRT-ä`, Request{Action: ActionSubscribe, Topics: []Topic{{Name: "sku:SHIRT-ä"}}}},
		{`unsub "*"`, Request{Action: ActionUnsubscribe, Topics: []Topic{{Name: "*"}}}},
		{`get vendor:a after="RED CAP"`, Request{Action: ActionGet, Topics: []Topic{{Name: "vendor:a"}}, After: "RED CAP"}},
		{`add "RED CAP" 2 key=a`, Request{Action: ActionAdd, SKU: "RED CAP", Quantity: 2, Key: "a"}},
		{`add "say \"\\\"" 2`, Request{Action: ActionAdd, SKU: `say "\"`, Quantity: 2}},
		{`add 5"-PIPE`, Request{Action: ActionAdd, SKU: `5"-PIPE`, Quantity: 1}},
		{`add TEST/SLASH`, Request{Action: ActionAdd, SKU: "TEST/SLASH", Quantity: 1}},
		{`add "key=x"`, Request{Action: ActionAdd, SKU: "key=x", Quantity: 1}},
		{
			`set "A B" 1 "v 2" 0 v18`,
			Request{Action: ActionSet, Lines: []LineChange{{"A B", 1}, {"v 2", 0}}, Version: number(18)},
		},
	} {
		t.Run(tt.line, func(t *testing.T) {
			if got := accept(t, tt.line, true); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	for _, line := range []string{
		`add "RED CAP`, `add "RED" CAP`, `add "a"b`, `add "\q"`, `add "\ud83d"`, "add \"a\tb\"", `add a=b`,
		`sub "cart"17`, `sub "cart"@x`, `sub "cart`, `sub @1`, `get "cart"@1`, `unsub cart@1`, `set "A" 1 "A" 2`,
		`get after="a`, `get * cart`,
	} {
		t.Run("not "+line, func(t *testing.T) { refuse(t, line, true, CodeBadField) })
	}
}
