package rest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Values of Cache-Control for stock (RFC 9111, RFC 5861).
const (
	// publicBadges lets every cache keep a badge for a second, and show it for five more
	// while it asks again.
	publicBadges = "public, max-age=1, stale-while-revalidate=5"
	// privateStock is for those who may see exact figures.
	privateStock = "private, no-cache"
)

// skuTopic begins the topic of a SKU.
const skuTopic = "sku:"

// getStocks answers with a snapshot of the SKUs that the query names: ?sku=A&sku=B.
func (a api) getStocks(r *http.Request) (reply, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return reply{}, &wire.Error{Code: wire.CodeBadField, Message: "the query is not percent-encoded text"}
	}
	switch n := len(query["sku"]); {
	case n == 0:
		return reply{}, &wire.Error{Code: wire.CodeBadField, Message: "name SKUs in the query: ?sku=A&sku=B"}
	case n > wire.MaxTopics: // even if they are the same
		return reply{}, &wire.Error{
			Code: wire.CodeTooManyTopics, Message: fmt.Sprintf("at most %d SKUs at once", wire.MaxTopics),
		}
	}
	c, s, err := a.snapshot(r, query["sku"])
	if err != nil {
		return reply{}, err
	}
	return stockReply(c.Principal, s), nil
}

// getStock answers with a snapshot of one SKU. What a snapshot refuses is an error.
func (a api) getStock(r *http.Request) (reply, error) {
	sku := r.PathValue("sku")
	c, s, err := a.snapshot(r, []string{sku})
	if err != nil {
		return reply{}, err
	}
	if code, refused := s.Refused[skuTopic+sku]; refused {
		return reply{}, a.refusal(code)
	}
	return stockReply(c.Principal, s), nil
}

// snapshot returns the state of SKUs as the caller may see it.
func (a api) snapshot(r *http.Request, skus []string) (hub.Connection, wire.Snapshot, error) {
	c, err := a.caller(r)
	if err != nil {
		return c, wire.Snapshot{}, err
	}
	if c, err = a.h.Admit(r.Context(), c, 0); err != nil {
		return c, wire.Snapshot{}, err
	}
	topics := make([]string, len(skus))
	for i, sku := range skus {
		topics[i] = skuTopic + sku
	}
	request, err := wire.DecodeFields(wire.ActionGet, nil, map[string]any{"topics": topics})
	if err != nil {
		return c, wire.Snapshot{}, err
	}
	s, err := a.h.Get(r.Context(), c, request)
	return c, s, err
}

// stockReply returns the answer with a snapshot of SKUs that p sees.
func stockReply(p hub.Principal, s wire.Snapshot) reply {
	body := wire.Encode(s)
	answer := reply{body: body, tag: bodyTag(body), cache: privateStock}
	switch {
	case slices.Contains(slices.Collect(maps.Values(s.Refused)), wire.CodeSlowDown):
		answer.cache = "no-store" // the refusal is this client's alone
	case p.Role == hub.RoleGuest || p.Role == hub.RoleCustomer: // who see badges alone
		answer.cache = publicBadges
	}
	return answer
}

// refusal returns the error of a topic that a snapshot refuses.
func (a api) refusal(code wire.Code) error {
	switch code {
	case wire.CodeDenied:
		return hub.ErrForbidden
	case wire.CodeSlowDown:
		now := a.h.Now()
		return &hub.Error{
			Kind: hub.ErrThrottled, Code: code, Retry: true,
			Message: "a guest looked at too many different products in an hour",
			After:   now.Truncate(hub.CatalogueWindow).Add(hub.CatalogueWindow).Sub(now),
		}
	case wire.CodeTokenExpired:
		return &wire.Error{Code: code, Message: "the session has ended; get a new token"}
	case wire.CodeInternal:
		return hub.ErrUnreadable
	}
	return &wire.Error{Code: code, Message: wire.NotAName("SKU", "")}
}
