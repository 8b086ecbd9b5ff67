// Package catalogue reads the products that a localhub starts with.
package catalogue

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/strictjson"
	"github.com/securecart/hub/internal/wire"
)

// Product is one entry of a catalogue: what the demo page shows, and the stock to
// begin with.
type Product struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Group    string `json:"group"`    // name of the product that the SKU is a version of; "": the SKU is all of it
	Colour   string `json:"colour"`   // of the version: "red"
	Size     string `json:"size"`     // of the version: "M"
	Price    string `json:"price"`    // "19.00"
	Currency string `json:"currency"` // "EUR" (ISO 4217)
	Category string `json:"category"`
	Picture  string `json:"picture"` // name of a drawing in web/shop/pictures
	Tint     string `json:"tint"`    // name of the colour behind the drawing, one of tints
	Maker    string `json:"maker"`   // as the page shows it; Vendor is who may see and set the stock

	Vendor    string `json:"vendor"`
	Available int    `json:"available"` // pieces
	LowAt     *int   `json:"lowAt"`     // pieces; absent: hub.DefaultLowAt
	Tracked   *bool  `json:"tracked"`   // false: the stock is not counted
	BackOrder bool   `json:"backorder"` // people may order more than there is
	BackAt    string `json:"backAt"`    // the date when it is expected again: "2026-12-24"
}

// tints are the grounds that the page has behind drawings.
var tints = []string{"rose", "sky", "butter", "sage", "lilac", "sand"}

var (
	priceForm    = regexp.MustCompile(`^[0-9]{1,7}(\.[0-9]{1,2})?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

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
	r := reader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	if t, err := r.dec.Token(); err != nil || t != json.Delim('[') {
		return nil, r.errorAt(r.dec.InputOffset(), "a catalogue is a JSON array of products")
	}
	products := []Product{}
	seen := map[string]bool{}
	for r.dec.More() {
		start := r.dec.InputOffset() + int64(leading(data[r.dec.InputOffset():]))
		p, err := r.product(start)
		if err != nil {
			return nil, err
		}
		if seen[p.SKU] {
			return nil, r.errorAt(r.fieldOffset(start, "sku"), "field \"sku\": %q occurs twice", wire.Clip(p.SKU))
		}
		seen[p.SKU] = true
		products = append(products, p)
	}
	if _, err := r.dec.Token(); err != nil {
		return nil, r.errorAt(int64(len(data)), "the array does not end")
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.errorAt(r.dec.InputOffset(), "unexpected data after the array")
	}
	return products, nil
}

// reader reads products and knows the lines that they are on.
type reader struct {
	data []byte
	dec  *json.Decoder
}

// product reads the next product, which begins at start.
func (r reader) product(start int64) (p Product, err error) {
	var raw json.RawMessage
	var syntax *json.SyntaxError
	switch err := r.dec.Decode(&raw); {
	case errors.As(err, &syntax):
		return p, r.errorAt(syntax.Offset, "%v", syntax)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return p, r.errorAt(int64(len(r.data)), "the file ends in the middle of a product")
	case err != nil:
		return p, r.errorAt(start, "%v", err)
	}
	if err := strictjson.Decode(raw, &p); err != nil {
		_, field, _ := strings.Cut(err.Error(), `field "`) // as strictjson writes it
		field, _, _ = strings.Cut(field, `"`)
		return p, r.errorAt(r.fieldOffset(start, field), "%v", err)
	}
	if field, problem := p.check(); problem != "" {
		return p, r.errorAt(r.fieldOffset(start, field), "field %q of product %q %s", field, wire.Clip(p.SKU), problem)
	}
	return p, nil
}

// errorAt is an error with the line of an offset.
func (r reader) errorAt(offset int64, format string, args ...any) error {
	line := 1 + bytes.Count(r.data[:min(offset, int64(len(r.data)))], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...))
}

// fieldOffset is the offset of a field in the product that begins at start.
func (r reader) fieldOffset(start int64, field string) int64 {
	return start + int64(max(0, bytes.Index(r.data[start:], []byte(`"`+field+`"`))))
}

// leading counts the white space and commas before the next value.
func leading(data []byte) int {
	return len(data) - len(bytes.TrimLeft(data, " \t\r\n,"))
}

// check names the first field whose value is not allowed.
func (p Product) check() (field, problem string) {
	switch {
	case !wire.IsName(p.SKU):
		return "sku", fmt.Sprintf("must have %s", wire.NameRule)
	case p.Vendor != "" && !wire.IsName(p.Vendor):
		return "vendor", fmt.Sprintf("must have %s", wire.NameRule)
	case p.Price != "" && !priceForm.MatchString(p.Price):
		return "price", `must be a number as "19.00"`
	case p.Currency != "" && !currencyForm.MatchString(p.Currency):
		return "currency", `must be a code as "EUR"`
	case p.Tint != "" && !slices.Contains(tints, p.Tint):
		return "tint", "must be one of " + strings.Join(tints, ", ")
	case p.Available < 0 || p.Available > hub.MaxAvailable:
		return "available", fmt.Sprintf("must be a number from 0 to %d", hub.MaxAvailable)
	case p.LowAt != nil && (*p.LowAt < 0 || *p.LowAt > hub.MaxAvailable):
		return "lowAt", fmt.Sprintf("must be a number from 0 to %d", hub.MaxAvailable)
	case p.BackAt != "" && !hub.IsDate(p.BackAt):
		return "backAt", `must be a date as "2026-12-24"`
	}
	return "", ""
}
