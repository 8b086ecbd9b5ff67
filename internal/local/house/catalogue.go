package house

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Product is one entry of a catalogue: what the demo page shows, and the stock the
// house begins with.
type Product struct {
	SKU       string `json:"sku"`
	Name      string `json:"name"`
	Price     string `json:"price"` // as it is shown: "19.00"
	Icon      string `json:"icon"`
	Vendor    string `json:"vendor"`
	Available int    `json:"available"` // pieces
	LowAt     *int   `json:"lowAt"`     // pieces; absent: hub.DefaultLowAt
}

//go:embed catalogue.json
var builtin []byte

// BuiltinCatalogue is the catalogue of a house without a seed file.
func BuiltinCatalogue() []Product {
	products, err := ParseCatalogue(builtin)
	if err != nil {
		panic("built-in catalogue: " + err.Error()) // a test reads it
	}
	return products
}

// ParseCatalogue reads a seed file: a JSON array of products. Errors name the line
// and the field.
func ParseCatalogue(data []byte) ([]Product, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	line := func(offset int64) int { return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n")) }
	fail := func(offset int64, format string, args ...any) error {
		return fmt.Errorf("line %d: %s", line(offset), fmt.Sprintf(format, args...))
	}
	// at is where a field of the product that begins at start is written.
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
			err = strictJSON(raw, &p)
		}
		if err != nil {
			var syntax *json.SyntaxError
			switch {
			case errors.As(err, &syntax):
				return nil, fail(syntax.Offset, "%v", syntax)
			case errors.Is(err, io.ErrUnexpectedEOF):
				return nil, fail(int64(len(data)), "the file ends in the middle of a product")
			}
			_, field, _ := strings.Cut(err.Error(), `field "`) // strictJSON names it so
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

// leading counts the blanks and commas before the next value.
func leading(data []byte) int {
	return len(data) - len(bytes.TrimLeft(data, " \t\r\n,"))
}

// check names the first field that cannot be.
func (p Product) check() (field, problem string) {
	switch {
	case !wire.IsName(p.SKU):
		return "sku", fmt.Sprintf("is 1 to %d characters out of A-Z a-z 0-9 . _ ~ -", wire.MaxName)
	case p.Vendor != "" && !wire.IsName(p.Vendor):
		return "vendor", "is not a name"
	case p.Available < 0 || p.Available > hub.MaxAvailable:
		return "available", fmt.Sprintf("is a number from 0 to %d", hub.MaxAvailable)
	case p.LowAt != nil && (*p.LowAt < 0 || *p.LowAt > hub.MaxAvailable):
		return "lowAt", fmt.Sprintf("is a number from 0 to %d", hub.MaxAvailable)
	}
	return "", ""
}

// seed fills the store. What tables have is left alone: it is newer.
func (h *House) seed(ctx context.Context) error {
	if h.opts.Tables != nil && !h.opts.SeedTables {
		return nil
	}
	for _, p := range h.opts.Catalogue {
		there, err := h.store.Items(ctx, []string{p.SKU})
		if err != nil {
			return fmt.Errorf("seed: %w", err)
		}
		if _, known := there[p.SKU]; known {
			continue
		}
		change := hub.StockChange{Available: &p.Available, LowAt: p.LowAt, Vendor: &p.Vendor}
		// A row that is there but cannot be read is a conflict.
		if _, err := h.hub.PutStock(ctx, p.SKU, change); err != nil && !errors.Is(err, hub.ErrConflict) {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}
