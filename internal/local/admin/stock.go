package admin

import (
	"errors"
	"net/http"

	"github.com/securecart/hub/internal/auth/bearer"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/stockjson"
)

func (a api) replyStock(w http.ResponseWriter, i hub.Item, err error) {
	if err != nil && !errors.Is(err, hub.ErrOlder) {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, stockjson.NewItem(i, err))
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
