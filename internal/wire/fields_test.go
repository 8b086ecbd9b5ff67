package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestWrongTypes tries every field of every action with values of every other type.
func TestWrongTypes(t *testing.T) {
	text := []string{`null`, `true`, `7`, `["a"]`, `{"a":1}`}
	whole := []string{`null`, `true`, `false`, `"1"`, `""`, `[1]`, `{"a":1}`, `1.0`, `1.5`, `1e2`, `1E2`, `0.1e1`}
	flag := []string{`null`, `0`, `1`, `"true"`, `""`, `[true]`, `{"a":true}`}
	names := []string{
		`null`, `true`, `7`, `"cart"`, `"**"`, `[7]`, `[null]`, `[true]`, `[["cart"]]`, `[{"cart":1}]`, `["cart",7]`,
	}
	for _, field := range []struct {
		action Action
		rest   string // of an otherwise valid message
		name   string
		wrong  []string
	}{
		{ActionHello, ``, "token", text},
		{ActionSubscribe, ``, "topics", append([]string{
			`"*"`, `{"cart":null}`, `{"cart":true}`, `{"cart":"1"}`, `{"cart":[1]}`, `{"cart":{"a":1}}`,
			`{"cart":1.0}`, `{"cart":1e2}`, `{"cart":-1}`, `{"cart":9007199254740992}`,
		}, names...)},
		{ActionSubscribe, `,"topics":["cart"]`, "epoch", text},
		{ActionSubscribe, `,"topics":["cart"]`, "only", flag},
		{ActionUnsubscribe, ``, "topics", append([]string{`{"cart":1}`}, names...)},
		{ActionGet, ``, "topics", append([]string{`"cart"`, `{"cart":1}`}, names...)},
		{ActionGet, `,"topics":["vendor:acme"]`, "after", text},
		{ActionAdd, `,"quantity":1`, "sku", text},
		{ActionAdd, `,"sku":"MUG"`, "quantity", whole},
		{ActionAdd, `,"sku":"MUG"`, "key", text},
		{ActionSet, ``, "lines", []string{
			`null`, `true`, `7`, `"MUG"`, `["MUG"]`,
			`{"MUG":null}`, `{"MUG":true}`, `{"MUG":"1"}`, `{"MUG":[1]}`, `{"MUG":{"quantity":1}}`, `{"MUG":1.0}`, `{"MUG":1e2}`,
		}},
		{ActionSet, `,"lines":{"MUG":1}`, "version", whole},
		{ActionSet, `,"lines":{"MUG":1}`, "epoch", text},
		{ActionSet, `,"lines":{"MUG":1}`, "key", text},
		{ActionMerge, ``, "from", text},
		{ActionMerge, `,"from":"guest.a.b"`, "policy", text},
		{ActionMerge, `,"from":"guest.a.b"`, "key", text},
		{ActionCheckout, ``, "version", whole},
		{ActionCheckout, ``, "epoch", text},
		{ActionCheckout, ``, "key", text},
		{ActionWhy, ``, "topic", append([]string{`""`}, text...)},
		{ActionWhy, `,"topic":"cart"`, "version", whole},
		{ActionWhy, `,"topic":"cart"`, "epoch", text},
		{ActionHello, ``, "pretty", []string{`"on"`, `1`, `null`, `[]`}},
		{ActionHelp, ``, "about", append([]string{`"fly"`}, text...)},
		{ActionPing, ``, "id", []string{`[1]`, `{"a":1}`, `[]`, `{}`}},
	} {
		for _, value := range field.wrong {
			t.Run(fmt.Sprintf("%s %s %s", field.action, field.name, value), func(t *testing.T) {
				message := fmt.Sprintf(`{"action":%q%s,%q:%s}`, field.action, field.rest, field.name, value)
				refuse(t, message, false, CodeBadField)
			})
		}
	}
	for _, value := range text {
		t.Run("action "+value, func(t *testing.T) { refuse(t, `{"action":`+value+`}`, false, CodeBadField) })
	}
}

func TestMissingFields(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"subscribe without topics", `{"action":"subscribe"}`},
		{"subscribe to nothing", `{"action":"subscribe","topics":[]}`},
		{"subscribe to nothing, as an object", `{"action":"subscribe","topics":{}}`},
		{"only without topics", `{"action":"subscribe","only":true}`},
		{"unsubscribe without topics", `{"action":"unsubscribe"}`},
		{"get without topics", `{"action":"get"}`},
		{"add without sku", `{"action":"add","quantity":1}`},
		{"set without lines", `{"action":"set"}`},
		{"set of nothing", `{"action":"set","lines":{}}`},
		{"merge without from", `{"action":"merge"}`},
		{"why of a version without topic", `{"action":"why","version":4}`},
		{"why of an epoch without topic", `{"action":"why","epoch":"k3"}`},
	} {
		t.Run(tt.name, func(t *testing.T) { refuse(t, tt.text, false, CodeBadField) })
	}
}

func TestEmptySets(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Request
	}{
		{
			"only nothing", `{"action":"subscribe","only":true,"topics":[]}`,
			Request{Action: ActionSubscribe, Only: true, Topics: []Topic{}},
		},
		{
			"unsubscribe from nothing", `{"action":"unsubscribe","topics":[]}`,
			Request{Action: ActionUnsubscribe, Topics: []Topic{}},
		},
		{"get nothing", `{"action":"get","topics":[]}`, Request{Action: ActionGet, Topics: []Topic{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := accept(t, tt.text, false); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Request
	}{
		{"one piece", `{"action":"add","sku":"MUG"}`, Request{Action: ActionAdd, SKU: "MUG", Quantity: 1}},
		{
			"the sum", `{"action":"merge","from":"guest.a.b"}`,
			Request{Action: ActionMerge, From: "guest.a.b", Policy: PolicySum},
		},
		{
			"only is false", `{"action":"subscribe","only":false,"topics":["cart"]}`,
			Request{Action: ActionSubscribe, Topics: []Topic{{Name: "cart"}}},
		},
		{
			"no version", `{"action":"set","lines":{"MUG":0}}`,
			Request{Action: ActionSet, Lines: []LineChange{{"MUG", 0}}},
		},
		{
			"a version of 0 is a version", `{"action":"set","lines":{"MUG":0},"version":0}`,
			Request{Action: ActionSet, Lines: []LineChange{{"MUG", 0}}, Version: number(0)},
		},
		{"checkout of any version", `{"action":"checkout"}`, Request{Action: ActionCheckout}},
		{
			"checkout of version 0", `{"action":"checkout","version":0}`,
			Request{Action: ActionCheckout, Version: number(0)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := accept(t, tt.text, false); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	want := Request{Action: ActionPing}
	for _, tt := range []struct{ name, text string }{
		{"a new field", `{"action":"ping","colour":"red"}`},
		{"of any type", `{"action":"ping","a":null,"b":[1,{"c":[]}],"d":1e999,"e":"\u0000"}`},
		{"before the action", `{"colour":"red","action":"ping"}`},
		{"a similar name", `{"action":"ping","actions":"add","skú":1,"ıd":1,"":0}`},
		{
			"fields of other actions, whatever is in them",
			`{"action":"ping","sku":7,"topics":"?","quantity":"many","lines":null}`,
		},
		{"white space around", "\r\n\t {\"action\":\"ping\"} \n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := accept(t, tt.text, false); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestID(t *testing.T) {
	for _, tt := range []struct{ name, id string }{
		{"number", `1`},
		{"zero", `0`},
		{"keeps its spelling", `-1.50E+03`},
		{"more digits than any type holds", `12345678901234567890.123`},
		{"string", `"again"`},
		{"empty string", `""`},
		{"string with a blank", `"a b"`},
		{"string with escapes", `"\u0061\n\ud83d\ude00"`},
		{"characters of HTML", `"<a href='x'>&"`},
		{"line separator", "\"\u2028\""},
		{"true", `true`},
		{"false", `false`},
		{"null", `null`},
		{"128 bytes", `"` + strings.Repeat("i", 126) + `"`},
		{"128 digits", strings.Repeat("1", 128)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := accept(t, `{"action":"ping","id":`+tt.id+`}`, false); string(got.ID) != tt.id {
				t.Errorf("got id %s, want %s", got.ID, tt.id)
			}
		})
		t.Run(tt.name+" in an error", func(t *testing.T) {
			for _, message := range []string{
				`{"action":"buy","id":` + tt.id + `}`,
				`{"action":"add","id":` + tt.id + `,"sku":"MUG","quantity":0}`,
				`{"id":` + tt.id + `,"Action":"ping"}`,
				`{"id":` + tt.id + `}`,
			} {
				_, err := Decode([]byte(message), false)
				if e, ok := err.(*Error); !ok || string(e.ID) != tt.id {
					t.Errorf("Decode(%s): got %+v, want an error with id %s", message, err, tt.id)
				}
			}
		})
	}
	for _, tt := range []struct{ name, id string }{
		{"129 bytes", `"` + strings.Repeat("i", 127) + `"`},
		{"129 digits", strings.Repeat("1", 129)},
		{"array", `[1]`},
		{"object", `{"a":1}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if e := refuse(t, `{"action":"ping","id":`+tt.id+`}`, false, CodeBadField); e.ID != nil {
				t.Errorf("got id %s in the error, want none", e.ID)
			}
		})
	}
	t.Run("no id", func(t *testing.T) {
		if got := accept(t, `{"action":"ping"}`, false); got.ID != nil {
			t.Errorf("got id %s, want none", got.ID)
		}
	})
}

// TestNumbers tries the same text as the quantity of an add, the quantity of a
// line, the version of a set and the version of a topic.
func TestNumbers(t *testing.T) {
	const (
		add     = `{"action":"add","sku":"MUG","quantity":%s}`
		lines   = `{"action":"set","lines":{"MUG":%s}}`
		version = `{"action":"set","lines":{"MUG":1},"version":%s}`
		topic   = `{"action":"subscribe","topics":{"cart":%s}}`
	)
	places := []struct{ name, format string }{{"add", add}, {"lines", lines}, {"version", version}, {"topic", topic}}
	for _, tt := range []struct {
		number string
		good   []string
	}{
		{"-1000", nil},
		{"-999", []string{add}},
		{"-1", []string{add}},
		{"-0", nil},
		{"0", []string{lines, version, topic}},
		{"1", []string{add, lines, version, topic}},
		{"999", []string{add, lines, version, topic}},
		{"1000", []string{version, topic}},
		{"9007199254740991", []string{version, topic}},
		{"9007199254740992", nil},
		{"9223372036854775807", nil},
		{"9223372036854775808", nil},
		{"-9223372036854775808", nil},
		{"-9223372036854775809", nil},
		{"18446744073709551617", nil}, // 1 in 64 bits
		{"4294967297", []string{version, topic}},
		{"1" + strings.Repeat("0", 400), nil},
		{"1.0", nil},
		{"1e2", nil},
		{"1e0", nil},
		{"1e400", nil},
		{"-1e400", nil},
		{`"1"`, nil},
		{"true", nil},
		{"null", nil},
	} {
		for _, p := range places {
			t.Run(Clip(tt.number)+" as "+p.name, func(t *testing.T) {
				text := fmt.Sprintf(p.format, tt.number)
				if !slices.Contains(tt.good, p.format) {
					refuse(t, text, false, CodeBadField)
					return
				}
				r := accept(t, text, false)
				got := map[string]int64{add: int64(r.Quantity)}
				if r.Version != nil {
					got[version] = *r.Version
				} else if p.format == version {
					t.Error("got no version")
				}
				if len(r.Lines) > 0 {
					got[lines] = int64(r.Lines[0].Quantity)
				}
				if len(r.Topics) > 0 {
					got[topic] = r.Topics[0].Version
				}
				if fmt.Sprint(got[p.format]) != tt.number {
					t.Errorf("got %d, want %s", got[p.format], tt.number)
				}
			})
		}
	}
}

func TestCounts(t *testing.T) {
	repeated := strings.Replace(list(100), "]", `,"sku:N0","sku:N99"]`, 1)
	for _, tt := range []struct {
		name, text string
		count      int  // of accepted entries
		want       Code // "": accepted
	}{
		{"100 topics", `{"action":"subscribe","topics":` + list(100) + `}`, 100, ""},
		{"101 topics", `{"action":"subscribe","topics":` + list(101) + `}`, 0, CodeTooManyTopics},
		{"100 topics with versions", `{"action":"subscribe","topics":` + object("sku:", 100, "7") + `}`, 100, ""},
		{
			"101 topics with versions", `{"action":"subscribe","topics":` + object("sku:", 101, "7") + `}`, 0,
			CodeTooManyTopics,
		},
		{"unsubscribe from 101", `{"action":"unsubscribe","topics":` + list(101) + `}`, 0, CodeTooManyTopics},
		{"get 101", `{"action":"get","topics":` + list(101) + `}`, 0, CodeTooManyTopics},
		{"102 names of 100 topics", `{"action":"subscribe","topics":` + repeated + `}`, 100, ""},
		{"200 lines", `{"action":"set","lines":` + object("", 200, "1") + `}`, 200, ""},
		{"201 lines", `{"action":"set","lines":` + object("", 201, "1") + `}`, 0, CodeBadField},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want != "" {
				refuse(t, tt.text, false, tt.want)
				return
			}
			r := accept(t, tt.text, false)
			if got := len(r.Topics) + len(r.Lines); got != tt.count {
				t.Errorf("got %d of them, want %d", got, tt.count)
			}
		})
	}
}

// TestGrammar tries the characters and the lengths of every text field.
func TestGrammar(t *testing.T) {
	every := func(from, to byte) string {
		var b strings.Builder
		for c := from; c <= to; c++ {
			b.WriteByte(c)
		}
		return b.String()
	}
	n := func(n int) string { return strings.Repeat("n", n) }
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	badEpochs := []string{"", n(65), "a b", "a:b", "a/b", "a=b", "a@b", "a*", "é", "a\x00", "a\x7f", "😀", "\u212a", `"`}
	goodEpochs := []string{"a", n(64), ".", "-", "_", "~", "..", alphabet[:52], alphabet[52:] + "._~-"}
	goodNames, badNames := testNames(t)
	goodNames = append(goodNames, goodEpochs...)
	badTokens := []string{"", n(8193), "a b", "a+b", "a/b", "a=", "é", "a\n"}
	for _, tt := range []struct {
		field     string
		message   func(value string) string
		good, bad []string
	}{
		{"sku", func(v string) string { return `{"action":"add","sku":` + v + `}` }, goodNames, badNames},
		{"SKU of a line", func(v string) string { return `{"action":"set","lines":{` + v + `:1}}` }, goodNames, badNames},
		{"after", func(v string) string { return `{"action":"get","topics":[],"after":` + v + `}` }, goodNames, badNames},
		{
			"epoch of subscribe",
			func(v string) string { return `{"action":"subscribe","topics":["cart"],"epoch":` + v + `}` }, goodEpochs,
			badEpochs,
		},
		{
			"epoch of set", func(v string) string { return `{"action":"set","lines":{"MUG":1},"epoch":` + v + `}` },
			goodEpochs, badEpochs,
		},
		{
			"token", func(v string) string { return `{"action":"hello","token":` + v + `}` },
			[]string{"a", "guest.e30.e30.c2ln", "eyJ_-", n(8192)}, badTokens,
		},
		{
			"from", func(v string) string { return `{"action":"merge","from":` + v + `}` },
			[]string{"a", "guest.e30.e30.c2ln", "eyJ_-", n(8192)}, badTokens,
		},
		{
			"policy", func(v string) string { return `{"action":"merge","from":"a","policy":` + v + `}` },
			[]string{"sum", "max", "mine", "theirs"}, []string{"", "SUM", "sum ", "none", n(65)},
		},
		{
			"key", func(v string) string { return `{"action":"add","sku":"MUG","key":` + v + `}` },
			[]string{"a", n(64), every('!', 'P'), every('Q', '~'), `a=b`, `"`}, []string{
				"", n(65), "a b", " ", "é", "a\x00", "a\x7f", "a\t", "\u00a0",
			},
		},
		{
			"topic", func(v string) string { return `{"action":"get","topics":[` + v + `]}` },
			[]string{"cart", "sku:MUG", "vendor:" + n(64), "nonsense", ":", "a:b:c",
				"", "vendor:" + n(129), "sku:A B", "*", "sku:MUG@5", "sku=MUG", "sku:é", "a\x00", "\u00a0"},
			nil,
		},
		{
			"topic with a version", func(v string) string { return `{"action":"subscribe","topics":{` + v + `:5}}` },
			[]string{"cart", "sku:MUG", "vendor:" + n(64), "", "vendor:" + n(129), "sku:A B", "*", "sku:MUG@5"}, nil,
		},
	} {
		for _, value := range tt.good {
			t.Run(fmt.Sprintf("%s %q", tt.field, Clip(value)), func(t *testing.T) {
				r := accept(t, tt.message(string(quote(value))), false)
				got := []string{r.SKU, r.After, r.Epoch, r.Token, r.From, string(r.Policy), r.Key}
				for _, topic := range r.Topics {
					got = append(got, topic.Name)
				}
				for _, line := range r.Lines {
					got = append(got, line.SKU)
				}
				if !slices.Contains(got, value) {
					t.Errorf("got %+v, want %q in it", r, value)
				}
			})
		}
		for _, value := range tt.bad {
			t.Run(fmt.Sprintf("%s not %q", tt.field, Clip(value)), func(t *testing.T) {
				refuse(t, tt.message(string(quote(value))), false, CodeBadField)
			})
		}
	}
}
