package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/stockjson"
	"github.com/securecart/hub/internal/wire"
)

// maxListed is the most rows of one answer. Our own choice.
const maxListed = 1000

// Rows are the rows of a house that can list them.
type Rows interface {
	// Stock returns at most limit items that are not deleted, by SKU, beginning after the
	// given one, and whether there are more.
	Stock(after string, limit int) (items []hub.Item, more bool)

	// Carts returns all carts, by id.
	Carts() []hub.Cart
}

// Mapping is an event source mapping and what it has counted.
type Mapping struct {
	Name     string `json:"name"`
	Records  int    `json:"records"`
	Batches  int    `json:"batches"`
	Retries  int    `json:"retries"`
	Failures int    `json:"failures"` // records that were given up, or left a full shard
	Queued   int    `json:"queued"`   // records that wait
}

func (a api) getStream(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"mappings": a.House.Mappings(), "held": a.House.Held()})
}

// postStream holds the stream, lets it go on, or delivers a batch again.
func (a api) postStream(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Hold  *bool   `json:"hold"`
		Again *uint64 `json:"again"` // id of the batch's event
	}
	if !decodeBody(w, r, &request) {
		return
	}
	switch {
	case (request.Hold == nil) == (request.Again == nil):
		refuse(w, wire.CodeBadField, `send "hold", true or false, or "again", the id of a batch`)
		return
	case request.Hold != nil:
		a.House.Hold(*request.Hold)
	default:
		if err := a.House.Again(*request.Again); err != nil {
			refuse(w, hub.CodeNotFound, err.Error())
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// rowsElsewhere refuses to list rows that are in tables outside of this process.
func rowsElsewhere(w http.ResponseWriter) {
	refuse(w, hub.CodeNotFound, "rows are in tables outside of localhub, which can list them")
}

func (a api) listStock(w http.ResponseWriter, r *http.Request) {
	if a.Rows == nil {
		rowsElsewhere(w)
		return
	}
	rows, more := a.Rows.Stock(r.URL.Query().Get("after"), maxListed)
	items := make([]stockjson.Item, len(rows))
	for i, row := range rows {
		items[i] = stockjson.NewItem(row, nil)
	}
	reply(w, http.StatusOK, map[string]any{"items": items, "more": more})
}

// cart is a cart as the list shows it.
type cart struct {
	Owner     string         `json:"owner"` // the id of the cart
	Version   int64          `json:"version"`
	Lines     int            `json:"lines"`
	UpdatedAt time.Time      `json:"updatedAt"`
	SKUs      map[string]int `json:"skus,omitempty"` // quantities; only with ShowPrivate
}

func (a api) listCarts(w http.ResponseWriter, _ *http.Request) {
	if a.Rows == nil {
		rowsElsewhere(w)
		return
	}
	carts := []cart{}
	for _, row := range a.Rows.Carts() {
		c := cart{Owner: row.ID, Version: row.Version, UpdatedAt: row.UpdatedAt}
		skus := map[string]int{}
		for sku, line := range row.Lines {
			if line.Quantity > 0 { // others are tombstones
				skus[sku] = line.Quantity
			}
		}
		if c.Lines = len(skus); a.ShowPrivate {
			c.SKUs = skus
		}
		carts = append(carts, c)
	}
	reply(w, http.StatusOK, map[string]any{"carts": carts[:min(len(carts), maxListed)], "more": len(carts) > maxListed})
}

// topic is a topic that somebody follows.
type topic struct {
	Topic       string     `json:"topic"`
	Subscribers int        `json:"subscribers"`
	Version     int64      `json:"version"`         // of its row; 0: there is none, or it is a vendor's list
	State       wire.State `json:"state,omitempty"` // of a SKU
}

// listTopics lists what open connections follow, the most followed first.
func (a api) listTopics(w http.ResponseWriter, r *http.Request) {
	prefix := r.URL.Query().Get("prefix")
	subscribers := map[hub.Topic]int{}
	for _, open := range a.Gateway.Connections() {
		row, err := a.Connections.Connection(r.Context(), open.ConnectionID)
		if err != nil && !errors.Is(err, hub.ErrGone) {
			a.fail(w, err)
			return
		}
		for _, t := range row.Topics {
			if strings.HasPrefix(t.String(), prefix) {
				subscribers[t]++
			}
		}
	}
	topics := make([]hub.Topic, 0, len(subscribers))
	for t := range subscribers {
		topics = append(topics, t)
	}
	slices.SortFunc(topics, func(a, b hub.Topic) int {
		return cmp.Or(subscribers[b]-subscribers[a], cmp.Compare(a.String(), b.String()))
	})
	more := len(topics) > maxListed
	topics = topics[:min(len(topics), maxListed)]
	listed, err := a.describe(r.Context(), topics, subscribers)
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"topics": listed, "more": more})
}

// describe adds versions and states to topics.
func (a api) describe(ctx context.Context, topics []hub.Topic, subscribers map[hub.Topic]int) ([]topic, error) {
	var skus []string
	for _, t := range topics {
		if t.Kind == hub.KindSKU {
			skus = append(skus, t.Name)
		}
	}
	items := map[string]hub.Item{}
	for page := range slices.Chunk(skus, wire.MaxTopics) { // as many as a client's request reads
		found, err := a.Source.Items(ctx, page)
		if err != nil {
			return nil, err
		}
		for sku, item := range found {
			items[sku] = item
		}
	}
	listed := make([]topic, len(topics))
	for i, t := range topics {
		listed[i] = topic{Topic: t.String(), Subscribers: subscribers[t]}
		switch t.Kind {
		case hub.KindSKU:
			badge := items[t.Name].Badge(hub.ShapeExact)
			listed[i].Version, listed[i].State = badge.Version, badge.State
		case hub.KindCart:
			row, err := a.Source.Cart(ctx, t.Name)
			if err != nil {
				return nil, err
			}
			listed[i].Version = row.Version
		}
	}
	return listed, nil
}
