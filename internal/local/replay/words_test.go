package replay_test

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
)

// TestWords: times, durations and versions in words are matched, all else is compared. What is
// shown is in one line, around the first byte that differs.
func TestWords(t *testing.T) {
	var data string
	synctest.Test(t, func(t *testing.T) {
		data = string(record(t, func(s *shop) {
			c := s.open(s.token("alice", "customer", ""))
			c.say("sub MUG")
			s.stock("MUG", `{"available":3}`)
			c.say(`{"action":"why","topic":"sku:MUG"}`)
			c.say("pretty on")
			for _, line := range []string{"why MUG", "why", "get MUG", "who", "dance", "add MUG 1 key=k", "add MUG 1 key=k"} {
				c.say(line)
			}
			s.stock("MUG", `{"available":4}`)
			c.say("why MUG")
			c.leave()
		}))
	})
	edit := func(from, to string) string {
		t.Helper()
		changed := regexp.MustCompile(from).ReplaceAllString(data, to)
		if changed == data {
			t.Fatalf("nothing is like %s in\n%s", from, data)
		}
		return changed
	}
	const shown = `\nthe session ends in … soon`
	for name, tt := range map[string]struct{ data, want string }{
		"as recorded":        {data, "1 conversation alike"},
		"a duration":         {edit(`ends in 11h59m[0-9.]+s`, "ends in 9m7s"), "1 conversation alike"},
		"a time":             {edit(`\d\d:\d\d:\d\d\.\d{3}`, "17:01:02.345"), "1 conversation alike"},
		"milliseconds":       {edit(`\+[0-9.]+ ms`, "+1234.5 ms"), "1 conversation alike"},
		"a time in JSON":     {edit(`\\"changed\\":\d+`, `\"changed\":1`), "1 conversation alike"},
		"steps in JSON":      {edit(`\\"ms\\":[1-9][0-9.]*`, `\"ms\":99`), "1 conversation alike"},
		"a reason":           {edit(`\\"reason\\":\\"[a-z]+`, `\"reason\":\"lost`), `why: reason "current", recorded "lost"`},
		"a version":          {edit(`\bv2\b`, "v7"), "customer-1  frame 5  text: "},
		"a message of why":   {edit(`(\\"message\\":\\")[^"\\]*`, `${1}other`), "1 conversation alike"},
		"a message in words": {edit(`(error unknown_action: )[^}]*`, `${1}other"`), "1 conversation alike"},
		"another code": {
			edit(`error unknown_action`, `error bad_field`), "error unknown_action, recorded error bad_field",
		},
		"more words": {
			edit(`(ends in [^"]*)"`, `${1} soon"`),
			shown,
		},
		"another state": {edit(`few left, 3`, `few left, 4`), `few left, 3 (version `},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b bytes.Buffer
				if err := play(t, []byte(tt.data)).Print(&b); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(b.String(), tt.want) || strings.Count(b.String(), "\n") > 2 {
					t.Errorf("\n got %s\nwant %s", b.String(), tt.want)
				}
			})
		})
	}
}

// TestDifferenceShown: a difference is one short line, with the place where it differs.
func TestDifferenceShown(t *testing.T) {
	long := strings.Repeat("é", 300)
	for _, tt := range []struct{ got, recorded, want string }{
		{"a\nb", "a\rc", `frame 2  text: a\nb, recorded a\rc`},
		{long + "1", long + "2", "é1, recorded …"},
		{"none came", long, "text: none came, recorded éé"},
		{long, "none", "…, recorded none"},
		{long + "x" + long, long + "y" + long, "éyé"},
	} {
		d := replay.Difference{Frame: 2, Kind: "text", Got: tt.got, Recorded: tt.recorded}.String()
		oneLine := !strings.ContainsAny(d, "\n\r") && strings.ToValidUTF8(d, "") == d
		if !strings.Contains(d, tt.want) || len(d) > 260 || !oneLine {
			t.Errorf("got %q, want %q in one line", d, tt.want)
		}
	}
}

// TestSlowAfterDifference: the messages of a conversation that differs are answered before the
// next client acts, so what others get does not depend on who is faster.
func TestSlowAfterDifference(t *testing.T) {
	const lines = header + `{"at":0,"type":"open","conn":"guest-1","user":"guest-1","role":"guest","status":101}
{"at":0,"type":"open","conn":"guest-2","user":"guest-2","role":"guest","status":101}
{"at":1,"type":"in","conn":"guest-1","text":"{\"add\":1}"}
{"at":2,"type":"out","conn":"guest-1","text":"{\"type\":\"ok\",\"count\":7}"}
{"at":3,"type":"in","conn":"guest-1","text":"{\"add\":1}"}
{"at":4,"type":"out","conn":"guest-1","text":"{\"type\":\"ok\",\"count\":2}"}
{"at":5,"type":"in","conn":"guest-2","text":"{}"}
{"at":6,"type":"out","conn":"guest-2","text":"{\"type\":\"ok\",\"count\":2}"}
`
	rec, err := recording.Read(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		count := 0
		gw, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": {
			Integration: lambda.NewHandler(func(r events.APIGatewayWebsocketProxyRequest) (any, error) {
				if strings.Contains(r.Body, "add") {
					wait(time.Second)
					count++
				}
				body := `{"type":"ok","count":` + string(rune('0'+count)) + `}`
				return events.APIGatewayProxyResponse{StatusCode: 200, Body: body}, nil
			}), RouteResponse: true,
		}}})
		if err != nil {
			t.Fatal(err)
		}
		defer gw.Close()
		target := replay.Target{
			Dial: func(ctx context.Context, _ string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
				return gw.Dial(ctx, "/v1", o)
			},
			REST: replay.Serve(http.NotFoundHandler()),
			Pass: func(context.Context, time.Duration) error { return nil }, Bound: 5 * time.Second,
		}
		result, err := replay.Play(t.Context(), rec, target)
		if err != nil {
			t.Fatal(err)
		}
		if result[0].Difference == nil || result[1].Difference != nil {
			t.Errorf("got %v and %v, want that only guest-1 differs", result[0].Difference, result[1].Difference)
		}
	})
}

const header = `{"format":"securecart.recording","version":1,"localhub":"x","started":"2026-11-29T15:00:00Z",` +
	`"settings":{"batchWindowMs":10}}` + "\n"
