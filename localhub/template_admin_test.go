package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

var adminLine = regexp.MustCompile(`\n  admin         (http://[0-9.:]+)/admin/\n`)

// logEvent is an event as the feed sends it.
type logEvent struct {
	ID       uint64
	Cause    []uint64
	Type     string
	Function string
	Route    string
	Text     string
	Conn     string
}

// TestTemplateAdmin follows a message of a foreign API to its answer, and ends its
// connection.
func TestTemplateAdmin(t *testing.T) {
	api, _ := serveEcho(t)
	found := adminLine.FindStringSubmatch(api.banner)
	if found == nil {
		t.Fatalf("no admin API in the banner: %s", api.banner)
	}
	admin := found[1]
	feed := dial(t, strings.Replace(admin, "http", "ws", 1)+"/admin/tap", nil)
	c := dial(t, api.socket, nil)
	if got := ask(t, c, `{"a":"b"}`); got != "MESSAGE" {
		t.Errorf("got %s, want MESSAGE", got)
	}
	all := readFeed(t, feed, "out")
	var got []string
	for _, e := range all {
		got = append(got, strings.TrimSpace(strings.Join([]string{e.Type, e.Function, e.Route, e.Text}, " ")))
	}
	const result = `{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":"MESSAGE"}`
	want := []string{"open", `in   {"a":"b"}`, "invoke Echo $default", "input Echo $default ",
		"output Echo $default " + result, "answer Echo $default MESSAGE", "out   MESSAGE"}
	for i := range want {
		if i >= len(got) || got[i] != want[i] && !(all[i].Type == "input" && strings.HasPrefix(got[i], want[i])) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	for i, cause := range map[int]int{2: 1, 3: 2, 4: 2, 5: 2, 6: 5} {
		if !slices.Equal(all[i].Cause, []uint64{all[cause].ID}) {
			t.Errorf("%s %d has the cause %v", all[i].Type, all[i].ID, all[i].Cause)
		}
	}
	if input := all[3]; !strings.Contains(input.Text, `"body":"{\"a\":\"b\"}"`) || input.Conn != all[1].Conn {
		t.Errorf("got %+v, want the whole event", input)
	}

	var situation struct {
		Template    bool
		Connections int
	}
	getAdmin(t, admin+"/admin/situation", &situation)
	if !situation.Template || situation.Connections != 1 {
		t.Errorf("got %+v", situation)
	}
	var open struct {
		Connections []struct{ ConnectionID, Address string }
	}
	getAdmin(t, admin+"/admin/connections", &open)
	if len(open.Connections) != 1 || open.Connections[0].Address != "127.0.0.1" {
		t.Fatalf("got %+v", open)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete,
		admin+"/admin/connections/"+open.Connections[0].ConnectionID, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("got %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("got %v, want 1000", err)
	}
	if all := readFeed(t, feed, "close"); all[0].Type != "admin" {
		t.Errorf("got %+v", all)
	}
	if resp, err = http.Get(admin + "/admin/stock"); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("a request that needs a hub: got %v, %v", resp, err)
	}
	_ = resp.Body.Close()
}

// TestTemplateTexts: the log has what a function gets, writes and returns, without secrets.
func TestTemplateTexts(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln"
	for _, tt := range []struct {
		args  []string
		shown bool
	}{{nil, false}, {[]string{"-show-private"}, true}} {
		api, _ := serveEcho(t, tt.args...)
		admin := adminLine.FindStringSubmatch(api.banner)[1]
		feed := dial(t, strings.Replace(admin, "http", "ws", 1)+"/admin/tap", nil)
		c := dial(t, api.socket, nil)
		ask(t, c, `{"do":"print","name":"hello `+token+`"}`)
		all := readFeed(t, feed, "log")
		if last := all[len(all)-1]; last.Type == "log" && (last.Text != "hello [44 bytes]" || last.Function != "Echo") {
			t.Errorf("got the line %+v", last)
		}
		for _, e := range all {
			if strings.Contains(e.Text, "eyJ") {
				t.Errorf("%v: %s has the token: %s", tt.args, e.Type, e.Text)
			}
		}
		ask(t, c, `{"do":"exit"}`)
		failed := readFeed(t, feed, "out")
		i := slices.IndexFunc(failed, func(e logEvent) bool { return e.Type == "output" })
		if i < 0 || !strings.Contains(failed[i].Text, "Runtime.ExitError") {
			t.Errorf("got %+v, want why the function failed", failed)
		}
		var situation struct{ Private bool }
		getAdmin(t, admin+"/admin/situation", &situation)
		if situation.Private != tt.shown {
			t.Errorf("%v: got %+v", tt.args, situation)
		}
	}
}

// readFeed reads up to an event of a type.
func readFeed(t *testing.T, feed *websocket.Conn, last string) (all []logEvent) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, text, err := feed.Read(ctx)
		if err != nil {
			t.Fatalf("%v, after %+v", err, all)
		}
		var b struct{ Events []logEvent }
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatal(err)
		}
		all = append(all, b.Events...)
		if slices.ContainsFunc(all, func(e logEvent) bool { return e.Type == last }) {
			return all
		}
	}
}

func getAdmin(t *testing.T, url string, into any) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(body, into) != nil {
		t.Fatalf("%s: got %s, %v", url, body, err)
	}
}
