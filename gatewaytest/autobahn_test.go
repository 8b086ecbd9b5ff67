//go:build autobahn

package gatewaytest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// caseCount is how many cases the pinned version of the judge has.
const caseCount = 517

// A verdict is what the judge says of one case.
type verdict struct {
	Behavior        string `json:"behavior"`
	BehaviorClose   string `json:"behaviorClose"`
	RemoteCloseCode int    `json:"remoteCloseCode"`
}

// A difference is why the gateway does not do what the judge expects of a server
// that echoes everything.
type difference struct {
	why   string
	want  []string // verdicts
	cases string   // names, and beginnings that end with a dot
}

var differences = []difference{
	{"G-FRAME-1 G-CLOSE-7: a binary frame is refused with 1003", []string{"FAILED FAILED 1003"},
		"1.2. 9.2. 9.4. 9.6. 9.8. 12.2. 12.3. 12.5."},
	{"G-LIMIT-1 G-CLOSE-8: a frame over 32 KB, or a message over 128 KB, is refused with 1009",
		[]string{"FAILED FAILED 1009"},
		"1.1.6 1.1.7 1.1.8 9.1. 9.3. 9.5. 12.4.8 12.4.15 12.4.16 " + tooBig("12.1", "12.4", "13.1", "13.2", "13.3", "13.4",
			"13.5", "13.6", "13.7")},
	{"G-LIMIT-1: 256 KB before the close are refused", []string{"INFORMATIONAL INFORMATIONAL 1009"}, "7.1.6"},
	{"G-ORDER-1: a message's response is sent when the function returns, and the next frame may end the connection first",
		[]string{"NON-STRICT OK 1002", "OK OK 1002"}, "3.2 3.3 3.4 4.1.3 4.1.4 4.1.5 4.2.3 4.2.4 4.2.5 5.15"},
	{"G-FRAME-7: the close code 5000 is refused with 1002; RFC 6455 section 7.4 says nothing of it",
		[]string{"INFORMATIONAL INFORMATIONAL 1002"}, "7.13."},
	{"G-FRAME-3: RFC 6455 section 5.5.3 lets one pong answer several pings",
		[]string{"FAILED OK 0", "OK OK 0"}, "2.10 2.11"},
}

// tooBig names the cases with frames of 64 and 128 KB in sections of
// permessage-deflate.
func tooBig(sections ...string) string {
	var names []string
	for _, s := range sections {
		for _, n := range []int{9, 10, 17, 18} {
			names = append(names, fmt.Sprint(s, ".", n))
		}
	}
	return strings.Join(names, " ")
}

// TestAutobahn lets the fuzzing client of autobahntestsuite judge frames, control
// frames, fragments, UTF-8, close codes and permessage-deflate (RFC 6455 section
// 5 to 8, RFC 7692). Its cases must be passed, or differ as a statement says.
func TestAutobahn(t *testing.T) {
	got := judge(t)
	if len(got) != caseCount {
		t.Errorf("the judge has %d cases, want %d", len(got), caseCount)
	}
	used := make(map[string]bool)
	for name, v := range got {
		verdict := fmt.Sprintf("%s %s %d", v.Behavior, v.BehaviorClose, v.RemoteCloseCode)
		d, pattern := findDifference(name)
		used[pattern] = true
		switch {
		case pattern == "" && v.Behavior+v.BehaviorClose != "OKOK":
			t.Errorf("case %s: %s, want OK OK", name, verdict)
		case pattern != "" && !slices.Contains(d.want, verdict):
			t.Errorf("case %s: %s, want %q because of %s", name, verdict, d.want, d.why)
		}
	}
	for _, d := range differences {
		for pattern := range strings.FieldsSeq(d.cases) {
			if !used[pattern] {
				t.Errorf("there is no case %s", pattern)
			}
		}
	}
}

// findDifference returns the difference of a case, and which of its names is
// this case.
func findDifference(name string) (difference, string) {
	for _, d := range differences {
		for pattern := range strings.FieldsSeq(d.cases) {
			if pattern == name || strings.HasSuffix(pattern, ".") && strings.HasPrefix(name, pattern) {
				return d, pattern
			}
		}
	}
	return difference{}, ""
}

// TestDifferencesNameStatements. Our own: what explains a difference exists.
func TestDifferencesNameStatements(t *testing.T) {
	for _, d := range differences {
		numbers := statementNumbers(d.why)
		if len(numbers) == 0 {
			t.Errorf("%q names no statement", d.why)
		}
		for _, n := range numbers {
			if !slices.ContainsFunc(statements, func(s statement) bool { return s.number == n }) {
				t.Errorf("%q names G-%s, which does not exist", d.why, n)
			}
		}
	}
}

// half is about half of the judge's work. The judge uses one processor only.
var half = []string{"12.1.*", "13.5.*", "13.6.*", "13.7.*"}

// judge runs all cases against a gateway whose function echoes, and returns the
// verdicts by the names of the cases.
func judge(t *testing.T) map[string]verdict {
	t.Helper()
	tools, err := filepath.Abs("../.tools/autobahn")
	if err != nil {
		t.Fatal(err)
	}
	python, err := os.ReadFile(filepath.Join(tools, "python"))
	if err != nil {
		t.Fatalf("scripts/ci-tools installs the judge, if there is a Python 2.7: %v", err)
	}
	a := api(routes("$default", twoWay(echo)))
	a.Assumptions = gatewaytest.Assumptions{SerialMessages: true} // the judge relies on order
	url := "ws" + strings.TrimPrefix(serve(t, newGateway(t, a)), "http") + "/v1"
	all := make(map[string]verdict)
	t.Run("halves", func(t *testing.T) {
		var lock sync.Mutex
		for _, cases := range [][2][]string{{half, {}}, {{"*"}, half}} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				verdicts := judgeCases(t, strings.TrimSpace(string(python)), url, cases[0], cases[1])
				lock.Lock()
				defer lock.Unlock()
				maps.Copy(all, verdicts)
			})
		}
	})
	return all
}

// judgeCases runs some cases.
func judgeCases(t *testing.T, python, url string, cases, without []string) map[string]verdict {
	t.Helper()
	dir := t.TempDir()
	spec := filepath.Join(dir, "spec.json")
	text, _ := json.Marshal(map[string]any{ // cannot fail
		"outdir": dir, "cases": cases, "exclude-cases": without, "exclude-agent-cases": map[string]any{},
		"servers": []any{map[string]any{"agent": "gatewaytest", "url": url}},
	})
	if err := os.WriteFile(spec, text, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-W", "ignore",
		"../scripts/autobahn/judge", "-m", "fuzzingclient", "-s", spec)
	cmd.WaitDelay = time.Second
	if _, err := cmd.StdinPipe(); err != nil { // open until the judge or this process ends
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the judge: %v\n%s", err, out)
	}
	return readVerdicts(t, filepath.Join(dir, "index.json"))
}

func readVerdicts(t *testing.T, name string) map[string]verdict {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var index map[string]map[string]verdict
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	return index["gatewaytest"]
}
