package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/replay"
)

var update = flag.Bool("update", false, "record the afternoon anew")

// afternoonFile is a recorded afternoon, from the repository's root.
const afternoonFile = "../../../testdata/recordings/afternoon.ndjson"

// pause lets all that a step leads to happen, in virtual time.
const pause = 100 * time.Millisecond

// shop is a house whose afternoon is recorded.
type shop struct {
	t      *testing.T
	house  *house.House
	admin  func(*http.Request) (*http.Response, error)
	tokens map[string]string
}

// visitor is somebody's open connection.
type visitor struct {
	shop *shop
	conn *websocket.Conn
	last chan string // the last frame, of those that nobody read
}

// buffer is a file in memory.
type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

// stocked are products with few pieces, many, none and two vendors.
func stocked(t *testing.T) []catalogue.Product {
	t.Helper()
	skus := []string{"MUG", "MUG-BLUE", "TEE-RED-M", "TEE-BLUE-M", "CAP-NAVY", "SOCKS-3", "GIFT-CARD"}
	var some []catalogue.Product
	for _, p := range catalogue.Builtin() {
		if slices.Contains(skus, p.SKU) {
			some = append(some, p)
		}
	}
	if len(some) != len(skus) {
		t.Fatalf("the catalogue has %d of the products", len(some))
	}
	return some
}

// record returns what a recorder writes while play runs.
func record(t *testing.T, play func(*shop)) []byte {
	t.Helper()
	var file buffer
	h, err := house.New(house.Options{
		Catalogue: stocked(t), Recording: house.Recording{File: &file, Name: "test", Localhub: "test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, house: h, admin: replay.Serve(h.Admin()), tokens: map[string]string{}}
	play(s)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// do sends a request of an operator to the admin API.
func (s *shop) do(method, path, body string) []byte {
	s.t.Helper()
	return s.send(s.admin, method, path, "", body)
}

// request is do with somebody's token.
func (s *shop) request(method, path, token, body string) {
	s.t.Helper()
	s.send(s.admin, method, path, token, body)
}

// rest sends a request to the REST API.
func (s *shop) rest(method, path, token, body string) {
	s.t.Helper()
	s.send(replay.Serve(s.house), method, path, token, body)
}

func (s *shop) send(
	do func(*http.Request) (*http.Response, error), method, path, token, body string,
) []byte {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 400 {
		s.t.Fatalf("%s %s %s: %d %s %v", method, path, body, resp.StatusCode, answer, err)
	}
	wait(pause)
	return answer
}

func (s *shop) stock(sku, change string) {
	s.t.Helper()
	s.do(http.MethodPut, "/admin/stock/"+sku, change)
}

// token issues a token of a user and keeps it under the user's name.
func (s *shop) token(user, role, vendor string) string {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"user": user, "role": role, "vendor": vendor})
	if err != nil {
		s.t.Fatal(err)
	}
	var issued struct{ Token string }
	if err := json.Unmarshal(s.do(http.MethodPost, "/admin/token", string(body)), &issued); err != nil {
		s.t.Fatal(err)
	}
	return issued.Token
}

// warp moves the clock, in steps in which no connection is idle for too long.
func (s *shop) warp(by time.Duration, open ...*visitor) {
	s.t.Helper()
	for by > 0 {
		step := min(by, 9*time.Minute)
		by -= step
		s.do(http.MethodPost, "/admin/warp", fmt.Sprintf(`{"by":%q}`, step))
		for _, v := range open {
			v.say("ping")
		}
	}
}

// open opens a connection with a token or, with "", as a new guest.
func (s *shop) open(token string) *visitor {
	s.t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}, CompressionMode: websocket.CompressionDisabled}
	if token != "" {
		o.Subprotocols = append(o.Subprotocols, "bearer."+token)
	}
	return s.dial("", o)
}

func (s *shop) dial(query string, o *websocket.DialOptions) *visitor {
	s.t.Helper()
	conn, _, err := s.house.DialQuery(s.t.Context(), query, o)
	if err != nil {
		s.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	v := &visitor{shop: s, conn: conn, last: make(chan string, 1)}
	go func() {
		for {
			_, data, err := conn.Read(context.Background())
			if err != nil {
				_ = conn.CloseNow()
				return
			}
			select {
			case <-v.last:
			default:
			}
			v.last <- string(data)
		}
	}()
	wait(pause)
	return v
}

// say sends a message and returns the last frame that came.
func (v *visitor) say(text string) string {
	v.shop.t.Helper()
	v.send(text)
	wait(pause)
	select {
	case frame := <-v.last:
		return frame
	default:
		return ""
	}
}

// send sends a message and does not wait.
func (v *visitor) send(text string) {
	v.shop.t.Helper()
	if err := v.conn.Write(v.shop.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		v.shop.t.Fatal(err)
	}
}

func (v *visitor) leave() {
	_ = v.conn.Close(websocket.StatusNormalClosure, "")
	wait(pause)
}

// cut ends a connection as a network does that breaks.
func (v *visitor) cut() {
	_ = v.conn.CloseNow()
	wait(pause)
}

// hello returns the id of the connection, and the guest's token if it has one.
func (v *visitor) hello() (connection, token, epoch string) {
	v.shop.t.Helper()
	var m struct{ ConnectionID, GuestToken, Epoch string }
	if err := json.Unmarshal([]byte(v.say(`{"action":"hello","id":"who"}`)), &m); err != nil {
		v.shop.t.Fatal(err)
	}
	return m.ConnectionID, m.GuestToken, m.Epoch
}

// TestAfternoon plays the recorded afternoon against this build. With -update it is
// recorded first.
func TestAfternoon(t *testing.T) {
	if *update {
		synctest.Test(t, func(t *testing.T) {
			if err := os.WriteFile(afternoonFile, record(t, afternoon), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	data, err := os.ReadFile(afternoonFile)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		for _, c := range play(t, data) {
			if c.Difference != nil {
				t.Errorf("%s  %s", c.Name, c.Difference)
			}
		}
	})
}
