package template_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/gatewaytest/template"
)

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

// join and say are the functions of testdata/chat.yaml.
func join(_ context.Context, _ request) (response, error) { return response{StatusCode: 200}, nil }

func say(_ context.Context, e request) (response, error) {
	return response{StatusCode: 200, Body: "you said " + e.Body}, nil
}

var chat = template.Options{
	Handlers:   map[string]any{"Join": join, "Say": lambda.NewHandler(say)},
	Parameters: map[string]string{"StageName": "test"},
}

// TestTemplate runs the functions of a template behind its own routes.
func TestTemplate(t *testing.T) {
	s := gatewaytest.Start(t, template.Load(t, "testdata/chat.yaml", chat))
	ann := s.Client("", nil)
	ann.Send(`{"action":"say"}`)
	ann.Expect(`you said {"action":"say"}`)
	ann.Send(`{"action":"shout"}`) // the template has no such route
	var refusal struct{ Message string }
	if ann.ReadJSON(&refusal); refusal.Message != "Forbidden" {
		t.Errorf("got %+v", refusal)
	}
	s.ExpectRefused(403, "/prod", nil)
}

// TestTimeout. Our own: a function has the timeout of its template, three
// seconds without one, although the gateway waits for 29.
func TestTimeout(t *testing.T) {
	for action, limit := range map[string]time.Duration{"say": 5 * time.Second, "": 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			slow := func(ctx context.Context, _ request) (response, error) {
				<-ctx.Done()
				return response{StatusCode: 200}, nil
			}
			o := chat
			o.Handlers = map[string]any{"Join": join, "Say": slow}
			if action == "" {
				o.Handlers["Join"] = slow
			}
			s := gatewaytest.Start(t, template.Load(t, "testdata/chat.yaml", o))
			began := time.Now()
			if action == "" {
				s.ExpectRefused(502, "", nil)
			} else {
				ann := s.Client("", nil)
				ann.Send(map[string]string{"action": action})
				if got := ann.Read(); !strings.Contains(got, "Internal server error") {
					t.Errorf("got %s", got)
				}
			}
			if took := time.Since(began); took != limit {
				t.Errorf("%q took %v, want %v", action, took, limit)
			}
		})
	}
}

// fakeTB keeps the failure of a test.
type fakeTB struct{ failure string }

func (*fakeTB) Helper()               {}
func (*fakeTB) Cleanup(func())        {}
func (*fakeTB) Logf(string, ...any)   {}
func (*fakeTB) Errorf(string, ...any) {}
func (f *fakeTB) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure returns how Load fails a test.
func failure(path string, o template.Options) string {
	f, done := &fakeTB{}, make(chan struct{})
	go func() {
		defer close(done)
		template.Load(f, path, o)
	}()
	<-done
	return f.failure
}

// TestFailures. Our own: a failure names everything that is wrong, and what may
// be meant.
func TestFailures(t *testing.T) {
	with := func(handlers ...string) template.Options {
		o := chat
		o.Handlers = map[string]any{}
		for _, id := range handlers {
			o.Handlers[id] = join
		}
		return o
	}
	const path = "testdata/chat.yaml"
	for name, tt := range map[string]struct {
		options template.Options
		want    []string
	}{
		"no handlers": {with(), []string{
			`chat.yaml:24:3: the API invokes the function Join: Options.Handlers has no "Join"`,
			`chat.yaml:27:3: the API invokes the function Say: Options.Handlers has no "Say"`}},
		"mistyped": {with("join", "Say"), []string{
			`the API invokes the function Join: Options.Handlers has no "Join"`,
			`Options.Handlers: the API invokes no function "join"; did you mean "Join"?`}},
		"mistyped, and like another": {with("Jonny", "Say"), []string{
			`Options.Handlers has no "Join"` + "\n", `the API invokes no function "Jonny"; did you mean "Join"?`}},
		"one too many": {with("Join", "Say", "Leave"), []string{
			`Options.Handlers: the API invokes no function "Leave"; there are Join, Say`}},
		"a nil handler": {template.Options{Handlers: map[string]any{"Join": nil}}, []string{`has no "Join"`}},
		"no function": {template.Options{Handlers: map[string]any{"Join": 5}}, []string{
			`Options.Handlers["Join"] is of type int, want a function or a lambda.Handler`}},
		"no parameter": {template.Options{Handlers: chat.Handlers}, []string{"StageName"}},
		"no such stage": {
			template.Options{Handlers: chat.Handlers, Parameters: chat.Parameters, Stage: "v9"}, []string{`v9`}},
	} {
		got := failure(path, tt.options)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
	}
	if got := failure("testdata/none.yaml", chat); !strings.Contains(got, "none.yaml") {
		t.Errorf("no file: %s", got)
	}
	if got := failure("template_test.go", chat); strings.Contains(got, "invokes no function") {
		t.Errorf("no template: %s", got)
	}
}

// TestNotes. Our own: what differs from AWS is in the log of the test.
func TestNotes(t *testing.T) {
	data, err := os.ReadFile("testdata/chat.yaml")
	if err != nil {
		t.Fatal(err)
	}
	noted := strings.Replace(string(data), ", AutoDeploy: true", "", 1)
	path := filepath.Join(t.TempDir(), "noted.yaml")
	if err := os.WriteFile(path, []byte(noted), 0o644); err != nil {
		t.Fatal(err)
	}
	log := &logTB{TB: t}
	template.Load(log, path, chat)
	if !slices.ContainsFunc(log.lines, func(line string) bool { return strings.Contains(line, "AutoDeploy") }) {
		t.Errorf("the log has %q", log.lines)
	}
}

// logTB is a test that keeps its log.
type logTB struct {
	gatewaytest.TB
	lines []string
}

func (l *logTB) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}
