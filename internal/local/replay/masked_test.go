package replay_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// TestMasked: a recording in which the recorder replaced what the protocol does not have is
// played like any other.
func TestMasked(t *testing.T) {
	const secret = "s3cretS3CRET"
	lines := []string{
		"%", "hello %", "who %", "hello token=% %", "hello pin=%", "sub token:% MUG", "only %:1", "get token:%", "ls %",
		"merge % %", "checkout %", "checkout v1 %", "help %", "pretty %", "ping %", "add MUG 1 %", `"%"`, "unsub token:%",
		`{"action":"hello","Authorization":"%"}`, `{"action":"%"}`, `{"%":{"%":["%",1]},"action":"ping"}`,
		`{"action":"hello","Token":"x"}`, `{"action":"get","topics":["token:%","%","sku:MUG"]}`, `{"a":"%`, `["%"]`,
		`{"action":"merge","from":"%","policy":"%"}`, `{"action":"help","about":"%"}`, `{"action":"why","topic":"%:1"}`,
		`{"action":"subscribe","topics":{"token:%":1}}`, "why token:%", "{" + strings.Repeat("%", 2700), "% id=7 %",
	}
	var data []byte
	synctest.Test(t, func(t *testing.T) {
		data = record(t, func(s *shop) {
			for _, c := range []*visitor{s.open(""), s.open(s.token("alice", "customer", ""))} {
				for _, mode := range []string{"pretty off", "pretty on"} {
					c.say(mode)
					for i, line := range lines {
						if i%20 == 0 {
							wait(pause * 100) // not too many at once
						}
						c.say(strings.ReplaceAll(line, "%", secret))
					}
				}
				c.leave()
			}
		})
	})
	if i := strings.Index(string(data), secret); i >= 0 {
		t.Errorf("the recording has the secret: …%.300s", data[max(0, i-200):])
	}
	synctest.Test(t, func(t *testing.T) {
		for _, c := range play(t, data) {
			if c.Difference != nil || c.Frames < len(lines) {
				t.Errorf("%s  %v, %d frames", c.Name, c.Difference, c.Frames)
			}
		}
	})
}
