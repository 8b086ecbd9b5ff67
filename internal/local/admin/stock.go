package admin

import (
	"net/http"
	"time"

	"github.com/securecart/hub/internal/auth/bearer"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
)

// stock is an item as the API shows it.
type stock struct {
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
}

func (a api) replyStock(w http.ResponseWriter, i hub.Item, err error) {
	if err != nil {
		a.fail(w, err)
		return
	}
	s := stock{
		SKU: i.SKU, Version: i.Version, Available: i.Available, LowAt: i.LowAt, Vendor: i.Vendor,
		UpdatedAt: i.UpdatedAt, Deleted: i.Deleted, BackOrder: i.BackOrder, BackAt: i.BackAt,
	}
	if i.Untracked {
		s.Tracked = new(bool)
	}
	reply(w, http.StatusOK, s)
}

func (a api) getStock(w http.ResponseWriter, r *http.Request) {
	item, err := a.Hub.Stock(r.Context(), r.PathValue("sku"))
	a.replyStock(w, item, err)
}

func (a api) putStock(w http.ResponseWriter, r *http.Request) {
	var change hub.StockChange
	if !decodeBody(w, r, &change) {
		return
	}
	item, err := a.Hub.PutStock(r.Context(), r.PathValue("sku"), change)
	a.replyStock(w, item, err)
}

func (a api) deleteStock(w http.ResponseWriter, r *http.Request) {
	item, err := a.Hub.DeleteStock(r.Context(), r.PathValue("sku"))
	a.replyStock(w, item, err)
}

// putVendorStock changes stock on behalf of the principal of a token, as a shop's
// back end may offer it to vendors. The hub's table of rights decides.
func (a api) putVendorStock(w http.ResponseWriter, r *http.Request) {
	token, err := bearer.Token(r.Header.Values("Authorization")...)
	var p hub.Principal
	if err == nil {
		p, err = a.Verifier.Verify(r.Context(), token)
	}
	if err != nil {
		code, message := handler.TokenRefusal(err)
		refuse(w, code, message)
		return
	}
	var change hub.StockChange
	if !decodeBody(w, r, &change) {
		return
	}
	item, err := a.Hub.VendorStock(r.Context(), p, r.PathValue("sku"), change)
	a.replyStock(w, item, err)
}
