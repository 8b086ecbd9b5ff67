package vtl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest/internal/vtl"
)

const order = `{"user":"Ada \"A\" L","lines":[{"sku":"MUG","n":2,"price":4.50},{"sku":"TEE","n":1,"price":12}],` +
	`"none":null,"note":"","flags":{"gift":true,"a.b":1}}`

// scope is what the templates of the tests see.
func scope(body string) vtl.Scope {
	return vtl.Scope{
		Body: body,
		Params: func() *vtl.Map {
			return mapOf("path", mapOf(), "querystring", mapOf("room", "blue"), "header", mapOf("X-Id", "7"))
		},
		Context: func() *vtl.Map {
			return mapOf("connectionId", "abc=", "authorizer", mapOf("principalId", "ada", "role", "admin"))
		},
		StageVariables: func() *vtl.Map { return mapOf("table", "lines") },
	}
}

func mapOf(pairs ...any) *vtl.Map {
	m := vtl.NewMap()
	for i := 0; i < len(pairs); i += 2 {
		m.Put(pairs[i].(string), pairs[i+1])
	}
	return m
}

// test is a template, and what it writes for order.
type test struct{ name, template, want string }

func runTests(t *testing.T, tests []test) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parsed, err := vtl.Parse(tt.template)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parsed.Render(scope(order))
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("%s\n got %q\nwant %q", tt.template, got, tt.want)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	runTests(t, []test{
		{"G-INTEG-10 text alone", "5$ #1 100% $ $5 a$", "5$ #1 100% $ $5 a$"},
		{"a dot that ends a sentence", "$context.connectionId.", "abc=."},
		{"braces", "${context.connectionId}x", "abc=x"},
		{"deep", "$context.authorizer.principalId", "ada"},
		{"a method of a map", `$context.authorizer.get("role")`, "admin"},
		{"stage variable", "$stageVariables.table/${stageVariables['table']}", "lines/lines"},
		{"G-INTEG-13 nothing", "[$nope][$context.nope.more][$!nope]", "[][][]"},
		{"index", "#set($l = $input.path('$.lines'))$l[0].sku $l[-1].sku $l.get(1).n", "MUG TEE 1"},
		{"an index that is none", `"$context.connectionId[x]"`, `"abc=[x]"`},
		{"escaped", `\$context.connectionId \#if \x \`, `$context.connectionId #if \x \`},
		{"two dollars", "$$context.connectionId", "$abc="},
		{"unparsed", "#[[$x #if]]#!", "$x #if!"},
		{"comments", "a## $x\nb#* #if *#c", "abc"},
		{"unknown directives are text", "#hello #@x", "#hello #@x"},
	})
}

func TestInput(t *testing.T) {
	runTests(t, []test{
		{"G-INTEG-10 body", "$input.body.length()", "148"},
		{"json of an object keeps its order", "$input.json('$.lines[1]')", `{"sku":"TEE","n":1,"price":12}`},
		{"json of a text", `$input.json("$.user")`, `"Ada \"A\" L"`},
		{"json of nothing", "$input.json('$.nope')", `""`},
		{"json of all names", "$input.json('$..sku')", `["MUG","TEE"]`},
		{"json of all items", "$input.json('$.lines[*].n')", `[2,1]`},
		{"json of a name with a dot", `$input.json("$.flags['a.b']")`, `1`},
		{"path without the root", "$input.path('user')", `Ada "A" L`},
		{"path of nothing", "[$input.path('$.nope')]", `[]`},
		{"a number stays as written", "$input.path('$.lines[0].price')", "4.50"},
		{"G-INTEG-16 the text of a map is Java's, that of its lists JSON", "$input.path('$.flags') $input.path('$.lines')",
			`{gift=true, a.b=1} [{"sku":"MUG","n":2,"price":4.50},{"sku":"TEE","n":1,"price":12}]`},
		{"a calculated path", `#foreach($i in [0..1])$input.path("$.lines[$i].sku") #end`, "MUG TEE "},
		{"params", "$input.params('room') $input.params('X-Id') [$input.params('no')] " +
			"$input.params().querystring.room", "blue 7 [] blue"},
	})
}

func TestUtil(t *testing.T) {
	runTests(t, []test{
		{"G-INTEG-10 escapeJavaScript", "$util.escapeJavaScript($input.path('$.user'))", `Ada \"A\" L`},
		{"single quotes as AWS says", `$util.escapeJavaScript("it's").replaceAll("\\'", "'")`, "it's"},
		{"urlEncode", "$util.urlEncode($input.path('$.user'))", "Ada+%22A%22+L"},
		{"urlDecode", "$util.urlDecode('a+%22')", `a "`},
		{"base64", "$util.base64Encode('ü') $util.base64Decode('w7w=')", "w7w= ü"},
		{"parseJson", `#set($o = $util.parseJson('{"b":[{"c":5}],"a":true}'))$o.b[0].c $o $o.a`,
			`5 {b=[{"c":5}], a=true} true`},
		{"parseJson of a list", `$util.parseJson("[1, 2]").size()`, "2"},
	})
}

func TestDirectives(t *testing.T) {
	runTests(t, []test{
		{"G-INTEG-10 set", `#set($a = 1)#set( $b = "$a+${a}x" )$b`, "1+1x"},
		{"set in single quotes", `#set($b = '$a')$b`, "$a"},
		{"set of a part", `#set($m = {"a": [1]})#set($m.b = 2)#set($m["c d"] = 3)#set($m.a[0] = 9)$m`,
			"{a=[9], b=2, c d=3}"},
		{"if", "#if($input.path('$.user'))yes#{else}no#end", "yes"},
		{"elseif", "#if(false)a#elseif($nope)b#elseif(true)c#else d#end", "c"},
		{"G-INTEG-14 nothing and the empty text are false",
			"#if($input.path('$.none'))a#end#if($input.path('$.note'))b#end", ""},
		{"nothing is the empty text", "#if($input.path('$.nope') == '')a#end#if($nope == $null)b#end", "ab"},
		{"zero is true", "#if(0)a#end", "a"},
		{"foreach", "#foreach($l in $input.path('$.lines'))$foreach.index$l.sku#if($foreach.hasNext),#end#end",
			"0MUG,1TEE"},
		{"counters", "#foreach($x in ['a','b'])$velocityCount$foreach.count$foreach.first$foreach.last #end",
			"11truefalse 22falsetrue "},
		{"nested loops", "#foreach($a in [1,2])" +
			"#foreach($b in [1..2])$foreach.parent.index$b #end#end$!foreach$!a",
			"01 02 11 12 "},
		{"the values of a map", "#foreach($v in {'a': 1, 'b': 2})$v#end", "12"},
		{"the keys of a map", "#foreach($k in $context.authorizer.keySet())$k=$context.authorizer.get($k) #end",
			"principalId=ada role=admin "},
		{"entries", "#foreach($e in $context.authorizer.entrySet())$e.key:$e.value/$e.getKey():$e.getValue() #end",
			"principalId:ada/principalId:ada role:admin/role:admin "},
		{"break", "#foreach($i in [1..9])#if($i > 2)#break#end$i#end!", "12!"},
		{"stop", "a#if(true)#stop#end b", "a"},
		{"define", `#define($hi)Hi $who#end#set($who = "Ada")$hi!#set($who = "Bob")$hi`, "Hi Ada!Hi Bob"},
		{"lines of directives are not written",
			"{\n  #set($a = 1)\n  #if($a == 1)\n  \"a\": $a\n  #else\n  x\n  #end\n}\n",
			"{\n  \"a\": 1\n}\n"},
		{"G-INTEG-25 the line break after a directive is not written",
			"[#foreach($i in [1,2])\n$i#if($foreach.hasNext),#end\n#end\n]", "[1,2]"},
	})
}

func TestExpressions(t *testing.T) {
	runTests(t, []test{
		{"G-INTEG-10 arithmetic", "#set($a = 2 + 3 * 4 - 10 / 4 % 2)$a", "14"},
		{"decimals", "#set($a = 1.5 * 2)$a #set($b = $input.path('$.lines[0].price') + 1)$b", "3.0 5.5"},
		{"negative numbers", "#set($a = -2 - -3)$a#set($b = 0 -$a)$b", "1-1"},
		{"hyphens belong to names", "#set($a-b = 4)$a-b", "4"},
		{"decimals as Java writes them", "#set($a = 5000000.0 * 4)$a #set($b = 0.5 / 1000)$b #set($c = 0.5 / -4)$c",
			"2.0E7 5.0E-4 -0.125"},
		{"too many digits", "#set($n = $util.parseJson('" + strings.Repeat("1", 1001) + "') + 1)[$n]", "[]"},
		{"by zero", "#set($a = 1 / 0)[$a]#set($b = 1.0 / 0)[$b]#set($c = 1.0 % 0)[$c]", "[][][]"},
		{"text", `#set($a = "n" + 1 + true)$a`, "n1true"},
		{"comparisons", "#if(1 < 2 && 2 <= 2 and 3 gt 2 && 2 ge 2 && 1 ne 2 && 1 != 2 && 2 > 1)a#end", "a"},
		{"numbers by value", "#if(12 == $input.path('$.lines[1].price') && 1.0 == 1)a#end", "a"},
		{"a number and a text", "#if('12' == 12)a#end", "a"},
		{"no order of texts", "#if('a' < 'b')a#end", ""},
		{"and", "#if(true && false)a#end#if(false and true)b#end#if(true && 1)c#end", "c"},
		{"or", "#if(false || $nope or true)a#end", "a"},
		{"or runs only as far as needed", `#set($l = [])#if(true || $l.add(1))$l.size()#end`, "0"},
		{"not", "#if(!false && not $nope)a#end", "a"},
		{"parentheses", "#set($a = (1 + 2) * 3)$a", "9"},
		{"ranges", "#foreach($i in [3..1])$i#end#foreach($i in [-1..1])$i#end", "321-101"},
		{"lists and maps", `#set($l = [1, "a", [true], {}])$l`, "[1, a, [true], {}]"},
		{"names as keys", `#set($m = {a: 1, "b": $nope})$m`, "{a=1, b=null}"},
		{"directives in a text", `#set($s = "#if(true)yes#end")$s`, "yes"},
	})
}

func TestMethods(t *testing.T) {
	runTests(t, []test{
		{"G-INTEG-10 of a text",
			`#set($s = " Añb ")$s.trim().length() $s.trim().toUpperCase() $s.isEmpty() $s.contains("ñ")`,
			"3 AÑB false true"},
		{"parts of a text",
			`#set($s = "añbc")$s.substring(1) $s.substring(1,3) $s.indexOf("b") $s.charAt(1) $s.lastIndexOf("z")`,
			"ñbc ñb 2 ñ -1"},
		{"replace", `#set($s = "a.b.c")$s.replace(".", "-") $s.replaceAll("[.](.)", "<$1>") $s.replaceFirst("\.", "\$")`,
			"a-b-c a<b><c> a$b.c"},
		{"split", `#set($s = "a,b,,")#foreach($p in $s.split(","))($p)#end`, "(a)(b)"},
		{"split at each character", `#foreach($c in $context.connectionId.split(""))$c #end`, "a b c = "},
		{"matches", `$context.connectionId.matches("[a-c]+=") $context.connectionId.matches("[a-c]+")`, "true false"},
		{"compare", `$context.connectionId.equals("abc=") $context.connectionId.startsWith("ab") ` +
			`$context.connectionId.endsWith("x") $context.connectionId.equalsIgnoreCase("ABC=")`, "true true false true"},
		{"of a list", `#set($l = ["a"])#set($x = $l.add("b"))$l.size() $l.isEmpty() $l.contains("b") $l.indexOf("b") ` +
			`$l.set(0, "z")$l $l.remove(0) $l $l.addAll([1, 2]) $l`, "2 false true 1 [z, b] z [b] true [b, 1, 2]"},
		{"of a map", `#set($m = {})$!m.put("k", 1)$m.size() $m.containsKey("k") $m.containsValue(1) $m.values() ` +
			`$m.getOrDefault("x", 5) $m.remove("k") $m.isEmpty() $!m.putAll({"q": 2})$m`,
			"1 true true [1] 5 1 true {q=2}"},
		{"of a number", `#set($n = 2.7)$n.intValue() $n.toString() #set($i = 3)$i.doubleValue()`, "2 2.7 3.0"},
		{"of nothing", `[$nope.size()]`, "[]"},
	})
}

// TestUndefined. Our own: the alternatives of what is only assumed.
func TestUndefined(t *testing.T) {
	parsed, err := vtl.Parse("$a.b $!a ${a} #if('')x#end")
	if err != nil {
		t.Fatal(err)
	}
	s := scope("")
	s.UndefinedAsWritten, s.EmptyTextIsTrue = true, true
	got, err := parsed.Render(s)
	if want := "$a.b  ${a} x"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestListsTakeSteps. Our own: a template that keeps long lists ends before they fill the memory,
// and one list may be as long as the limit says.
func TestListsTakeSteps(t *testing.T) {
	for template, want := range map[string]string{
		"#foreach($i in [1..100])#set($l = [1..100000])#set($x = $all.add($l))#end":                   "too many steps",
		"#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $all.add($j))#end#end":           "a list of more than",
		"#foreach($i in [1..1000])#foreach($j in [1..100])#set($x = $all.add($j))#end#end$all.size()": "100000",
		"#set($l = [1..100000])$l.size()": "100000",
		"#set($l = [1..100001])":          "a list of more than 100000 items",
		"#foreach($i in [1..1000])#set($m[$i] = $i)#end" +
			"#foreach($i in [1..1000])#set($x = $all.add($m.keySet()))#end": "too many steps",
	} {
		parsed, err := vtl.Parse("#set($all = [])#set($m = {})" + template)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.Render(scope(""))
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %.60q, want %q", template, got, want)
		}
	}
}

// TestParseErrors. Our own: a mistake has a place.
func TestParseErrors(t *testing.T) {
	for template, want := range map[string]string{
		"a\n  #if(true)\nb":                     "line 2, column 3: #if without #end",
		"\n#foreach($i in [1])":                 "line 2, column 1: #foreach without #end",
		"#define($i)":                           "line 1, column 1: #define without #end",
		"a #end":                                "line 1, column 3: #end without",
		"#else":                                 "line 1, column 1: #else without",
		"#if(true)#else#elseif(true)#end":       "line 1, column 15: #elseif after #else",
		"#foreach($i in [1])#else#end":          "line 1, column 20: #else without #if",
		"#set($x = )":                           "line 1, column 11: expected a value",
		"#set($x 1)":                            `line 1, column 9: expected "=" after the variable`,
		"#set(x = 1)":                           "line 1, column 6: expected a variable",
		"#set($context = 1)":                    "line 1, column 6: $context cannot be changed",
		"#set($x.y() = 1)":                      "a method cannot get a value",
		"#foreach($x.y in [1])#end":             "has no properties",
		"#foreach($x of [1])#end":               `expected "in"`,
		"#if true":                              `expected "(" before a condition`,
		"#if(true":                              `expected ")" after the condition`,
		"#set($x = 'a":                          "text without a closing '",
		"#set($x = \"\n#if(true)\")":            "line 2, column 1: #if without #end",
		"${x":                                   "${ without }",
		"#* never":                              "comment without *#",
		"#[[ never":                             "#[[ without ]]#",
		"#macro(x)#end":                         "#macro is not supported",
		"#parse('x')":                           "#parse is not supported",
		"$input":                                "$input alone has no text",
		"\n$input.bodyx":                        "line 2, column 7: $input has only body",
		"$input.path()":                         "$input.path needs one argument",
		"$input.json('$.')":                     "a dot without a name",
		"$input.json('$[0')":                    "[ without ]",
		"$input.json('$.a[?(@.b)]')":            "neither an index nor a quoted name",
		"$input.json('$.a.length()')":           "functions such as length() are not supported",
		`$input.json('$["a","b"]')`:             `["a","b"] has more than one name`,
		`$input.json("$.a[?(@.b)]")`:            "neither an index nor a quoted name",
		"$input.json(1)":                        "the JSONPath is not a text",
		"$util.parseJSON('x')":                  "$util has no function parseJSON",
		"$util.urlEncode()":                     "$util.urlEncode needs one argument",
		"$x.f(1":                                `expected ")" after the last value`,
		"$x[1":                                  `expected "]" after an index`,
		"#set($x = {a 1})":                      `expected ":" after the key of a map`,
		strings.Repeat("#if(true)", 200):        "nested too deep",
		"#set($x = " + strings.Repeat("(", 200): "nested too deep",
		strings.Repeat("a", vtl.MaxTemplate+1):  "at most 307200",
	} {
		_, err := vtl.Parse(template)
		var position *vtl.Error
		if !errors.As(err, &position) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %q", template, err, want)
		}
	}
}

// TestRenderErrors. Our own: what fails for a message has a place, and every template
// ends.
func TestRenderErrors(t *testing.T) {
	for template, want := range map[string]string{
		"a\n $util.parseJson('x')":             "line 2, column 7: $util.parseJson: ",
		"\n\n$context.connectionId.shout()":    "line 3, column 22: a text has no method shout with 0 arguments",
		"#set($l = [1])$l.size(1)":             "a list has no method size with 1 arguments",
		"#set($l = {})$l.nope()":               "a map has no method nope",
		"#set($l = 1)$l.nope()":                "a number has no method nope",
		"#set($l = true)$l.nope()":             "a boolean has no method nope",
		"#set($l = [])#set($l[0] = 1)":         "the list has no such item",
		"#set($l = 1)#set($l.x = 1)":           "$l.x is no map and no list",
		"$context.connectionId.substring(9)":   "9 is no number from 0 to 4",
		"$context.connectionId.matches('(')":   "matches: error parsing regexp",
		`#set($p = "$.[")$input.path($p)`:      "JSONPath",
		"#set($l = [])#set($x = $l.add($l))$l": "contains itself",
		"#define($a)$a#end$a":                  "use each other more than 20 deep",
		"#foreach($i in [0..999999999])#end":   "a list of more than 100000 items",
		"#set($m = {})#foreach($i in [1..999])#foreach($j in [1..999])#set($m[\"$i.$j\"] = 1)#end#end": "a map of more",
		"#set($l = [1])#foreach($i in [1..99])#set($x = $l.addAll($l))#end":                            "a list of more than",
		"#set($s = 'aaaaaaaaaaaaaaaa')#foreach($i in [1..13])#set($s = \"$s$s\")#end" +
			"$s.replaceAll('a.*b|a', 'x')": "the regular expression takes too long",
		"#set($s='xxxxxxxxxxxxxxxx')#foreach($i in [1..999])#set($s=\"$s$s\")#end": "the template",
		"#set($s='')#set($l='xxxxxxxxxxxxxxxx')#foreach($i in [1..9])#set($l=$l.concat($l))#end" +
			"#foreach($i in [1..9])#set($l=$l.replace('x', $l))#end": "makes more than",
		"#set($m={})#foreach($i in [1..999])#set($m[$i]=1)#end#set($l=[])" +
			"#foreach($i in [1..999])#set($x=$l.add($m.entrySet()))#end": "too many steps",
		"#foreach($i in [1..1000])#set($x = $input.path('$" + strings.Repeat(".a", 9_000) + "'))#end": "too many steps",
		"#set($s = '%zz')#foreach($i in [1..16])#set($s = $s.concat($s))#end" +
			"#foreach($i in [1..1000])#set($x = $util.urlDecode($s))#end": "too many steps",
		"#set($l=[1])#foreach($i in [1..60])#set($l=[$l,$l])#end$l":                               "too many steps",
		"#foreach($a in [1..1000])#foreach($a in [1..1000])#foreach($a in [1..1000])#end#end#end": "too many steps",
	} {
		parsed, err := vtl.Parse(template)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got, err := parsed.Render(scope(order)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %.60q, %v, want %q", template, got, err, want)
		}
	}
}

// TestIterations. A loop ends after 1000 iterations.
func TestIterations(t *testing.T) {
	parsed, err := vtl.Parse("#foreach($i in [1..2000])x#end!")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed.Render(scope(""))
	if want := strings.Repeat("x", 1000) + "!"; err != nil || got != want {
		t.Errorf("G-INTEG-15: got %d bytes, %v, want 1001", len(got), err)
	}
}

// FuzzTemplate. Our own: nothing panics or runs for long, an error has a place in the
// template, and a template without references and directives is its own result.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"$input.json('$.lines[*]') $!{x.y(1, 'a')[0]} \\$a #[[b]]# #* c *# ## d",
		"#foreach($l in $input.path('$.lines'))#if($l.n > 1 && !$x)$l.sku#elseif(1 == 1.0)b#else#break#end#end",
		"#set($m = {a: [1..3], 'b': -2 * (3 + 4)})#set($m.c = \"$m.a[0]\")$m #define($d)$m.size()#end$d #stop",
		"$util.escapeJavaScript($input.body).replaceAll(\"\\\\'\", \"'\").split(',').get(0)",
		"#set($l = [])#set($x = $l.add($l))#if($l == $l)$l.contains($l)#end",
	} {
		f.Add(seed, order)
	}
	f.Fuzz(func(t *testing.T, template, body string) {
		parsed, err := vtl.Parse(template)
		if err == nil {
			var got string
			got, err = parsed.Render(scope(body))
			if err == nil && !strings.ContainsAny(template, `$#`) && got != template {
				t.Errorf("got %q, want the template itself", got)
			}
		}
		var position *vtl.Error
		if err != nil && !errors.As(err, &position) {
			t.Errorf("an error without a place: %v", err)
		}
		if position != nil && (position.Line < 1 || position.Column < 1 ||
			position.Line > strings.Count(template, "\n")+1) {
			t.Errorf("the place of %v is not in the template", err)
		}
	})
}
