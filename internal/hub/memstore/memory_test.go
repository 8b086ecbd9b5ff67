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

// TestMemoryOfSets: a set of names shares them with the sets of others.
func TestMemoryOfSets(t *testing.T) {
	const holders, members, most = 500, 50, 24 // most: bytes of a name in a set; 8 are its place
	s := memstore.New("k1")
	collect := func(n int) {
		var names []string
		for i := range members {
			names = append(names, fmt.Sprintf("A-SKU-WITH-A-LONG-NAME-%d", i))
		}
		got, err := s.Collect(t.Context(), fmt.Sprint("guest:", n), "skus", names, members, time.Unix(0, 0))
		if err != nil || len(got) != members {
			t.Fatal(got, err)
		}
	}
	collect(0)
	grown := heaptest.Growth(func() {
		for n := range holders {
			collect(n + 1)
		}
	})
	if each := float64(grown) / (holders * members); each > most {
		t.Errorf("%.0f bytes for each name, want at most %d", each, most)
	}
	runtime.KeepAlive(s)
}
