package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// decodeCodes are the codes of errors of Decode.
var decodeCodes = []Code{CodeBadJSON, CodeBadField, CodeUnknownAction, CodeTooBig, CodeTooManyTopics}

// refuse decodes a message that must be refused.
func refuse(t testing.TB, text string, shorthand bool, want Code) *Error {
	t.Helper()
	r, err := Decode([]byte(text), shorthand)
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("Decode(%s): got %+v, error %v, want an error of code %s", Clip(text), r, err, want)
	}
	if e.Code != want {
		t.Errorf("Decode(%s): got %v, want code %s", Clip(text), e, want)
	}
	if !reflect.DeepEqual(r, Request{}) {
		t.Errorf("Decode(%s): got %+v with an error, want an empty request", Clip(text), r)
	}
	if e.Message == "" {
		t.Errorf("Decode(%s): the error of code %s has no message", Clip(text), e.Code)
	}
	return e
}

// accept decodes a message that must be accepted.
func accept(t testing.TB, text string, shorthand bool) Request {
	t.Helper()
	r, err := Decode([]byte(text), shorthand)
	if err != nil {
		t.Fatalf("Decode(%s): %v, want it accepted", Clip(text), err)
	}
	return r
}

// list returns a JSON array of n topics: list(2) is ["sku:N0","sku:N1"].
func list(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(`"sku:N%d"`, i)
	}
	return "[" + strings.Join(names, ",") + "]"
}

// object returns a JSON object of n names, each with the value.
func object(prefix string, n int, value string) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"%sN%d":%s`, prefix, i, value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestRefusedText(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Code
	}{
		{"nothing", "", CodeBadJSON},
		{"blanks", " \r\n\t", CodeBadJSON},
		{"a word", "ping", CodeBadJSON},
		{"unclosed object", `{"action":"ping"`, CodeBadJSON},
		{"unclosed string", `{"action":"ping`, CodeBadJSON},
		{"key without value", `{"action"}`, CodeBadJSON},
		{"colon without value", `{"action":}`, CodeBadJSON},
		{"comma at the end", `{"action":"ping",}`, CodeBadJSON},
		{"comma at the end of an array", `{"action":"get","topics":["cart",]}`, CodeBadJSON},
		{"no comma", `{"action":"ping" "id":1}`, CodeBadJSON},
		{"key that is a number", `{1:"ping"}`, CodeBadJSON},
		{"single quotes", `{'action':'ping'}`, CodeBadJSON},
		{"comment", `{"action":"ping"/**/}`, CodeBadJSON},
		{"NaN", `{"action":"ping","x":NaN}`, CodeBadJSON},
		{"leading zero", `{"action":"ping","x":01}`, CodeBadJSON},
		{"leading plus", `{"action":"ping","x":+1}`, CodeBadJSON},
		{"hexadecimal", `{"action":"ping","x":0x1}`, CodeBadJSON},
		{"raw line break in a string", "{\"action\":\"ping\",\"x\":\"a\nb\"}", CodeBadJSON},
		{"unknown escape", `{"action":"ping","x":"\q"}`, CodeBadJSON},
		{"short escape", `{"action":"ping","x":"\u12"}`, CodeBadJSON},
		{"byte order mark", "\ufeff" + `{"action":"ping"}`, CodeBadJSON},
		{"no-break space before", "\u00a0" + `{"action":"ping"}`, CodeBadJSON},
		{"form feed after", `{"action":"ping"}` + "\f", CodeBadJSON},
		{"NUL after", `{"action":"ping"}` + "\x00", CodeBadJSON},

		{"a string", `"ping"`, CodeBadJSON},
		{"a number", `17`, CodeBadJSON},
		{"true", `true`, CodeBadJSON},
		{"null", `null`, CodeBadJSON},
		{"an array", `[{"action":"ping"}]`, CodeBadJSON},
		{"an empty array", `[]`, CodeBadJSON},

		{"a second object", `{"action":"ping"}{"action":"ping"}`, CodeBadJSON},
		{"a second object on a new line", `{"action":"ping"}` + "\n" + `{"action":"ping"}`, CodeBadJSON},
		{"a number after", `{"action":"ping"} 1`, CodeBadJSON},
		{"a bracket after", `{"action":"ping"}]`, CodeBadJSON},
		{"a brace after", `{"action":"ping"}}`, CodeBadJSON},
		{"a comma after", `{"action":"ping"},`, CodeBadJSON},
		{"garbage after", `{"action":"ping"} ping`, CodeBadJSON},

		{"no action", `{}`, CodeUnknownAction},
		{"only an id", `{"id":1}`, CodeUnknownAction},
		{"unknown action", `{"action":"buy"}`, CodeUnknownAction},
		{"action in capitals", `{"action":"PING"}`, CodeUnknownAction},
		{"action with a blank", `{"action":"ping "}`, CodeUnknownAction},
		{"long action", `{"action":"` + strings.Repeat("ping", 1000) + `"}`, CodeUnknownAction},
		{"empty action", `{"action":""}`, CodeBadField},
	} {
		t.Run(tt.name, func(t *testing.T) { refuse(t, tt.text, false, tt.want) })
	}
}

func TestRepeatedKeys(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"action", `{"action":"ping","action":"ping"}`},
		{"with another value", `{"action":"ping","action":"add"}`},
		{"escaped", `{"action":"ping","\u0061ction":"add"}`},
		{"escaped first", `{"\u0061ction":"ping","action":"add"}`},
		{"both escaped, differently", `{"action":"ping","\u0069d":1,"i\u0064":2}`},
		{"an escaped slash", `{"action":"ping","a/b":1,"a\/b":2}`},
		{"an escaped pair", `{"action":"ping","😀":1,"\ud83d\ude00":2}`},
		{"unknown field", `{"action":"ping","x":1,"x":2}`},
		{"empty name", `{"action":"ping","":1,"":2}`},
		{"in topics", `{"action":"subscribe","topics":{"cart":1,"cart":2}}`},
		{"in topics, escaped", `{"action":"subscribe","topics":{"cart":1,"c\u0061rt":2}}`},
		{"in lines", `{"action":"set","lines":{"MUG":1,"MUG":2}}`},
		{"nested in an unknown field", `{"action":"ping","x":{"y":[{"z":1,"z":1}]}}`},
		{"after a nested object", `{"action":"ping","x":{"action":1},"x":2}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if e := refuse(t, tt.text, false, CodeBadJSON); !strings.Contains(e.Message, "twice") {
				t.Errorf("got message %q, want it to say that a key occurs twice", e.Message)
			}
		})
	}
	t.Run("the same name in two places is allowed", func(t *testing.T) {
		accept(t, `{"action":"ping","x":{"action":1,"id":{"action":2}},"y":[{"a":1},{"a":2}]}`, false)
	})
}

func TestFoldedFieldNames(t *testing.T) {
	type fold struct{ written, known string }
	folds := []fold{
		{"ſku", "sku"}, {"s\u212au", "sku"}, {"ſ\u212aU", "sku"},
		{"to\u212aen", "token"}, {"\u212aey", "key"},
		{"topicſ", "topics"}, {"lineſ", "lines"}, {"verſion", "version"},
	}
	for _, name := range Fields {
		folds = append(folds, fold{strings.ToUpper(name), name}, fold{strings.ToUpper(name[:1]) + name[1:], name})
	}
	for _, f := range folds {
		t.Run(f.written, func(t *testing.T) {
			e := refuse(t, `{"action":"ping","id":1,"`+f.written+`":1}`, false, CodeBadField)
			if !strings.Contains(e.Message, fmt.Sprintf("%q", f.known)) {
				t.Errorf("got message %q, want it to name %q", e.Message, f.known)
			}
		})
	}
	t.Run("escaped", func(t *testing.T) { refuse(t, `{"action":"ping","\u017fku":1}`, false, CodeBadField) })
	t.Run("a folded action is not an action", func(t *testing.T) { refuse(t, `{"Action":"ping"}`, false, CodeBadField) })
	t.Run("names inside values do not count", func(t *testing.T) {
		accept(t, `{"action":"ping","x":{"ACTION":1,"Id":2}}`, false)
	})
}

func TestInvalidUTF8(t *testing.T) {
	for _, tt := range []struct{ name, bytes string }{
		{"lone continuation", "\x80"},
		{"cut short", "\xc3"},
		{"overlong slash", "\xc0\xaf"},
		{"surrogate", "\xed\xa0\x80"},
		{"above U+10FFFF", "\xf4\x90\x80\x80"},
		{"no byte of UTF-8", "\xff"},
	} {
		t.Run(tt.name+" in a value", func(t *testing.T) {
			refuse(t, `{"action":"ping","x":"`+tt.bytes+`"}`, false, CodeBadJSON)
		})
		t.Run(tt.name+" in a key", func(t *testing.T) {
			refuse(t, `{"action":"ping","`+tt.bytes+`":1}`, false, CodeBadJSON)
		})
		t.Run(tt.name+" in shorthand", func(t *testing.T) {
			refuse(t, `ping id=`+tt.bytes, true, CodeBadJSON)
		})
	}
}

func TestSurrogates(t *testing.T) {
	for _, tt := range []struct {
		name, escapes string
		pair          bool
	}{
		{"high alone", `\ud83d`, false},
		{"low alone", `\ude00`, false},
		{"high before a letter", `\ud83dx`, false},
		{"high before a line break", `\ud83d\n`, false},
		{"high before another escape", `\ud83d\u0041`, false},
		{"high before high", `\ud83d\ud83d`, false},
		{"low before high", `\ude00\ud83d`, false},
		{"high before a pair", `\ud83d\ud83d\ude00`, false},
		{"pair before low", `\ud83d\ude00\ude00`, false},
		{"high before an escaped backslash", `\ud83d\\ude00`, false},
		{"high before text like an escape", `\ud83dxude00`, false},
		{"after an escaped backslash", `\\\ud83d`, false},
		{"capitals", `\uD83D`, false},

		{"pair", `\ud83d\ude00`, true},
		{"pair in capitals", `\uD83D\uDE00`, true},
		{"two pairs", `\ud83d\ude00\ud83d\ude00`, true},
		{"pair after an escaped backslash", `\\\ud83d\ude00`, true},
		{"lowest pair", `\ud800\udc00`, true},
		{"highest pair", `\udbff\udfff`, true},
		{"last before the surrogates", `\ud7ff`, true},
		{"first after the surrogates", `\ue000`, true},
		{"no escape", `\\ud83d`, true},
	} {
		for place, text := range map[string]string{
			"value": `{"action":"ping","x":"` + tt.escapes + `"}`,
			"key":   `{"action":"ping","` + tt.escapes + `":1}`,
			"id":    `{"action":"ping","id":"` + tt.escapes + `"}`,
		} {
			t.Run(tt.name+" in a "+place, func(t *testing.T) {
				if tt.pair {
					accept(t, text, false)
				} else {
					refuse(t, text, false, CodeBadJSON)
				}
			})
		}
	}
}

func TestDepth(t *testing.T) {
	// nested returns a message that is depth levels deep.
	nested := func(depth int, open, inside, end string) string {
		return `{"action":"ping","x":` + strings.Repeat(open, depth-1) + inside + strings.Repeat(end, depth-1) + `}`
	}
	t.Run("arrays 16", func(t *testing.T) { accept(t, nested(MaxDepth, "[", "1", "]"), false) })
	t.Run("arrays 17", func(t *testing.T) { refuse(t, nested(MaxDepth+1, "[", "1", "]"), false, CodeBadJSON) })
	t.Run("empty arrays 17", func(t *testing.T) { refuse(t, nested(MaxDepth+1, "[", "", "]"), false, CodeBadJSON) })
	t.Run("objects 16", func(t *testing.T) { accept(t, nested(MaxDepth, `{"a":`, "1", "}"), false) })
	t.Run("objects 17", func(t *testing.T) { refuse(t, nested(MaxDepth+1, `{"a":`, "1", "}"), false, CodeBadJSON) })
	t.Run("wide is not deep", func(t *testing.T) {
		accept(t, `{"action":"ping","x":[`+strings.Repeat("[],", 1000)+`[]]}`, false)
	})
	for _, tt := range []struct{ name, text string }{
		{"bomb of arrays", strings.Repeat("[", 10_000)},
		{"bomb of arrays, closed", strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)},
		{"bomb of objects", strings.Repeat(`{"a":`, 6_000)},
		{"bomb in a field", nested(10_000, "[", "", "]")},
	} {
		for _, shorthand := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, shorthand %t", tt.name, shorthand), func(t *testing.T) {
				refuse(t, tt.text, shorthand, CodeBadJSON)
			})
		}
	}
}

func TestMessageSize(t *testing.T) {
	const head, tail = `{"action":"ping","x":"`, `"}`
	padded := func(size int) string { return head + strings.Repeat("x", size-len(head)-len(tail)) + tail }
	t.Run("32000 bytes", func(t *testing.T) { accept(t, padded(32_000), false) })
	t.Run("32001 bytes", func(t *testing.T) { refuse(t, padded(32_001), false, CodeTooBig) })
	t.Run("white space counts", func(t *testing.T) {
		accept(t, `{"action":"ping"}`+strings.Repeat(" ", 32_000-17), false)
		refuse(t, `{"action":"ping"}`+strings.Repeat(" ", 32_001-17), false, CodeTooBig)
	})
	t.Run("bytes count, not characters", func(t *testing.T) {
		refuse(t, head+strings.Repeat("é", 16_000)+tail, false, CodeTooBig)
	})
	t.Run("garbage counts", func(t *testing.T) { refuse(t, strings.Repeat("\xff", 32_001), false, CodeTooBig) })
	t.Run("shorthand of 32000", func(t *testing.T) { accept(t, "ping"+strings.Repeat(" ", 32_000-4), true) })
	t.Run("shorthand of 32001", func(t *testing.T) { refuse(t, "ping"+strings.Repeat(" ", 32_001-4), true, CodeTooBig) })
}

// TestErrorsStaySmall checks that an error quotes the text of a client in short
// form, in valid JSON.
func TestErrorsStaySmall(t *testing.T) {
	long := strings.Repeat("é\u2028<", 4000)
	for _, tt := range []struct{ name, text string }{
		{"action", `{"action":"` + long + `"}`},
		{"repeated key", `{"` + long[:9_999] + `":1,"` + long[:9_999] + `":2}`},
		{"SKU", `{"action":"set","lines":{"` + long + `":1}}`},
		{"topic", `{"action":"get","topics":["` + long + `"]}`},
		{"topic with a bad version", `{"action":"subscribe","topics":{"` + long + `":-1}}`},
		{"verb", long},
		{"option", "ping " + long + "=1"},
		{"word too many", "ping " + long},
		{"line without a quantity", "set " + long},
		{"line twice", "set " + long[:9_999] + " 1 " + long[:9_999] + " 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode([]byte(tt.text), true)
			e, ok := err.(*Error)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			const most = 1_000
			if data := Encode(e); len(data) > most || !json.Valid(data) {
				t.Errorf("got %d bytes, valid %t, want at most %d of valid JSON: %s", len(data), json.Valid(data), most, data)
			}
		})
	}
}

func BenchmarkDecodeSubscribe100(b *testing.B) {
	message := []byte(`{"action":"subscribe","id":1,"epoch":"k3","topics":` + object("sku:", 100, "42") + `}`)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(message, true); err != nil {
			b.Fatal(err)
		}
	}
}
