// Package stockjson is the JSON of stock for those who change it: one item, one change,
// and many changes as NDJSON. The admin API and the REST API have the same.
package stockjson

import (
	"errors"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// Item is an item as the APIs show it.
type Item struct {
	SKU       string    `json:"sku"`
	Version   int64     `json:"version"`
	Available int       `json:"available"` // pieces
	LowAt     int       `json:"lowAt"`     // pieces
	Vendor    string    `json:"vendor,omitempty"`
	UpdatedAt time.Time `json:"updatedAt"`
	Deleted   bool      `json:"deleted,omitempty"`
	Tracked   *bool     `json:"tracked,omitempty"` // false: the stock is not counted
	BackOrder bool      `json:"backorder,omitempty"`
	BackAt    string    `json:"backAt,omitempty"` // "2026-12-24"

	// Ignored is "older" if a change was older than what is stored. The item is as it was.
	Ignored string `json:"ignored,omitempty"`
}

// NewItem returns what an API shows after a change. err is that of the change: nil, or
// [hub.ErrOlder].
func NewItem(i hub.Item, err error) Item {
	shown := Item{
		SKU: i.SKU, Version: i.Version, Available: i.Available, LowAt: i.LowAt, Vendor: i.Vendor,
		UpdatedAt: i.UpdatedAt, Deleted: i.Deleted, BackOrder: i.BackOrder, BackAt: i.BackAt,
	}
	if i.Untracked {
		shown.Tracked = new(bool)
	}
	if errors.Is(err, hub.ErrOlder) {
		shown.Ignored = "older"
	}
	return shown
}
