package memstore_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
)

func open(*testing.T) hubtest.Fixture {
	var mu sync.Mutex
	var changes []hub.Change
	store := memstore.New(memstore.Options{Epoch: "k1", OnCommit: func(c hub.Change) {
		mu.Lock()
		defer mu.Unlock()
		changes = append(changes, c)
	}})
	return hubtest.Fixture{Store: store, Changes: func(context.Context) ([]hub.Change, error) {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(changes), nil
	}}
}

func TestStore(t *testing.T) { hubtest.TestStore(t, open) }
