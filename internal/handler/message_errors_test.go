package handler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// TestErrors checks that errors of the hub's rules have their code, the id and the
// key.
func TestErrors(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	b.stock("GONE", 0)
	c := b.openAs("c1", "ann")
	c.wantAnswer(`set MUG 1`, "ok")
	c.wantAnswer(`set MUG 2`, "ok")
	for _, tt := range []struct {
		name, fields string
		want         wire.Code
		retry        bool
	}{
		{"unknown SKU", `"action":"add","sku":"NONE"`, wire.CodeBadField, false},
		{"sold out", `"action":"add","sku":"GONE"`, wire.CodeNoStock, false},
		{"changed by another write", `"action":"set","lines":{"MUG":3},"version":1`, wire.CodeConflict, true},
		{"a version in the future", `"action":"set","lines":{"MUG":3},"version":9`, wire.CodeGoneVersion, true},
		{"another epoch", `"action":"set","lines":{"MUG":3},"version":1,"epoch":"k2"`, wire.CodeOldEpoch, true},
		{"not a guest token", `"action":"merge","from":"garbage"`, wire.CodeTokenBad, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := c.wantError(`{"id":"x-1","key":"k-1",`+tt.fields+`}`, tt.want)
			if string(got.ID) != `"x-1"` || got.Key != "k-1" || got.Retry != tt.retry || got.Message == "" {
				t.Errorf(
					"got id %s, key %q, retry %t, message %q, want \"x-1\", k-1, %t and some words", got.ID, got.Key, got.Retry,
					got.Message, tt.retry,
				)
			}
		})
	}
	t.Run("not a topic", func(t *testing.T) {
		for _, action := range []string{"subscribe", "get", "unsubscribe"} {
			got := c.wantAnswer(`{"action":"`+action+`","id":"x-1","topics":["nonsense:MUG","sku:MUG"]}`, "snapshot")
			want := map[string]wire.Code{"nonsense:MUG": wire.CodeBadTopic}
			_, served := got.Topics["sku:MUG"]
			if string(got.ID) != `"x-1"` || !reflect.DeepEqual(got.Refused, want) || served == (action == "unsubscribe") {
				t.Errorf("%s: got %+v, want id \"x-1\", %v refused and sku:MUG served", action, got, want)
			}
		}
	})
	t.Run("a conflict has the current lines", func(t *testing.T) {
		got := c.wantError(`{"action":"set","lines":{"MUG":3},"version":1}`, wire.CodeConflict)
		want := map[string]*wire.Line{"MUG": {Quantity: 2, Version: 2}}
		if got.Version != 2 || !reflect.DeepEqual(got.Lines, want) {
			t.Errorf("got version %d, lines %v, want 2, %v", got.Version, got.Lines, want)
		}
	})
	t.Run("more topics than a connection may have", func(t *testing.T) {
		for i := range 3 {
			var names []string
			for j := range wire.MaxTopics {
				sku := fmt.Sprintf("N%d", i*wire.MaxTopics+j)
				b.stock(sku, 1)
				names = append(names, `"sku:`+sku+`"`)
			}
			say := `{"action":"subscribe","id":7,"topics":[` + strings.Join(names, ",") + `]}`
			if i < 2 {
				c.wantAnswer(say, "snapshot")
			} else if got := c.wantError(say, wire.CodeTooManyTopics); string(got.ID) != "7" {
				t.Errorf("got id %s, want 7", got.ID)
			}
		}
	})
	t.Run("expired session", func(t *testing.T) {
		b.now = b.now.Add(issuer.DefaultTTL + hub.SessionLeeway + time.Second)
		got := c.wantError(`{"action":"add","id":8,"sku":"MUG","key":"k-2"}`, wire.CodeTokenExpired)
		if string(got.ID) != "8" || got.Key != "k-2" || !got.Retry {
			t.Errorf("got %+v, want id 8, key k-2 and a retry", got)
		}
		got = c.wantAnswer(`{"action":"get","topics":["cart","sku:MUG"]}`, "snapshot")
		if got.Refused["cart"] != wire.CodeTokenExpired || got.Topics["sku:MUG"] == nil {
			t.Errorf("got %+v, want the cart refused with %s, the badge shown", got, wire.CodeTokenExpired)
		}
	})
}

// failingCalls has a message for each action, and a method of the store that it
// calls.
var failingCalls = []struct{ name, method, say string }{
	{"hello, row", "Connection", `{"action":"hello","id":7}`},
	{"hello, epoch", "Epoch", `{"action":"hello","id":7}`},
	{"subscribe, row", "Connection", `{"action":"subscribe","id":7,"topics":["cart"]}`},
	{"subscribe, write", "Subscribe", `{"action":"subscribe","id":7,"topics":["cart"]}`},
	{"subscribe, read", "Items", `{"action":"subscribe","id":7,"topics":["sku:MUG"]}`},
	{"unsubscribe, write", "Unsubscribe", `{"action":"unsubscribe","id":7,"topics":["sku:MUG"]}`},
	{"get, read", "Cart", `{"action":"get","id":7,"topics":["cart"]}`},
	{"add, read", "Cart", `{"action":"add","id":7,"sku":"MUG","key":"k-1"}`},
	{"add, write", "PutCarts", `{"action":"add","id":7,"sku":"MUG","key":"k-1"}`},
	{"set, stock", "Items", `{"action":"set","id":7,"lines":{"MUG":1},"key":"k-1"}`},
	{"merge, read", "Cart", `{"action":"merge","id":7,"from":"GUEST","key":"k-1"}`},
}

// TestInternalErrors checks that a client gets the code internal for an internal
// failure, and that only the log has its text, once.
func TestInternalErrors(t *testing.T) {
	for _, tt := range failingCalls {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			b.stock("MUG", 40)
			c := b.openAs("c1", "ann")
			say := strings.Replace(tt.say, "GUEST", b.guestToken("9f2c"), 1)
			b.store.errs[tt.method] = errInside
			got := c.wantError(say, wire.CodeInternal)
			key := ""
			if strings.Contains(say, `"key"`) {
				key = "k-1"
			}
			if string(got.ID) != "7" || got.Key != key || !got.Retry {
				t.Errorf("got %+v, want id 7, key %q and a retry", got, key)
			}
			if body := c.sendRaw(say); strings.Contains(body, "canary-inside") {
				t.Errorf("internal text reaches the client: %s", body)
			}
			records := b.logged("message")
			if len(records) != 2 { // the message was sent twice
				t.Fatalf("got %d log records for 2 failures, want 2: %s", len(records), b.log.String())
			}
			var asked struct{ Action string }
			if err := json.Unmarshal([]byte(say), &asked); err != nil {
				t.Fatal(err)
			}
			r := records[0]
			if text, _ := r["error"].(string); r["level"] != "ERROR" || r["connection"] != "c1" ||
				r["action"] != asked.Action || !strings.Contains(text, errInside.Error()) {
				t.Errorf("got log record %v, want an error with connection, action and cause", r)
			}
			b.store.errs = map[string]error{}
			if got := c.send(say); got.Type == "error" {
				t.Errorf("afterwards: got %+v, want it done", got)
			}
		})
	}
}

// TestKindsOfErrors checks that a client gets the code of each kind of error, and
// none of its text.
func TestKindsOfErrors(t *testing.T) {
	for _, tt := range []struct {
		kind  error
		want  wire.Code
		retry bool
	}{
		{hub.ErrThrottled, wire.CodeSlowDown, true},
		{hub.ErrForbidden, wire.CodeDenied, false},
		{hub.ErrConflict, wire.CodeBusy, true},
		{hub.ErrTooLarge, wire.CodeTooBig, false},
		{hub.ErrInvalid, wire.CodeBadField, false},
		{hub.ErrGone, wire.CodeDenied, false},
		{errors.New("anything else"), wire.CodeInternal, true},
	} {
		t.Run(tt.kind.Error(), func(t *testing.T) {
			b := newFixture(t)
			c := b.openAs("c1", "ann")
			b.store.errs["Cart"] = fmt.Errorf("partition 7: %w", tt.kind)
			got := c.wantError(`{"action":"get","id":7,"topics":["cart"]}`, tt.want)
			if got.Retry != tt.retry || string(got.ID) != "7" {
				t.Errorf("got retry %t, id %s, want %t, 7", got.Retry, got.ID, tt.retry)
			}
			if strings.Contains(got.Message, "partition") {
				t.Errorf("got message %q, want no text of the store", got.Message)
			}
			internal := tt.want == wire.CodeInternal
			if logged := len(b.logged("message")); (logged == 1) != internal || logged > 1 {
				t.Errorf("got %d log records, want one for an internal failure: %t", logged, internal)
			}
		})
	}
}

// TestMessageStatus checks that the status is 200 for every body: another status
// would reach no client, and count as a failure of the integration.
func TestMessageStatus(t *testing.T) {
	b := newFixture(t)
	c := b.openAs("c1", "ann")
	for _, body := range []string{
		"", " ", "\x00", "{}", "null", "[]", "\ufeff", strings.Repeat("x", 40_000), `{"action":"add"}`,
	} {
		t.Run(fmt.Sprintf("%.20q", body), func(t *testing.T) {
			got, err := call[response](
				t, b.message, storedEvent(t, "message", func(e map[string]any) { c.setContext(e); e["body"] = body }),
			)
			var a answer
			if json.Unmarshal([]byte(got.Body), &a) != nil || err != nil || got.StatusCode != http.StatusOK ||
				a.Type != "error" {
				t.Errorf("got %d %s, %v, want 200 and an error", got.StatusCode, got.Body, err)
			}
		})
	}
}
