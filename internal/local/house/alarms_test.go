package house_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/house"
)

// lostTables are tables that can be lost.
type lostTables struct {
	*fakeTables
	lost atomic.Bool
}

var errLost = errors.New("no such host")

func (l *lostTables) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if l.lost.Load() {
		return nil, errLost
	}
	return l.fakeTables.Items(ctx, skus)
}

func (l *lostTables) Revocation(ctx context.Context, name string) (time.Time, error) {
	if l.lost.Load() {
		return time.Time{}, errLost
	}
	return l.fakeTables.Revocation(ctx, name)
}

func (l *lostTables) Revoke(ctx context.Context, name string, until time.Time) error {
	if l.lost.Load() {
		return errLost
	}
	return l.fakeTables.Revoke(ctx, name, until)
}

// alarmBubble is a house in a bubble in which something fails.
type alarmBubble struct {
	*testing.T
	h    *house.House
	rows *lostTables
}

// mug changes the stock of MUG in the shop's table, to n+1.
func (b alarmBubble) mug(n int) {
	at := strconv.FormatInt(b.h.Now().UnixMilli(), 10)
	b.rows.inventory(rowRecord(n, "sku", "MUG", `"available":{"N":"`+strconv.Itoa(n+1)+`"},
		"version":{"N":"`+strconv.Itoa(n+2)+`"},"updatedAt":{"N":"`+at+`"}`))
	settle(b, b.h)
}

// handshake tries to connect.
func (b alarmBubble) handshake(query, header, value string) {
	o := &websocket.DialOptions{HTTPHeader: http.Header{header: {value}}}
	if conn, _, err := b.h.DialQuery(b.Context(), query, o); err == nil {
		_ = conn.CloseNow()
		b.Error("the handshake is accepted")
	}
}

func (b alarmBubble) handshakesOfAlice() {
	bearer := "Bearer " + token(b, b.h, "alice")
	b.rows.lost.Store(true)
	for range 3 {
		b.handshake("auth=required", "Authorization", bearer) // reads whether the session was revoked
	}
}

// watcher connects a client that watches MUG.
func (b alarmBubble) watcher() {
	c := dial(b, b.h, "")
	b.Cleanup(c.close)
	c.send("sub sku:MUG")
	c.read()
}

// faults make the alarms of the list go off, each in a bubble of its own.
var faults = map[string]func(alarmBubble){
	"FailureQueuesAlarm": func(b alarmBubble) {
		b.h.Hold(true)
		for n := range esm.DefaultBuffer + 1 { // the stream drops the oldest
			b.rows.inventory(esm.Record{Key: "MUG", SequenceNumber: "1", Data: []byte("{}"), Tag: uint64(n)})
		}
		b.h.Hold(false)
		settle(b, b.h)
	},
	"IteratorAgeAlarm": func(b alarmBubble) {
		for n := range 3 {
			b.h.Hold(true)
			r := rowRecord(n, "sku", "MUG", `"version":{"N":"2"}`)
			at, _ := json.Marshal(b.h.Now().Unix())
			r.Data = []byte(strings.Replace(string(r.Data), `"Keys"`, `"ApproximateCreationDateTime":`+string(at)+`,"Keys"`, 1))
			b.rows.inventory(r)
			time.Sleep(time.Minute)
			b.h.Hold(false)
			settle(b, b.h)
		}
	},
	"BroadcastErrorsAlarm": func(b alarmBubble) {
		b.rows.lost.Store(true)
		for range 3 {
			admin(b, b.h, http.MethodPost, "/admin/users/alice/revoke", "")
		}
	},
	"FunctionErrorsAlarm":    alarmBubble.handshakesOfAlice,
	"GatewayErrorsAlarm":     alarmBubble.handshakesOfAlice,
	"HandshakeFailuresAlarm": alarmBubble.handshakesOfAlice,
	"RefusedHandshakesAlarm": func(b alarmBubble) {
		for range 101 {
			b.handshake("", "Origin", "https://evil.example")
		}
	},
	"FailedAlarm": func(b alarmBubble) {
		b.watcher()
		postFaults(b.T, b.h, `{"every":{"throttle":1}}`)
		b.mug(1)
		b.rows.lost.Store(true) // healing reads the row
		time.Sleep(5 * time.Minute)
	},
	"ThrottledAlarm": func(b alarmBubble) {
		postFaults(b.T, b.h, `{"every":{"throttle":1}}`)
		for n := range 7 {
			time.Sleep(30 * time.Second)
			b.watcher() // those from before wait for healing
			b.mug(n)
		}
	},
	"UnreadableRowsAlarm": func(b alarmBubble) {
		b.rows.inventory(rowRecord(1, "sku", "MUG", `"available":{"N":"3"}`))
		settle(b, b.h)
	},
	"VersionNotRaisedAlarm": func(b alarmBubble) {
		for n := range 15 {
			r := rowRecord(n, "sku", "MUG", `"available":{"N":"3"},"version":{"N":"2"}`)
			r.Data = []byte(strings.Replace(string(r.Data), `"NewImage"`,
				`"OldImage":{"sku":{"S":"MUG"},"available":{"N":"4"},"version":{"N":"2"}},"NewImage"`, 1))
			time.Sleep(time.Minute)
			b.rows.inventory(r)
			settle(b, b.h)
		}
	},
	"HealClosedAlarm": func(b alarmBubble) {
		postFaults(b.T, b.h, `{"every":{"error":1}}`)
		for n := range 10 { // each of them is closed after a minute
			b.watcher()
			b.mug(n)
			time.Sleep(2 * time.Minute)
		}
	},
	"LatencyAlarm": func(b alarmBubble) {
		b.watcher()
		postFaults(b.T, b.h, `{"every":{"slow":1},"slowBy":"5s"}`)
		for n := range 7 {
			time.Sleep(30 * time.Second)
			b.mug(n)
		}
	},
}

// alarm returns an alarm as GET /admin/alarms has it.
func (b alarmBubble) alarm(name string) (s alarms.State) {
	b.Helper()
	status, answer := admin(b, b.h, http.MethodGet, "/admin/alarms", "")
	var all struct{ Alarms []alarms.State }
	if err := json.Unmarshal([]byte(answer), &all); status != http.StatusOK || err != nil {
		b.Fatalf("got %d %s, %v", status, answer, err)
	}
	for _, s := range all.Alarms {
		if s.Name == name {
			return s
		}
	}
	b.Fatalf("there is no %s: %s", name, answer)
	return s
}

// TestAlarms: each alarm goes off by a fault, and ends with it.
func TestAlarms(t *testing.T) {
	for _, a := range alarms.List {
		t.Run(a.ID, func(t *testing.T) {
			fail := faults[a.ID]
			if fail == nil {
				t.Fatal("no fault makes it go off")
			}
			rows := &lostTables{fakeTables: newFakeTables()}
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, house.Options{
					Catalogue: []catalogue.Product{{SKU: "MUG", Available: 50}}, Rows: house.Rows{Tables: rows, Seed: true},
				})
				defer closeHouse(t, h)
				b := alarmBubble{t, h, rows}
				if s := b.alarm(a.ID); s.State != "OK" {
					t.Errorf("before the fault: got %+v", s)
				}
				fail(b)
				if s := b.alarm(a.ID); s.State != "ALARM" || s.Value == nil || *s.Value <= s.Threshold {
					t.Errorf("with the fault: got %+v", s)
				}
				rows.lost.Store(false)
				postFaults(t, h, `{}`)
				time.Sleep(20 * time.Minute)
				if a.ID == "FailureQueuesAlarm" { // its messages stay for a day
					if err := h.Warp(24 * time.Hour); err != nil {
						t.Fatal(err)
					}
				}
				if s := b.alarm(a.ID); s.State != "OK" {
					t.Errorf("after the fault: got %+v", s)
				}
			})
		})
	}
}

// TestNoPostWorks: an alarm goes off if posts fail for everybody, although the hub closes
// no connection then and posts are not throttled.
func TestNoPostWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := &lostTables{fakeTables: newFakeTables()}
		h := newHouse(t, house.Options{
			Catalogue: []catalogue.Product{{SKU: "MUG", Available: 50}}, Rows: house.Rows{Tables: rows, Seed: true},
		})
		defer closeHouse(t, h)
		b := alarmBubble{t, h, rows}
		for range 11 {
			b.watcher()
		}
		postFaults(t, h, `{"every":{"error":1}}`)
		b.mug(1)
		time.Sleep(6 * time.Minute)
		if s := b.alarm("FailedAlarm"); s.State != "ALARM" {
			t.Errorf("got %+v", s)
		}
	})
}
