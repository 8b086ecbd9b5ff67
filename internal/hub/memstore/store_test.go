package memstore_test

import (
	"testing"

	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
)

func TestStore(t *testing.T) {
	hubtest.TestStore(t, func(*testing.T) hubtest.Fixture {
		var feed hubtest.Feed
		store := memstore.New("k1")
		store.Follow(feed.Add)
		return hubtest.Fixture{Store: store, Changes: feed.Changes}
	})
}
