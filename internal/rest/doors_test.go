package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/securecart/hub/internal/handler"
)

// message is a message of the socket.
type message = map[string]any

// overSocket sends a message of a user with an open connection, and returns the answer.
func (f *fixture) overSocket(user string, m message) message {
	f.t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		f.t.Fatal(err)
	}
	send := handler.Message(f.hub, f.verifier, handler.MessageOptions{}, slog.New(slog.DiscardHandler))
	got, err := send(context.Background(), events.APIGatewayWebsocketProxyRequest{
		Body: string(text),
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			ConnectionID: "of-" + user, DomainName: "hub.test", Stage: "v1", ConnectedAt: f.now.UnixMilli(),
			Authorizer: map[string]any{"principalId": user, "role": "customer"},
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return decode(f.t, got.Body)
}

func decode(t testing.TB, text string) (m message) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// httpForms are the requests of the actions that have one.
var httpForms = map[string]string{
	"add": "POST /v1/cart/lines", "set": "PATCH /v1/cart", "merge": "POST /v1/cart/merge",
	"checkout": "POST /v1/cart/checkout",
}

// overREST sends the HTTP form of a message, and returns the answer as the socket has it.
func (f *fixture) overREST(user string, m message) message {
	f.t.Helper()
	headers := as(f.token(user, ""))
	var w interface{ Result() *http.Response }
	if m["action"] == "get" {
		path := "/v1/cart"
		if topics, _ := m["topics"].([]any); !slices.Contains(topics, any("cart")) {
			path = "/v1/stock?sku="
			for i, topic := range topics {
				path += strings.Repeat("&sku=", min(i, 1)) + strings.TrimPrefix(fmt.Sprint(topic), "sku:")
			}
		}
		w = f.call("GET", path, "", headers...)
	} else {
		method, path, _ := strings.Cut(httpForms[fmt.Sprint(m["action"])], " ")
		body := maps.Clone(m)
		delete(body, "action")
		delete(body, "id")
		if key, ok := body["key"]; ok {
			headers = append(headers, "Idempotency-Key", fmt.Sprint(key))
			delete(body, "key")
		}
		if version, epoch := body["version"], body["epoch"]; version != nil && epoch != nil {
			headers = append(headers, "If-Match", fmt.Sprintf(`"%v.%.0f"`, epoch, version))
			delete(body, "version")
			delete(body, "epoch")
		}
		text, err := json.Marshal(body)
		if err != nil {
			f.t.Fatal(err)
		}
		w = f.call(method, path, string(text), headers...)
	}
	var answer message
	if err := json.NewDecoder(w.Result().Body).Decode(&answer); err != nil {
		f.t.Fatal(err)
	}
	if answer["status"] != nil { // a problem document
		answer["type"], answer["message"] = "error", answer["detail"]
		for _, name := range []string{"title", "status", "detail"} {
			delete(answer, name)
		}
	}
	return answer
}

// wantSame fails unless both doors answer the same.
func wantSame(t testing.TB, m, socket, rest message) {
	t.Helper()
	delete(socket, "id")
	if !reflect.DeepEqual(socket, rest) {
		t.Errorf("%v\n the socket has %v\nHTTP has       %v", m, socket, rest)
	}
}

// twoDoors returns two hubs in the same state: one to talk to over the socket, one over
// HTTP.
func twoDoors(t testing.TB) (socket, rest *fixture) {
	const noLimits = "guest=0,customer=0,vendor=0,admin=0,skus=0"
	socket, rest = newLimitedFixture(t, noLimits), newLimitedFixture(t, noLimits)
	for _, f := range []*fixture{socket, rest} {
		f.stock("TEE-RED-M", 3, "acme")
		f.stock("MUG", 90, "")
		f.stock("CAP", 0, "")
	}
	return socket, rest
}

// TestGoldenMessages: every request of the protocol that has an HTTP form gets the same
// answer over HTTP, and ends in the same cart.
func TestGoldenMessages(t *testing.T) {
	files, err := filepath.Glob("../../testdata/protocol/*.client.json")
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := decode(t, string(text))
		action := fmt.Sprint(m["action"])
		topics, _ := m["topics"].([]any)
		if httpForms[action] == "" && (action != "get" || strings.HasPrefix(fmt.Sprint(topics[0]), "vendor:")) {
			continue
		}
		tried[action]++
		t.Run(filepath.Base(file), func(t *testing.T) {
			socket, rest := twoDoors(t)
			if m["from"] != nil {
				m["from"] = rest.token("9f2c", "guest")
			}
			state := message{"action": "get", "topics": []any{"cart"}}
			for range 2 { // the second time, a key is a duplicate
				wantSame(t, m, socket.overSocket("ann", m), rest.overREST("ann", m))
				wantSame(t, state, socket.overSocket("ann", state), rest.overREST("ann", state))
			}
		})
	}
	for _, action := range []string{"add", "set", "merge", "checkout", "get"} {
		if tried[action] == 0 {
			t.Errorf("no golden message with the action %q was tried", action)
		}
	}
}

// TestOneStateBehindTwoDoors: whatever clients do, over either door, the answers are the
// same. One hub gets all of it over the socket, the other has each message come through
// a door at random.
func TestOneStateBehindTwoDoors(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		reference, mixed := twoDoors(t)
		for i := range rapid.IntRange(3, 20).Draw(rt, "messages") {
			user := rapid.SampledFrom([]string{"ann", "bob"}).Draw(rt, "user")
			m := drawMessage(rt, i)
			want := reference.overSocket(user, m)
			send := mixed.overREST
			if rapid.Bool().Draw(rt, "socket") {
				send = mixed.overSocket
			}
			if got := send(user, m); !reflect.DeepEqual(got, want) {
				rt.Fatalf("%v\n got %v\nwant %v", m, got, want)
			}
		}
	})
}

// drawMessage draws a message that has an HTTP form.
func drawMessage(rt *rapid.T, i int) message {
	sku := rapid.SampledFrom([]string{"TEE-RED-M", "MUG", "CAP", "NOPE"})
	m := message{"action": rapid.SampledFrom([]string{"add", "set", "checkout", "get"}).Draw(rt, "action")}
	switch m["action"] {
	case "add":
		m["sku"], m["quantity"] = sku.Draw(rt, "sku"), float64(rapid.IntRange(-3, 5).Draw(rt, "quantity"))
	case "set":
		m["lines"] = message{
			sku.Draw(rt, "one"): float64(rapid.IntRange(0, 4).Draw(rt, "quantity")),
			sku.Draw(rt, "two"): float64(rapid.IntRange(-1, 4).Draw(rt, "quantity")),
		}
	case "get":
		m["topics"] = []any{"cart"}
		return m
	}
	if m["action"] != "add" && rapid.Bool().Draw(rt, "based") {
		m["version"], m["epoch"] = float64(rapid.IntRange(0, 6).Draw(rt, "version")),
			rapid.SampledFrom([]string{"k3", "k3", "k2"}).Draw(rt, "epoch")
	}
	if rapid.Bool().Draw(rt, "keyed") {
		m["key"] = fmt.Sprint("k", i-rapid.IntRange(0, 2).Draw(rt, "back"))
	}
	return m
}
