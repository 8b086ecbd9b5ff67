package replay_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/replay"
)

// talk is a short recording: a guest and a customer with two devices.
func talk(t *testing.T) []byte {
	t.Helper()
	var data []byte
	synctest.Test(t, func(t *testing.T) {
		data = record(t, func(s *shop) {
			alice := s.token("alice", "customer", "")
			guest, phone, laptop := s.open(""), s.open(alice), s.open(alice)
			guest.say("sub MUG")
			phone.say(`{"action":"subscribe","id":1,"topics":["cart"]}`)
			laptop.say("sub cart")
			laptop.hello()
			s.stock("MUG", `{"available":3}`)
			s.stock("MUG", `{"available":2}`)
			phone.say("add MUG 1")
			phone.say("add SOCKS-3 1")
			guest.say("ping")
			wait(time.Second)
			guest.leave()
		})
	})
	return data
}

// TestDifferences changes a recording, and checks which frame is named.
func TestDifferences(t *testing.T) {
	data := string(talk(t))
	line := func(parts ...string) string {
		t.Helper()
		for l := range strings.SplitAfterSeq(data, "\n") {
			all := true
			for _, p := range parts {
				all = all && strings.Contains(l, p)
			}
			if all {
				return l
			}
		}
		t.Fatalf("no line has %q", parts)
		return ""
	}
	low3 := line(`"out"`, `"guest-1"`, `quantity\":3`)
	low2 := line(`"out"`, `"guest-1"`, `quantity\":2`)
	step := line(`"out"`, `"customer-1.2"`, `SOCKS-3`)
	whole := line(`"out"`, `"customer-1.2"`, `delta`, `MUG`)
	edit := func(line string, pairs ...string) string {
		changed := strings.NewReplacer(pairs...).Replace(line)
		if changed == line {
			t.Fatalf("nothing of %q is in %s", pairs, line)
		}
		return strings.Replace(data, line, changed, 1)
	}
	mugToo := []string{`\"from\":1,`, ``, `\"lines\":{`, `\"lines\":{\"MUG\":{\"quantity\":1,\"version\":1},`}
	merged := strings.Replace(edit(step, mugToo...), whole, "", 1)
	ahead := strings.NewReplacer(
		`version\":3,\"state`, `version\":13,\"state`, `version\":2,\"state`, `version\":12,\"state`,
		`version\":1,\"state`, `version\":11,\"state`, `"MUG","version":1`, `"MUG","version":11`)
	nine := append(mugToo, `SOCKS-3\":{\"quantity\":1`, `SOCKS-3\":{\"quantity\":9`)
	later := strings.Replace(low2, `version\":3`, `version\":4`, 1)
	pong := line(`"out"`, `pong`)
	for name, tt := range map[string]struct{ data, want string }{
		"as recorded":    {data, "3 conversations alike"},
		"other versions": {ahead.Replace(data), "3 conversations alike"},
		"merged":         {merged, "3 conversations alike"},
		"other times": {
			edit(line(`"out"`, `expiresIn`), `\"expires\":`, `\"expires\":7`, `\"expiresIn\":`, `\"expiresIn\":7`),
			"3 conversations alike",
		},
		"no times": {
			edit(line(`"out"`, `expiresIn`), `\"expiresIn\":`, `\"expiresOut\":`),
			"customer-1.2  frame 2  hello: expiresIn …",
		},
		"another value": {
			edit(low3, `quantity\":3`, `quantity\":33`),
			`guest-1  frame 2  delta: topics["sku:MUG"].quantity 3, recorded 33`,
		},
		"another state": {
			edit(low3, `\"low\"`, `\"in\"`), `guest-1  frame 2  delta: topics["sku:MUG"].state "low", recorded "in"`,
		},
		"nothing there": {
			edit(low3, `,\"quantity\":3`, ``), `guest-1  frame 2  delta: topics["sku:MUG"].quantity 3, recorded none`,
		},
		"not expected": {
			strings.Replace(data, low2, "", 1),
			`guest-1  frame 4  delta: topics["sku:MUG"] {"quantity":2,"state":"low","version":3}, recorded none`,
		},
		"did not come": {
			strings.Replace(data, low2, low2+later, 1), `guest-1  frame 4  delta: none came, recorded {"type":"delta",…`,
		},
		"another version": {
			edit(low2, `version\":3`, `version\":4`), `guest-1  frame 3  delta: none came, recorded {"type":"delta",…`,
		},
		"a line": {
			edit(step, `quantity\":1`, `quantity\":2`),
			`customer-1.2  frame 4  delta: topics.cart.lines["SOCKS-3"].quantity 1, recorded 2`,
		},
		"a merged line": {
			strings.Replace(edit(step, nine...), whole, "", 1),
			`customer-1.2  frame 3  delta: topics.cart.lines["SOCKS-3"].quantity 1, recorded 9`,
		},
		"another answer": {
			edit(pong, `{\"type\":\"pong\"}`, `{\"type\":\"error\",\"code\":\"busy\"}`),
			`guest-1  frame 4  pong: {"type":"pong"}, recorded {"type":"error","code":"busy"}`,
		},
		"an id": {
			edit(line(`"out"`, `\"id\":1`), `\"id\":1`, `\"id\":2`), `customer-1  frame 1  snapshot: id 1, recorded 2`,
		},
		"a handshake": {
			without(edit(line(`"open"`, `"guest-1"`), `"status":101`, `"status":403`), `"conn":"guest-1"`),
			`guest-1  handshake: 101, recorded 403`,
		},
		"a close": {
			edit(line(`"close"`), `"by":"client","code":1000`, `"by":"gateway","code":1001`),
			`guest-1  frame 5  close: open, recorded 1001`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b bytes.Buffer
				if err := play(t, []byte(tt.data)).Print(&b); err != nil {
					t.Fatal(err)
				}
				first, rest, _ := strings.Cut(strings.TrimSpace(b.String()), "\n")
				want, isPrefix := strings.CutSuffix(tt.want, "…")
				if first != want && !(isPrefix && strings.HasPrefix(first, want)) || strings.Count(rest, "\n") > 0 {
					t.Errorf("\n got %s\nwant %s", b.String(), tt.want)
				}
			})
		})
	}
}

// without returns a recording without a connection's lines behind its open.
func without(data, conn string) string {
	var kept strings.Builder
	for line := range strings.SplitAfterSeq(data, "\n") {
		if !strings.Contains(line, conn) || strings.Contains(line, `"type":"open"`) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// TestPrint: the words of a result.
func TestPrint(t *testing.T) {
	d := &replay.Difference{Frame: 2, Kind: "snapshot", Path: `topics["sku:MUG"].quantity`, Got: "33", Recorded: "none"}
	conversations := func(differ, alike int) (r replay.Result) {
		for i := range differ + alike {
			c := replay.Conversation{Name: fmt.Sprint("guest-", i+1), Frames: 3}
			if i < differ {
				c.Difference = d
			}
			r = append(r, c)
		}
		return r
	}
	skipped := replay.Result{{NotPlayed: true}, {NotPlayed: true}}
	const line = `frame 2  snapshot: topics["sku:MUG"].quantity 33, recorded none` + "\n"
	for want, r := range map[string]replay.Result{
		"0 conversations alike\n": nil,
		"1 conversation alike\n":  conversations(0, 1),
		"2 conversations alike\n": conversations(0, 2),
		"1 of 3 conversations alike, 2 not played without an admin API\n": append(conversations(0, 1), skipped...),
		"guest-1  " + line + "0 of 3 conversations alike, 1 differs, 2 not played without an admin API\n": append(
			conversations(1, 0), skipped...),
		"guest-1  " + line + "4 of 5 conversations alike, 1 differs\n":                     conversations(1, 4),
		"guest-1  " + line + "guest-2  " + line + "0 of 2 conversations alike, 2 differ\n": conversations(2, 0),
	} {
		var b bytes.Buffer
		if err := r.Print(&b); err != nil || b.String() != want {
			t.Errorf("got %v\n%swant\n%s", err, b.String(), want)
		}
	}
}
