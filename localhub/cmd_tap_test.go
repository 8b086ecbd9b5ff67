package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/events"
)

// bearer makes a handshake with a token.
func bearer(token string) *websocket.DialOptions {
	return &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}}
}

// wantWords is want, whatever blanks the line has between its words.
func (r *running) wantWords(form string) {
	r.t.Helper()
	if got := strings.Join(strings.Fields(r.next()), " "); !matches(got, form) {
		r.t.Fatalf("got %s\nwant %s", got, form)
	}
}

// TestTapWord follows a change from the admin API to a socket, in words.
func TestTapWord(t *testing.T) {
	hub := start(t)
	token := hub.tokenOf(t, "alice")
	conn := dial(t, hub.socket, bearer(token))
	ask(t, conn, `sub TEE-RED-M`)
	ask(t, conn, `ping`) // then the snapshot is in the log, too
	tap := startWord(t, hub.words("tap", "-topic", "TEE-RED-M", "-last", "2")...)
	tap.wantWords("…:…:… answer alice …= sku:TEE-RED-M v1 message $default 200 … ms")
	tap.wantWords(`…:…:… out alice …= sku:TEE-RED-M v1 {"type":"snapshot",…"sku:TEE-RED-M"…}`)
	hub.putStock(t, `{"available":3}`)
	tap.wantWords(`…:…:… admin sku:TEE-RED-M PUT /admin/stock/TEE-RED-M {"available":3}`)
	tap.wantWords("…:…:… row sku:TEE-RED-M v2")
	tap.wantWords("…:…:… record sku:TEE-RED-M v2")
	tap.wantWords("…:…:… post alice …= sku:TEE-RED-M v2 200")
	tap.wantWords(`…:…:… out alice …= sku:TEE-RED-M v2 {"type":"delta",…}`)
	tap.interrupt()
}

// TestTapWordFilters: each filter selects, and -o json has the events as they are.
func TestTapWordFilters(t *testing.T) {
	hub := start(t)
	for _, user := range []string{"alice", "bob"} {
		conn := dial(t, hub.socket, bearer(hub.tokenOf(t, user)))
		ask(t, conn, `sub MUG cart`)
		ask(t, conn, `add MUG 2`)
	}
	const window = 300 * time.Millisecond
	var tap func(time.Duration, ...string) []events.Event
	tap = func(within time.Duration, filter ...string) []events.Event {
		t.Helper()
		args := append(hub.words("tap", "-o", "json", "-last", "1000", "-for", within.String()), filter...)
		status, stdout, stderr := process{args: args}.output(t)
		if status != 0 || stderr != "" {
			t.Fatalf("%q: got status %d, %s", args, status, stderr)
		}
		var found []events.Event
		for line := range strings.Lines(stdout) {
			e, err := decodeEvent([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, e)
		}
		if len(found) == 0 && within < patience { // the machine is busy
			return tap(2*within, filter...)
		}
		if len(found) == 0 {
			t.Fatalf("%q: no events", args)
		}
		return found
	}
	for _, e := range tap(window, "-user", "alice", "-dir", "in") {
		if e.User != "alice" || e.Type != events.In {
			t.Errorf("got %+v", e)
		}
	}
	id := tap(window, "-user", "bob", "-type", "open")[0].Conn
	for _, e := range tap(window, "-conn", id, "-type", "in", "-type", "out") {
		if e.Conn != id || e.Type != events.In && e.Type != events.Out {
			t.Errorf("got %+v", e)
		}
	}
	for _, e := range tap(window, "-topic", "cart:u~bob") {
		if e.Topic != "cart:u~bob" && !strings.Contains(e.Text, "cart:u~bob") {
			t.Errorf("got %+v", e)
		}
	}
	runProcesses(t, map[string]process{
		"type": {
			args: hub.words("tap", "-type", "frame"), status: 1,
			stderr: `localhub: "type" "frame": must be one of open,`,
		},
		"dir": {
			args: hub.words("tap", "-dir", "up"), status: 2,
			stderr: `localhub: invalid value "up" for flag -dir`,
		},
		"topic": {
			args: hub.words("tap", "-topic", "a:b:c"), status: 2,
			stderr: `localhub: "a:b:c" is not a topic`,
		},
		"last": {
			args: hub.words("tap", "-last", "1001"), status: 2,
			stderr: "localhub: -last must be from 0 to 1000\n",
		},
		"no argument": {
			args: hub.words("tap", "MUG"), status: 2,
			stderr: `localhub: "MUG" is not a flag`,
		},
		"no hub": {
			args: []string{"tap", "-admin", unusedAddress(t)}, status: 1,
			stderr: "localhub: no localhub answers at",
		},
	})
}

// TestTapWordNeedsTheToken: the feed requires the admin token, as all of the admin API does.
func TestTapWordNeedsTheToken(t *testing.T) {
	hub := start(t, "-admin-token", "secret-of-admin")
	process{args: hub.words("tap"), status: 1, stderr: "localhub: send the token that localhub was started with"}.run(t)
	tap := startWord(t, hub.words("tap", "-admin-token", "secret-of-admin", "-type", "in", "-last", "1")...)
	conn := dial(t, hub.socket, nil)
	ask(t, conn, "ping")
	tap.wantWords("…:…:… in guest:… ping")
	tap.interrupt()
}

// TestTapWordOfATemplate: the API of a template has the same log.
func TestTapWordOfATemplate(t *testing.T) {
	api, _ := serveEcho(t)
	admin := adminLine.FindStringSubmatch(api.banner)[1]
	conn := dial(t, api.socket, nil)
	ask(t, conn, `{"a":"b"}`)
	tap := startWord(t, "tap", "-admin", admin, "-last", "7")
	tap.wantWords("…:…:… open …= 101 from …")
	tap.wantWords(`…:…:… in …= {"a":"b"}`)
	tap.wantWords("…:…:… invoke …= Echo $default")
	tap.wantWords(`…:…:… input …= Echo $default {"requestContext":{"routeKey":"$default",…`)
	tap.wantWords(`…:…:… output …= Echo $default {"statusCode":200,…"body":"MESSAGE"} …ms`)
	tap.wantWords("…:…:… answer …= Echo $default…")
	tap.wantWords("…:…:… out …= MESSAGE")
	tap.interrupt()
	_, report, _ := process{args: []string{"cost", "-admin", admin}}.output(t)
	if !strings.Contains(report, "invocations of functions\n") {
		t.Errorf("got the report %s", report)
	}
}

// TestTapWordResumes: the feed breaks, and nothing is missing or twice.
func TestTapWordResumes(t *testing.T) {
	hub := start(t)
	target, err := url.Parse("http://" + hub.adminAddress())
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	cuts := make(chan context.CancelFunc, 10) // of the feeds
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cut := context.WithCancel(r.Context())
		defer cut()
		if r.URL.Path == "/admin/tap" {
			cuts <- cut
		}
		r.Host = target.Host
		through.ServeHTTP(w, r.WithContext(ctx))
	}))
	defer proxy.Close()
	hub.putStock(t, `{"available":9}`)
	tap := startWord(t, "tap", "-admin", proxy.URL, "-topic", "TEE-RED-M", "-type", "admin", "-o", "json", "-last", "1")
	event := func() (e events.Event) {
		if err := json.Unmarshal([]byte(tap.next()), &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	event()
	hub.putStock(t, `{"available":1}`)
	first := event()
	(<-cuts)()
	hub.putStock(t, `{"available":2}`)
	second := event()
	if first.Text != `{"available":1}` || second.Text != `{"available":2}` || second.ID <= first.ID {
		t.Errorf("got %+v and %+v", first, second)
	}
	tap.interrupt()
	if got := tap.stderr.String(); !strings.HasPrefix(got, "localhub does not answer at "+proxy.URL) {
		t.Errorf("got %q, want it to say that the feed broke", got)
	}
}

// TestTapWordSaysWhatIsMissing: gaps, samples and another log are said. A feed stands in
// for a hub under a load that no test makes.
func TestTapWordSaysWhatIsMissing(t *testing.T) {
	feeds := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/events", func(w http.ResponseWriter, _ *http.Request) {
		boot := []string{"b1", "b2"}[min(feeds, 1)]
		_, _ = w.Write([]byte(`{"boot":"` + boot + `","events":[{"id":70,"at":1,"type":"in"}]}`))
	})
	var after []string
	mux.HandleFunc("GET /admin/tap", func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"hub.tap.v1"}})
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.CloseNow() }()
		after = append(after, r.URL.Query().Get("after"))
		text := `{"boot":"b1","gap":5,"events":[{"id":76,"at":1,"type":"row","topic":"sku:A","version":9}],` +
			`"sampled":{"kept":1,"of":8}}`
		if feeds++; feeds > 1 {
			text = `{"boot":"b2","events":[{"id":1,"at":1,"type":"row","topic":"sku:B","version":1}]}`
		}
		_ = conn.Write(r.Context(), websocket.MessageText, []byte(text))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	process{
		args:   []string{"tap", "-admin", server.URL, "-n", "2"},
		stdout: "…:…:… row                       sku:A v9\n…:…:… row                       sku:B v1\n",
		stderr: "5 events had left the log and are not here\ntoo many events: of equal messages, 1 in 8 is here\n" +
			"localhub does not answer at " + server.URL + "; trying again\nlocalhub has been started again; ids begin anew\n",
	}.run(t)
	if got := strings.Join(after, " "); got != "70 0" {
		t.Errorf("the feed was asked for after %s, want 70, and 0 of the other log", got)
	}
}

// TestEventTextIsPrintable: a message cannot command the terminal.
func TestEventTextIsPrintable(t *testing.T) {
	e := events.Event{Type: events.In, User: "a\x1b[2J", Text: "one\ntwo\u202e"}
	if got := eventText(&e); !strings.HasSuffix(got, ` one\ntwo\u202e`) || !strings.Contains(got, `a\x1b[2J`) {
		t.Errorf("got %q", got)
	}
}
