package hub_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// TestHealBlamesNobodyForTheService lets the service refuse every post for some minutes.
// A mark with nothing left to send serves nobody, and must not make the others guilty.
func TestHealBlamesNobodyForTheService(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	left := th.connect("left", guest, "sku:A")
	for i := range 20 {
		th.connect(fmt.Sprint("c", i), guest, "sku:A")
	}
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.changes = nil
	for n := range 4 {
		th.stock("A", 1+n)
		th.broadcast()
		if _, err := th.Unsubscribe(t.Context(), left, wire.Request{All: true}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := th.Heal(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		th.subscribe(left, "sku:A")
		th.now = th.now.Add(40 * time.Second)
	}
	equal(t, "disconnected", th.disconnected, nil)
	th.postError = nil
	report, _, err := th.Heal(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "report", report, hub.HealReport{Healed: 20})
}

// TestHealFailsIfAllPostsFail: if no post works, healing has an error, so that an alarm can
// go off. Posts that are throttled have an alarm of their own.
func TestHealFailsIfAllPostsFail(t *testing.T) {
	for _, tt := range []struct {
		posts  error
		failed int
	}{{errors.New("no such host"), 1}, {hub.ErrThrottled, 0}} {
		th := newTestHub(t)
		th.stock("A", 9)
		for i := range 20 {
			th.connect(fmt.Sprint("c", i), guest, "sku:A")
		}
		th.postError = func(hub.Post) error { return tt.posts }
		th.changes = nil
		th.stock("A", 1)
		th.broadcast()
		report, _, err := th.Heal(t.Context(), "")
		equal(t, "report", report, hub.HealReport{Kept: 20, Failed: tt.failed})
		if (err != nil) != (tt.failed > 0) || err != nil && !errors.Is(err, tt.posts) {
			t.Errorf("posts fail with %v: got the error %v", tt.posts, err)
		}
	}
}

// TestOldWhenThePostsEnd checks a connection whose $connect has no answer yet, so that
// posts to it are a 410. It stays, although it is no longer young when the posts end.
func TestOldWhenThePostsEnd(t *testing.T) {
	slowly := func(th *testHub) func(hub.Post) error {
		return func(hub.Post) error {
			th.now = th.now.Add(2 * time.Second)
			return hub.ErrGone
		}
	}
	young := func(th *testHub, p hub.Principal, topic string) {
		c := hub.Connection{ID: "young", Principal: p, ConnectedAt: th.now.Add(time.Second - hub.YoungConnection)}
		if err := th.Connect(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		th.subscribe(c, topic)
	}
	t.Run("heal", func(t *testing.T) {
		th := newTestHub(t)
		th.stock("A", 9)
		young(th, guest, "sku:A")
		th.postError = func(hub.Post) error { return hub.ErrGone }
		th.changes = nil
		th.stock("A", 1)
		th.broadcast()
		th.postError = slowly(th)
		report, _, err := th.Heal(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "report", report, hub.HealReport{Kept: 1})
		th.postError, th.sent = nil, nil
		if _, _, err := th.Heal(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		th.wantGot("young", delta(`"sku:A":{"version":2,"state":"low","quantity":1}`))
	})
	t.Run("revoke", func(t *testing.T) {
		th := newTestHub(t)
		young(th, alice, "cart")
		th.postError = slowly(th)
		if _, err := th.Revoke(t.Context(), alice.User); err != nil {
			t.Fatal(err)
		}
		th.postError, th.sent = nil, nil
		if _, _, err := th.Heal(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if n := len(th.got()["young"]); n != 1 {
			t.Errorf("%d messages, want the notice", n)
		}
	})
}
