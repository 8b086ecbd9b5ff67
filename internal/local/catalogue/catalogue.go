// Package catalogue reads the products that a localhub starts with.
package catalogue

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/strictjson"
	"github.com/securecart/hub/internal/wire"
)

// Product is one entry of a catalogue: what the demo page shows, and the stock to
// begin with.
type Product struct {
	SKU       string `json:"sku"`
	Name      string `json:"name"`
	Price     string `json:"price"` // as the page shows it: "19.00"
	Icon      string `json:"icon"`
	Vendor    string `json:"vendor"`
	Available int    `json:"available"` // pieces
	LowAt     *int   `json:"lowAt"`     // pieces; absent: hub.DefaultLowAt
}

//go:embed catalogue.json
var builtin []byte

// Builtin is the catalogue of a localhub without a seed file.
func Builtin() []Product {
	products, err := Parse(builtin)
	if err != nil {
		panic("built-in catalogue: " + err.Error()) // a test reads it
	}
	return products
}

// Parse reads a seed file: a JSON array of products. Errors name the line and the
// field.
func Parse(data []byte) ([]Product, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	line := func(offset int64) int { return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n")) }
	fail := func(offset int64, format string, args ...any) error {
		return fmt.Errorf("line %d: %s", line(offset), fmt.Sprintf(format, args...))
	}
	// at is the offset of a field in the product that begins at start.
	at := func(start int64, field string) int64 {
		return start + int64(max(0, bytes.Index(data[start:], []byte(`"`+field+`"`))))
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, fail(dec.InputOffset(), "a catalogue is a JSON array of products")
	}
	products := []Product{}
	seen := map[string]bool{}
	for dec.More() {
		start := dec.InputOffset() + int64(leading(data[dec.InputOffset():]))
		var p Product
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if err == nil {
			err = strictjson.Decode(raw, &p)
		}
		if err != nil {
			var syntax *json.SyntaxError
			switch {
			case errors.As(err, &syntax):
				return nil, fail(syntax.Offset, "%v", syntax)
			case errors.Is(err, io.ErrUnexpectedEOF):
				return nil, fail(int64(len(data)), "the file ends in the middle of a product")
			}
			_, field, _ := strings.Cut(err.Error(), `field "`) // as strictjson writes it
			field, _, _ = strings.Cut(field, `"`)
			return nil, fail(at(start, field), "%v", err)
		}
		if field, problem := p.check(); problem != "" {
			return nil, fail(at(start, field), "field %q of product %q %s", field, p.SKU, problem)
		}
		if seen[p.SKU] {
			return nil, fail(at(start, "sku"), "field \"sku\": %q occurs twice", p.SKU)
		}
		seen[p.SKU] = true
		products = append(products, p)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fail(int64(len(data)), "the array does not end")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fail(dec.InputOffset(), "something follows the array")
	}
	return products, nil
}

// leading counts the white space and commas before the next value.
func leading(data []byte) int {
	return len(data) - len(bytes.TrimLeft(data, " \t\r\n,"))
}

// check names the first field whose value is not allowed.
func (p Product) check() (field, problem string) {
	switch {
	case !wire.IsName(p.SKU):
		return "sku", fmt.Sprintf("must have 1 to %d of the characters A-Z a-z 0-9 . _ ~ -", wire.MaxName)
	case p.Vendor != "" && !wire.IsName(p.Vendor):
		return "vendor", fmt.Sprintf("must have 1 to %d of the characters A-Z a-z 0-9 . _ ~ -", wire.MaxName)
	case p.Available < 0 || p.Available > hub.MaxAvailable:
		return "available", fmt.Sprintf("must be a number from 0 to %d", hub.MaxAvailable)
	case p.LowAt != nil && (*p.LowAt < 0 || *p.LowAt > hub.MaxAvailable):
		return "lowAt", fmt.Sprintf("must be a number from 0 to %d", hub.MaxAvailable)
	}
	return "", ""
}
