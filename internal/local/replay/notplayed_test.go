package replay_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
)

// TestWithoutAdmin: without an admin API, guests are played, and others are counted apart.
func TestWithoutAdmin(t *testing.T) {
	for name, tt := range map[string]struct {
		guest bool
		want  string
	}{
		"with a guest": {true, "1 of 3 conversations alike, 2 not played without an admin API\n"},
		"without":      {false, "nothing can be played without an admin API"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data := record(t, func(s *shop) {
					alice := s.token("alice", "customer", "")
					phone, laptop := s.open(alice), s.open(alice)
					if tt.guest {
						s.open("").say("sub MUG")
					}
					phone.say("sub cart")
					s.rest(http.MethodPost, "/v1/cart/lines", alice, `{"sku":"MUG","quantity":1}`)
					phone.leave()
					laptop.cut()
				})
				rec, err := recording.Read(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				h, err := house.NewForReplay(rec.Header.Settings)
				if err != nil {
					t.Fatal(err)
				}
				defer h.Close()
				for _, e := range rec.Events { // the stock of that hub
					if e.Item != nil {
						call(t, replay.Serve(h.Admin()), "/admin/stock/"+e.Item.SKU, `{"available":33}`)
					}
				}
				target := h.ReplayTarget()
				target.Admin = nil
				result, err := replay.Play(t.Context(), rec, target)
				got := ""
				if err != nil {
					got = err.Error()
				} else {
					var b bytes.Buffer
					_ = result.Print(&b)
					got = b.String()
				}
				if !strings.Contains(got, tt.want) {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func call(t *testing.T, do func(*http.Request) (*http.Response, error), path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := do(req); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v %v", path, resp, err)
	}
}

// TestUnreachable: a target that does not answer is an error, whatever would be played.
func TestUnreachable(t *testing.T) {
	refused := errors.New("connection refused")
	rec, err := recording.Read(strings.NewReader(header))
	if err != nil {
		t.Fatal(err)
	}
	fail := func(*http.Request) (*http.Response, error) { return nil, refused }
	_, err = replay.Play(t.Context(), rec, replay.Target{
		Dial: func(context.Context, string, *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
			return nil, nil, refused
		},
		REST: fail, Pass: func(context.Context, time.Duration) error { return nil }, Bound: time.Second,
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v, want %v", err, refused)
	}
}
