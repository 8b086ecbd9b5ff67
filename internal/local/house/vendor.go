package house

import (
	"errors"
	"net/http"
	"strings"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// putVendorStock changes the stock of a SKU on behalf of whoever the token in
// Authorization speaks for: what a shop's back end may offer its vendors. The hub
// asks its table of rights.
func (h *House) putVendorStock(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p, err := h.verifier.Verify(r.Context(), token)
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		refuse(w, http.StatusServiceUnavailable, string(wire.CodeBusy), "the token cannot be checked now")
		return
	case err != nil:
		refuse(w, http.StatusUnauthorized, string(wire.CodeTokenBad), "a vendor's token in Authorization: Bearer")
		return
	}
	var change hub.StockChange
	if !decodeBody(w, r, &change) {
		return
	}
	item, err := h.hub.VendorStock(r.Context(), p, r.PathValue("sku"), change)
	h.answerStock(w, item, err)
}
