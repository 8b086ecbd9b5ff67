package catalogue_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/wire"
)

func TestBuiltin(t *testing.T) {
	if n := len(catalogue.Builtin()); n < 35 || n > 45 {
		t.Errorf("got %d products, want about 40", n)
	}
}

// TestBuiltinShop checks what the demo page needs: prices in one currency, a category and
// a drawing for each product, and versions of one product that can be told apart.
func TestBuiltinShop(t *testing.T) {
	versions := map[[3]string]string{}
	groups := map[string]catalogue.Product{}
	for _, p := range catalogue.Builtin() {
		if p.Name == "" || p.Price == "" || p.Currency != "EUR" || p.Category == "" || p.Picture == "" || p.Tint == "" {
			t.Errorf("%s: got %+v, want name, price in EUR, category, picture and tint", p.SKU, p)
		}
		if p.Group == "" {
			if p.Colour != "" || p.Size != "" {
				t.Errorf("%s has a colour or a size, but no group", p.SKU)
			}
			continue
		}
		key := [3]string{p.Group, p.Colour, p.Size}
		if other := versions[key]; other != "" || p.Colour+p.Size == "" {
			t.Errorf("%s and %q are the same version of %s", p.SKU, other, p.Group)
		}
		versions[key] = p.SKU
		first, ok := groups[p.Group]
		if !ok {
			groups[p.Group] = p
			continue
		}
		if p.Picture != first.Picture || p.Tint != first.Tint || p.Category != first.Category || p.Maker != first.Maker {
			t.Errorf("%s and %s are versions of %s, but differ in more than colour, size and price",
				p.SKU, first.SKU, p.Group)
		}
	}
	if len(groups) != 6 {
		t.Errorf("got %d groups, want 6", len(groups))
	}
}

func TestParse(t *testing.T) {
	products, err := catalogue.Parse([]byte(`[
  {"sku":"A","name":"An A","price":"1.00","available":3,"lowAt":2,"vendor":"acme"},
  {"sku":"B","available":0},
  {"sku":"C","backorder":true,"backAt":"2026-12-24"},
  {"sku":"D","tracked":false}
]`))
	if err != nil || len(products) != 4 {
		t.Fatalf("got %+v, %v, want four products", products, err)
	}
	c, d := products[2], products[3]
	if !c.BackOrder || c.BackAt != "2026-12-24" || c.Tracked != nil || d.Tracked == nil || *d.Tracked {
		t.Errorf("got %+v and %+v, want a back order and a product that is not tracked", c, d)
	}
	a, b := products[0], products[1]
	if a.Vendor != "acme" || a.LowAt == nil || *a.LowAt != 2 || b.LowAt != nil {
		t.Errorf("got %+v and %+v", a, b)
	}
}

// TestAnySKU checks that a seed file can have each SKU that a shop can have, and no
// other.
func TestAnySKU(t *testing.T) {
	good, bad := hubtest.Names(t)
	seed := func(sku, vendor string) []byte {
		data, err := json.Marshal([]map[string]any{{"sku": sku, "vendor": vendor, "available": 1}})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, name := range good {
		products, err := catalogue.Parse(seed(name, name))
		if err != nil || len(products) != 1 || products[0].SKU != name || products[0].Vendor != name {
			t.Errorf("%q: got %+v, %v", name, products, err)
		}
	}
	for _, name := range bad {
		if _, err := catalogue.Parse(seed(name, "")); err == nil || !strings.Contains(err.Error(), wire.NameRule) {
			t.Errorf("SKU %q: got %v, want %q", name, err, wire.NameRule)
		}
		if _, err := catalogue.Parse(seed("A", name)); name != "" && (err == nil ||
			!strings.Contains(err.Error(), wire.NameRule)) {
			t.Errorf("vendor %q: got %v, want %q", name, err, wire.NameRule)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		file string
		want string // the beginning of the error
	}{
		"empty file": {"", "line 1: a catalogue is a JSON array of products"},
		"object":     {`{"sku":"A"}`, "line 1: a catalogue is a JSON array of products"},
		"syntax error": {
			"[\n{\"sku\":\"A\"},\n{\"sku\" \"B\"}\n]",
			"line 3: invalid character '\"' after object key",
		},
		"string for a number": {
			"[\n\n{\"sku\":\"A\",\n\"available\":\"3\"}]",
			`line 4: field "available" has the wrong type: string`,
		},
		"fraction": {
			`[{"sku":"A","available":1.5}]`,
			`line 1: field "available" has the wrong type: number 1.5`,
		},
		"negative stock": {
			"[\n{\"sku\":\"A\",\"available\":-1}]",
			`line 2: field "available" of product "A" must be a number from 0 to 1000000000`,
		},
		"negative threshold": {
			"[\n{\"sku\":\"A\",\"lowAt\":-1}]",
			`line 2: field "lowAt" of product "A" must be a number from 0 to 1000000000`,
		},
		"price with a sign": {
			"[\n{\"sku\":\"A\",\n\"price\":\"€ 5\"}]",
			`line 3: field "price" of product "A" must be a number as "19.00"`,
		},
		"currency without a code": {
			`[{"sku":"A","currency":"euro"}]`,
			`line 1: field "currency" of product "A" must be a code as "EUR"`,
		},
		"unknown tint": {
			`[{"sku":"A","tint":"beige"}]`,
			`line 1: field "tint" of product "A" must be one of rose, sky, butter, sage, lilac, sand`,
		},
		"back order without a date": {
			"[\n{\"sku\":\"A\",\"backorder\":true,\n\"backAt\":\"soon\"}]",
			`line 3: field "backAt" of product "A" must be a date as "2026-12-24"`,
		},
		"duplicate field": {"[\n{\"sku\":\"A\",\n\"sku\":\"B\"}]", `line 2: key "sku" occurs twice`},
		"field on a later line": {
			"[\n{\"sku\":\"A\",\n\n\"lowAt\":-1}]",
			`line 4: field "lowAt" of product "A" must be a number`,
		},
		"unknown field": {
			"[\n{\"sku\":\"A\"},\n  {\"sku\":\"B\",\"smell\":\"red\"}]",
			`line 3: unknown field "smell"`,
		},
		"missing SKU": {"[\n{\"name\":\"x\"}]", `line 2: field "sku" of product ""`},
		"invalid SKU": {`[{"sku":"a b "}]`, `line 1: field "sku" of product "a b "`},
		"invalid vendor": {
			`[{"sku":"A","vendor":" a"}]`,
			`line 1: field "vendor" of product "A" must have 1 to 128 bytes of printable text`,
		},
		"duplicate SKU":              {"[\n{\"sku\":\"A\"},\n{\"sku\":\"A\"}]", `line 3: field "sku": "A" occurs twice`},
		"file ends inside a product": {"[\n{\"sku\":\"A\",", "line 2: the file ends in the middle of a product"},
		"unclosed array":             {"[\n{\"sku\":\"A\"}\n", "line 3: the array does not end"},
		"data after the array":       {"[]\n[]", "line 2: unexpected data after the array"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := catalogue.Parse([]byte(tt.file))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s …", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
		})
	}
}
