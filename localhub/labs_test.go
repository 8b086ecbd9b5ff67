package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/shell"
)

// labsPage is the page whose commands the tests of labs type.
const labsPage = "../docs/labs.md"

// labPage is a lab as the page has it.
type labPage struct {
	steps    []string       // titles, in order
	hub      []string       // arguments of localhub
	follow   shellCommand   // types in a terminal of its own, and goes on
	commands []shellCommand // of the other terminal, except for the last
	check    shellCommand   // the last
}

// readLab reads a lab of the page.
func readLab(t *testing.T, n int) (p labPage) {
	t.Helper()
	page, err := os.ReadFile(labsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), fmt.Sprintf("\n## Lab %d: %s\n", n, labs[n-1].title))
	text, _, _ = strings.Cut(text, "\n## ")
	start := regexp.MustCompile(`(?m)^localhub (-.+)$`).FindStringSubmatch(text)
	if !found || start == nil {
		t.Fatalf("the page does not start localhub in a section of lab %d, %s", n, labs[n-1].title)
	}
	p.hub = strings.Fields(start[1])
	for _, m := range regexp.MustCompile(`(?m)^\*\*(.+?)[.,:]?\*\*`).FindAllStringSubmatch(text, -1) {
		p.steps = append(p.steps, m[1])
	}
	for _, c := range shellCommands(text) {
		switch {
		case strings.HasPrefix(c.text, "localhub sub "):
			p.follow = c
		case strings.HasPrefix(c.text, "localhub lab "):
			p.check = c
		default:
			p.commands = append(p.commands, c)
		}
	}
	return p
}

// labRun is a lab in front of a localhub.
type labRun struct {
	n       int
	page    labPage
	hub     *instance
	prepare string            // what its shells have
	replace *strings.Replacer // puts addresses into what the page types
}

// testLab types a lab. Before the first step -check names every step, and after the last
// one none. Then it takes the events of each step out of the log: -check misses that step.
func testLab(t *testing.T, r labRun) {
	lab := labs[r.n-1]
	if got, want := strings.Join(r.page.steps, "\n"), titles(lab); got != want {
		t.Errorf("the page has the steps\n%s\nwant\n%s", got, want)
	}
	status, stdout, stderr := process{args: r.hub.words("lab", fmt.Sprint(r.n), "-check")}.output(t)
	want := fmt.Sprintf("localhub: lab %d: %d steps to go (docs/labs.md)\n", r.n, len(lab.steps))
	if status != 1 || stderr != want || strings.Count(stdout, "NO  ") != len(lab.steps) {
		t.Errorf("before the lab: got status %d\n%s%s", status, stdout, stderr)
	}
	wait := r.startFollower(t)
	for i := range r.page.commands {
		r.page.commands[i].text = r.replace.Replace(r.page.commands[i].text)
	}
	runTour(t, r.prepare, r.page.commands)
	wait()
	log := r.wholeLog(t)
	runTour(t, r.prepare, []shellCommand{r.page.check})

	for i, step := range lab.steps {
		var without []events.Event
		for i := range log {
			if !step.done(&log[i], log[:i]) {
				without = append(without, log[i])
			}
		}
		lines, _ := lab.judge(without)
		if missed := fmt.Sprintf("NO  %d. %s: the log of events has no ", i+1, step.do); !strings.Contains(lines, missed) {
			t.Errorf("without step %d: got\n%s", i+1, lines)
		}
	}
}

func titles(l lab) string {
	var all []string
	for _, s := range l.steps {
		all = append(all, s.do)
	}
	return strings.Join(all, "\n")
}

// labLog returns the events that a lab's check sees.
// wholeLog is the log of events when it has all steps: the stream of a table is read every
// 250 ms, and tests type faster than people.
func (r *labRun) wholeLog(t *testing.T) []events.Event {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for {
		log := labLog(t, r.hub)
		lines, missing := labs[r.n-1].judge(log)
		if missing == 0 {
			return log
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("lab %d after %s:\n%s", r.n, patience, lines)
		}
	}
}

func labLog(t *testing.T, hub *instance) []events.Event {
	t.Helper()
	var api endpoint
	newGroup("", "", api.adminFlags)
	if err := api.base.Set(hub.adminAddress()); err != nil {
		t.Fatal(err)
	}
	log, err := labEvents(t.Context(), &api)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// startFollower types the follower's command and waits for its first line. The result waits
// for its end and compares what it printed.
func (r *labRun) startFollower(t *testing.T) (wait func()) {
	t.Helper()
	if r.page.follow.text == "" {
		return func() {}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", r.prepare+r.page.follow.text)
	stdout := startCommand(t, cmd)
	var printed bytes.Buffer
	for first := make([]byte, 1); !bytes.HasSuffix(printed.Bytes(), []byte("\n")); printed.Write(first) {
		if _, err := stdout.Read(first); err != nil {
			t.Fatalf("%s: %v", r.page.follow.text, err)
		}
	}
	return func() {
		_, _ = printed.ReadFrom(stdout)
		if err := cmd.Wait(); err != nil || strings.TrimSpace(printed.String()) != r.page.follow.output {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", r.page.follow.text, err, printed.String(), r.page.follow.output)
		}
	}
}

// newLabRun prepares a lab in front of a localhub. Its commands are the real ones: only localhub
// is a function, which adds the addresses, because those of the page may be in use. others are
// further texts of the page and what stands for them.
func newLabRun(t *testing.T, n int, page labPage, hub *instance, others ...string) labRun {
	t.Helper()
	address := strings.TrimSuffix(strings.TrimPrefix(hub.socket, "ws://"), "/v1")
	others = append(others, "127.0.0.1:8787", address, "127.0.0.1:8788", hub.adminAddress(), "/tmp/", t.TempDir()+"/")
	return labRun{n, page, hub, "set +e\n" + hub.shellFunction(t), strings.NewReplacer(others...)}
}

// needPrograms skips the test if one of the programs that a lab types is missing.
func needPrograms(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			skipMissing(t, name+" is not installed")
		}
	}
}

func TestLab1(t *testing.T) {
	needPrograms(t, "curl")
	page := readLab(t, 1)
	testLab(t, newLabRun(t, 1, page, start(t, page.hub...)))
}

func TestLab2(t *testing.T) {
	needPrograms(t, "curl", "aws")
	page := readLab(t, 2)
	engine, bootstraps := startEngineAndFunctions(t)
	clearAWS(t)
	args := strings.NewReplacer("http://127.0.0.1:8000", engine, "-lambda build", "-lambda "+bootstraps).
		Replace(strings.Join(page.hub, " "))
	hub := startProgram(t, withSDK(t), strings.Fields(args)...)
	waitForSeed(t, hub)
	run := newLabRun(t, 2, page, hub, "http://127.0.0.1:8000", engine)
	run.prepare += "unset AWS_PROFILE\n" // an empty one is none
	testLab(t, run)
}

func TestLab3(t *testing.T) {
	needPrograms(t, "curl", "npx")
	bin := filepath.Join(t.TempDir(), "node_modules/.bin") // npx finds a program here without a registry
	if err := os.MkdirAll(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(findWscat(t), filepath.Join(bin, "wscat")); err != nil {
		t.Fatal(err)
	}
	page := readLab(t, 3)
	run := newLabRun(t, 3, page, start(t, page.hub...))
	run.prepare += "cd " + shell.Word(filepath.Dir(filepath.Dir(bin))) + "\n"
	testLab(t, run)
}

// TestLabWord lists steps, and refuses what is no lab.
func TestLabWord(t *testing.T) {
	const noLab = "localhub: lab needs the number of a lab, from 1 to 3\n"
	board := start(t, "-template", "../examples/board/template.yaml")
	template := strings.TrimSuffix(board.adminAddress(), "/admin")
	runProcesses(t, map[string]process{
		"list": {
			args: []string{"lab", "2"}, stdout: "Lab 2: Lambda and DynamoDB (docs/labs.md)\n" +
				labs[1].list(),
		},
		"no number":   {args: []string{"lab"}, status: 2, stderr: noLab},
		"no such lab": {args: []string{"lab", "4"}, status: 2, stderr: noLab},
		"two":         {args: []string{"lab", "1", "2"}, status: 2, stderr: noLab},
		"no hub": {
			args: []string{"lab", "1", "-check", "-admin", unusedAddress(t)}, status: 1,
			stderr: "localhub: no localhub answers at",
		},
		"a template": {
			args: []string{"lab", "1", "-check", "-admin", template}, status: 1,
			stderr: "localhub: the localhub at http://" + template + " serves a template, and a lab needs",
		},
	})
}

// TestLabDoneWrong: what a lab must not take for a step, and what it says instead.
func TestLabDoneWrong(t *testing.T) {
	answer := func(route string, status int) events.Event {
		return events.Event{Type: events.Answer, Route: route, Status: status}
	}
	record := func(topic string, version uint64) events.Event {
		return events.Event{Type: events.Record, Topic: topic, Version: version}
	}
	admin := func(note, topic string) events.Event {
		return events.Event{Type: events.Admin, Note: note, Topic: topic}
	}
	open := func(status int, user, note string) events.Event {
		return events.Event{Type: events.Open, Status: status, User: user, Note: note}
	}
	stock, seed := admin("PUT /admin/stock/TEE-RED-M", labItem), admin("POST /admin/stock", "")
	mug := answer("GET /v1/stock/LAB-MUG", 200)
	caused := record(labItem, 2)
	caused.Cause = []uint64{1}
	for name, tt := range map[string]struct {
		lab, step int
		log       []events.Event
		want      string // part of its line, "": it is done
	}{
		"nothing": {
			1, 1, nil, "has no status 200 for GET /v1/stock/TEE-RED-M\n       ask for TEE-RED-M, with curl\n",
		},
		"the right request": {1, 1, []events.Event{answer("GET /v1/stock/TEE-RED-M", 200)}, ""},
		"the wrong SKU":     {1, 1, []events.Event{answer("GET /v1/stock/TEE-RED-L", 200)}, ", but GET /v1/stock/TEE-RED-L"},
		"the wrong key":     {1, 3, []events.Event{answer("PUT /v1/inventory/TEE-RED-M", 403)}, ", but status 403\n"},
		"an invocation": {
			1, 1, []events.Event{{Type: events.Invoke, Route: "GET /v1/stock/TEE-RED-M", Status: 200}}, "has no",
		},
		"no change":           {1, 5, []events.Event{answer("GET /v1/stock/TEE-RED-M", 200)}, ", but status 200\n"},
		"a refused SKU":       {1, 2, []events.Event{{Type: events.Answer, Route: "subscribe", Topic: labItem}}, "has no"},
		"a post that failed":  {1, 4, []events.Event{{Type: events.Post, Topic: labItem, Status: 410}}, "has no"},
		"the seed":            {2, 2, []events.Event{record(labItem, 1)}, "has no"},
		"rows in memory":      {2, 2, []events.Event{record(labItem, 1), caused}, "localhub needs -dynamodb"},
		"the AWS CLI":         {2, 2, []events.Event{record(labItem, 1), record(labItem, 2)}, ""},
		"tables of yesterday": {2, 2, []events.Event{record(labItem, 9)}, ""},
		"localhub stock":      {2, 2, []events.Event{record(labItem, 1), stock, record(labItem, 2)}, "has no"},
		"localhub seed":       {2, 2, []events.Event{record(labItem, 1), seed, record(labItem, 2)}, "has no"},
		"localhub stock, then the AWS CLI": {
			2, 2, []events.Event{record(labItem, 1), stock, record(labItem, 2), record(labItem, 3)}, "",
		},
		"no row":        {2, 4, []events.Event{answer("GET /v1/stock/LAB-MUG", 404)}, ", but status 404\n"},
		"a row":         {2, 4, []events.Event{record("sku:LAB-MUG", 1), mug}, ""},
		"a slow stream": {2, 4, []events.Event{mug, record("sku:LAB-MUG", 1)}, ""},
		"not asked for": {2, 4, []events.Event{record("sku:LAB-MUG", 1)}, "has no"},
		"localhub stock LAB-MUG": {
			2, 4, []events.Event{admin("PUT /admin/stock/LAB-MUG", "sku:LAB-MUG"), record("sku:LAB-MUG", 1), mug}, "has no",
		},
		"a ticket":            {3, 4, []events.Event{open(101, "alice", events.WithTicket)}, ""},
		"a token in a header": {3, 4, []events.Event{open(101, "alice", "")}, "a ticket is for 30 seconds"},
		"a ticket of a guest": {3, 4, []events.Event{open(101, "guest:1", events.WithTicket)}, "has no"},
		"a used ticket": {
			3, 5, []events.Event{open(101, "alice", events.WithTicket), open(403, "", events.WithTicket)}, "",
		},
		"an expired ticket": {3, 5, []events.Event{open(403, "", events.WithTicket)}, "has no"},
		"a foreign origin": {
			3, 5, []events.Event{open(101, "alice", events.WithTicket), open(403, "", "")}, "has no",
		},
		"too often over HTTP": {
			3, 9, []events.Event{{Type: events.Answer, Route: "GET /v1/cart", Code: "slow_down"}}, "has no",
		},
	} {
		lines, _ := labs[tt.lab-1].judge(tt.log)
		step := fmt.Sprintf("%d. %s", tt.step, labs[tt.lab-1].steps[tt.step-1].do)
		if isDone := strings.Contains(lines, "ok  "+step+"\n"); isDone != (tt.want == "") {
			t.Errorf("%s: step %s is done: %t, want %t", name, step, isDone, !isDone)
		}
		_, after, _ := strings.Cut(lines, "NO  "+step+": ")
		if after, _, _ = strings.Cut(after, "\nNO  "); !strings.Contains(after+"\n", tt.want) {
			t.Errorf("%s: got\n%s\nwant %q", name, after, tt.want)
		}
	}
}

// TestLabTicket: the log tells a socket that was opened with a ticket from another one.
func TestLabTicket(t *testing.T) {
	hub := start(t)
	dial(t, hub.socket, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + hub.token(t)}}})
	if _, _, err := websocket.Dial(t.Context(), hub.socket+"?auth=required&ticket=NO", nil); err == nil {
		t.Fatal("a ticket that nobody issued opened a socket")
	}
	lines, _ := labs[2].judge(labLog(t, hub))
	for _, step := range []string{"4. Open a socket with it", "5. Use it again"} {
		if !strings.Contains(lines, "NO  "+step+": ") {
			t.Errorf("step %s was not done, got\n%s", step, lines)
		}
	}
}
