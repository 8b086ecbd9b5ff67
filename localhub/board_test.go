package main

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const boardTemplate = "../examples/board/template.yaml"

// TestBoard serves an API without any function, whose routes call a real DynamoDB
// themselves. Two people talk through the stock wscat.
func TestBoard(t *testing.T) {
	wscatPath := findWscat(t)
	engine := startEngine(t)
	newBoardTable(t, engine)
	api := serveTemplate(t, boardTemplate, "-service", "dynamodb="+engine)
	if want := "\n  service       dynamodb  " + engine + "\n"; !strings.Contains(api.banner, want) {
		t.Errorf("the banner has no %q:\n%s", want, api.banner)
	}

	ada := startWscat(t, wscatPath, "-c", api.socket+"?name=Ada")
	adaID := ada.until(`{"action":"who"}`, `{"here":{"Ada":"ID"}}`)
	ada.once(`{"action":"say","name":"Ada","text":"Is it \"open\"? ☕"}`, `{"said":true}`)

	bob := startWscat(t, wscatPath, "-c", api.socket+`?name=Bob%20%22B%22%20O'Neil`)
	bob.until(`{"action":"read"}`, `{"notices":[{"name":"Ada","text":"Is it \"open\"? ☕"}]}`)
	bob.once(`{"action":"say","name":"Bob","text":"Yes!"}`, `{"said":true}`)

	ada.until(`{"action":"read"}`,
		`{"notices":[{"name":"Bob","text":"Yes!"},{"name":"Ada","text":"Is it \"open\"? ☕"}]}`)
	ada.until(`help`, `{"actions":["say","read","who","tell"]}`)
	ada.send(`{"action":"say","name":"Ada","text":5}`)
	ada.waitPrefix(`{"said":false,"why":"`)

	ada.until(`{"action":"who"}`, `{"here":{"Ada":"ID","Bob \"B\" O'Neil":"ID"}}`)
	bob.once(`{"action":"tell","to":"`+adaID+`","text":"psst"}`, `{"told":true}`)
	ada.waitPrefix(`{"from":"`)

	bob.kill() // $disconnect removes his row
	ada.until(`{"action":"who"}`, `{"here":{"Ada":"ID"}}`)
	ada.once(`{"action":"tell","to":"L0SM9cOFvHcCIhw=","text":"?"}`, `{"told":false}`)
}

// TestBoardWithoutEndpoint: without -service, the banner says what to add, and a route
// that needs the service answers with an error frame.
func TestBoardWithoutEndpoint(t *testing.T) {
	api := serveTemplate(t, boardTemplate)
	const want = `dynamodb  nowhere: its routes answer "Internal server error"; ` +
		`add -service dynamodb=http://127.0.0.1:PORT`
	if !strings.Contains(api.banner, want) {
		t.Errorf("the banner has no %q:\n%s", want, api.banner)
	}
	_, resp, err := websocket.Dial(t.Context(), api.socket, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("a handshake whose $connect needs DynamoDB: got %v, want status 500", err)
	}
	api.stderr.waitFor(t, "no endpoint in API.Services for the service dynamodb")
}

// newBoardTable creates the table of the board, as docs/templates.md says.
func newBoardTable(t *testing.T, engine string) {
	t.Helper()
	c := chatTable{engine}
	c.call(t, "CreateTable", `{"TableName":"board","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`)
	t.Cleanup(func() { c.call(t, "DeleteTable", `{"TableName":"board"}`) })
}

// once sends a message once and waits for the answer.
func (w *wscat) once(message, want string) {
	w.t.Helper()
	w.send(message)
	w.waitPrefix(want)
}

// until sends a message until the answer is the JSON that is wanted, with ID in place
// of ids. It returns the last id in the answer.
func (w *wscat) until(message, want string) (id string) {
	w.t.Helper()
	again := time.NewTicker(300 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	last := "nothing"
	w.send(message)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatal("wscat ended")
			}
			if sameJSON(ids.ReplaceAllString(line, "ID"), want) {
				for _, found := range ids.FindAllString(line, -1) {
					id = found
				}
				return id
			}
			last = line
		case <-again.C:
			w.send(message)
		case <-limit:
			w.t.Fatalf("%s: got %s in %s, want %s", message, last, patience, want)
		}
	}
}

// waitPrefix waits for a line that begins with a text.
func (w *wscat) waitPrefix(text string) {
	w.t.Helper()
	for !strings.HasPrefix(w.next(), text) {
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
