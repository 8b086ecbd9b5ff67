package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

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
	want := fmt.Sprintf("localhub: lab %d: %d steps to go\n", r.n, len(lab.steps))
	if status != 1 || stderr != want || strings.Count(stdout, "NO  ") != len(lab.steps) {
		t.Errorf("before the lab: got status %d\n%s%s", status, stdout, stderr)
	}
	wait := r.startFollower(t)
	for i := range r.page.commands {
		r.page.commands[i].text = r.replace.Replace(r.page.commands[i].text)
	}
	runTour(t, r.prepare, r.page.commands)
	wait()
	runTour(t, r.prepare, []shellCommand{r.page.check})

	log := labLog(t, r.hub)
	for i, step := range lab.steps {
		var without []events.Event
		for _, e := range log {
			if !step.done(&e) {
				without = append(without, e)
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

// newLabRun prepares a lab in front of a localhub. others are further addresses of the page and
// what stands for them.
func newLabRun(t *testing.T, n int, page labPage, hub *instance, others ...string) labRun {
	t.Helper()
	address := strings.TrimSuffix(strings.TrimPrefix(hub.socket, "ws://"), "/v1")
	return labRun{n, page, hub, "curl() { command curl -sS \"$@\"; }\n" + hub.shellFunction(t),
		strings.NewReplacer(append(others, "127.0.0.1:8787", address, "127.0.0.1:8788", hub.adminAddress())...)}
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
	page, engine := readLab(t, 2), startEngine(t)
	clearAWS(t)
	args := strings.NewReplacer("http://127.0.0.1:8000", engine, "-lambda build", "-lambda "+buildBootstraps(t)).
		Replace(strings.Join(page.hub, " "))
	hub := startProgram(t, withSDK(t), strings.Fields(args)...)
	waitForSeed(t, hub)
	run := newLabRun(t, 2, page, hub, "http://127.0.0.1:8000", engine)
	run.prepare += "unset AWS_PROFILE\n" // an empty one is none
	testLab(t, run)
}

func TestLab3(t *testing.T) {
	needPrograms(t, "curl")
	wscatPath := findWscat(t)
	page := readLab(t, 3)
	run := newLabRun(t, 3, page, start(t, page.hub...))
	run.prepare += "mkfifo terminal; exec 9<>terminal\n" + // wscat ends where its input does
		"npx() { shift; " + shell.Word(wscatPath) + " --no-color \"$@\" <&9; }\n"
	testLab(t, run)
}

// TestLabWord lists steps, and refuses what is no lab.
func TestLabWord(t *testing.T) {
	const noLab = "localhub: lab needs the number of a lab, from 1 to 3\n"
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
	})
}

// TestAnswered: another status or another request does not count.
func TestAnswered(t *testing.T) {
	step := answered("Ask", "GET /v1/cart", 401)
	for _, tt := range []struct {
		e    events.Event
		want bool
	}{
		{events.Event{Type: events.Answer, Route: "GET /v1/cart", Status: 401}, true},
		{events.Event{Type: events.Answer, Route: "GET /v1/cart", Status: 200}, false},
		{events.Event{Type: events.Answer, Route: "POST /v1/tickets", Status: 401}, false},
		{events.Event{Type: events.Invoke, Route: "GET /v1/cart", Status: 401}, false},
	} {
		if got := step.done(&tt.e); got != tt.want {
			t.Errorf("%+v: got %t, want %t", tt.e, got, tt.want)
		}
	}
}
