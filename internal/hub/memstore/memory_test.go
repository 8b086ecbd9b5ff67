package memstore_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/securecart/hub/internal/heaptest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// TestMemoryOfSubscriptions: a subscription is a place in two lists, and shares what it says of
// its connection and its topic with others.
func TestMemoryOfSubscriptions(t *testing.T) {
	const connections, topics, most = 500, 50, 80 // most: bytes; 32 are the connection's topic, 8 that of the list
	s := memstore.New("k1")
	subscribe := func(n int) {
		c := hub.Connection{ID: fmt.Sprintf("L0SM%011d=", n), ConnectedAt: time.Unix(0, 0), Endpoint: "host/v1",
			Principal: hub.Principal{User: fmt.Sprint("guest:", n), Role: hub.RoleGuest}}
		if err := s.PutConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var list []hub.Topic
		for i := range topics {
			list = append(list, hub.Topic{Kind: hub.KindSKU, Name: fmt.Sprintf("A-SKU-WITH-A-LONG-NAME-%d", i)})
		}
		if _, err := s.Subscribe(t.Context(), c, list); err != nil {
			t.Fatal(err)
		}
	}
	subscribe(0)
	grown := heaptest.Growth(func() {
		for n := range connections {
			subscribe(n + 1)
		}
	})
	each := float64(grown) / (connections * topics)
	if each > most {
		t.Errorf("%.0f bytes for each subscription, want at most %d", each, most)
	}
	t.Logf("%.0f bytes", each)
	runtime.KeepAlive(s)
}
