package gatewaytest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// fakeTB is a test that keeps its log and its failures.
type fakeTB struct {
	mu       sync.Mutex
	cleanups []func()
	log      []string
	failures []string
}

// try runs a test and its cleanups and returns what it was told.
func try(test func(gatewaytest.TB)) *fakeTB {
	f := &fakeTB{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, cleanup := range slices.Backward(f.cleanups) {
				cleanup()
			}
		}()
		test(f)
	}()
	<-done
	return f
}

func (f *fakeTB) Helper()          {}
func (f *fakeTB) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }

func (f *fakeTB) Logf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// logged returns the lines of the log that contain text.
func (f *fakeTB) logged(text string) []string {
	return slices.DeleteFunc(slices.Clone(f.log), func(line string) bool { return !strings.Contains(line, text) })
}

// TestStartURLs. Our own: browsers and SDK clients reach a Server at its URLs.
func TestStartURLs(t *testing.T) {
	s := gatewaytest.Start(t, gatewaytest.API{Stage: "prod", Routes: routes("$default", twoWay(echo))})
	if s.URL()+"/prod" != s.ManagementURL() || !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("URL %s, ManagementURL %s", s.URL(), s.ManagementURL())
	}
	c, _, err := websocket.Dial(t.Context(), s.SocketURL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	send(t, c, "hello")
	if got := receive(t, c); got != "hello" {
		t.Errorf("got %s", got)
	}
	if resp, body := doRequest(t, "POST", s.ManagementURL()+"/@connections/"+onlyID(t, s.Gateway),
		strings.NewReader("posted")); resp.StatusCode != 200 {
		t.Errorf("post: %d %s", resp.StatusCode, body)
	}
	if got := receive(t, c); got != "posted" {
		t.Errorf("got %s", got)
	}
}

// TestStartHTTPClient. Our own: posts reach a Server in memory, also those to
// the address that the API has in AWS, in a bubble, and those that are too
// large.
func TestStartHTTPClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gatewaytest.Start(t, gatewaytest.API{})
		ann := s.Client("", nil)
		post := func(id string, size int) int {
			resp, err := s.HTTPClient().Post("https://abc.execute-api.eu-central-1.amazonaws.com/v1/@connections/"+id, "",
				bytes.NewReader(bytes.Repeat([]byte("x"), size)))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			return resp.StatusCode
		}
		for size, want := range map[int]int{3: 200, 128 << 10: 200, 128<<10 + 1: 413, 1 << 20: 413} {
			if got := post(ann.ID(), size); got != want {
				t.Errorf("%d bytes: status %d, want %d", size, got, want)
			}
		}
		if got := len(ann.Read()) + len(ann.Read()); got != 3+128<<10 {
			t.Errorf("got messages of %d bytes", got)
		}
		ann.Close()
		if got := post(ann.ID(), 3); got != 410 {
			t.Errorf("status %d after the client has closed, want 410", got)
		}
	})
}

// TestStartEndsAtOnce. Our own: the end of a test waits for no client, whoever
// dialled it, and $disconnect runs for each. Time in a bubble is exact.
func TestStartEndsAtOnce(t *testing.T) {
	for name, open := range map[string]func(*gatewaytest.Server){
		"client":             func(s *gatewaytest.Server) { s.Client("", nil) },
		"stalled client":     func(s *gatewaytest.Server) { _ = s.Stall(s.Client("", nil).ID()) },
		"raw, not read":      func(s *gatewaytest.Server) { _, _, _ = s.DialRaw(context.Background(), "/v1", nil) },
		"client that closed": func(s *gatewaytest.Server) { s.Client("", nil).Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bye := &recorder{}
				began := time.Now()
				f := try(func(tb gatewaytest.TB) {
					s := gatewaytest.Start(tb, gatewaytest.API{Routes: routes("$disconnect", bye)})
					open(s)
				})
				if took := time.Since(began); took != 0 || len(f.failures) > 0 || len(bye.all()) != 1 {
					t.Errorf("ended after %v with failures %q and %d $disconnect", took, f.failures, len(bye.all()))
				}
			})
		})
	}
}

// TestStartStalledClient. Our own: a stalled client cannot close, and its test hears that at once.
func TestStartStalledClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := try(func(tb gatewaytest.TB) {
			s := gatewaytest.Start(tb, gatewaytest.API{})
			ann := s.Client("", nil)
			if err := s.Stall(ann.ID()); err != nil {
				t.Error(err)
			}
			ann.Close()
		})
		failure := strings.Join(f.failures, "\n")
		if took := time.Since(began); took != 0 || !strings.Contains(failure, "cannot close: the connection is stalled") {
			t.Errorf("after %v: %s", took, failure)
		}
	})
}

// TestStartCloseIsSeen. Our own: clients get a close frame at the end of the
// server, and Close may be called twice.
func TestStartCloseIsSeen(t *testing.T) {
	s := gatewaytest.Start(t, gatewaytest.API{})
	ann := s.Client("", nil)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	ann.ExpectClose(1001)
}

// TestStartReportsFunctions. Our own: a function that ignores its context fails
// the test, because it outlives it.
func TestStartReportsFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := function(func(context.Context, []byte) ([]byte, error) { <-release; panic("late") })
		f := try(func(tb gatewaytest.TB) {
			s := gatewaytest.Start(tb, gatewaytest.API{Routes: routes("$default", stuck)})
			s.Client("", nil).Send("x")
			synctest.Wait()
		})
		lines := len(f.log)
		close(release)
		synctest.Wait()
		if len(f.failures) != 1 || !strings.Contains(f.failures[0], "did not return") || len(f.log) != lines {
			t.Errorf("failures %q, log %q", f.failures, f.log)
		}
	})
}

// TestStartLogs. Our own: what goes wrong in the gateway is in the log of the
// test, once.
func TestStartLogs(t *testing.T) {
	connect := function(func(_ context.Context, event []byte) ([]byte, error) {
		if bytes.Contains(event, []byte("stranger")) {
			return []byte(`{"statusCode":401}`), nil
		}
		return []byte(`{"statusCode":200,"body":"connected"}`), nil
	})
	f := try(func(tb gatewaytest.TB) {
		s := gatewaytest.Start(tb, api(routes("$connect", connect, "broken", twoWay(fails("the table is missing")),
			"quiet", echo, "fine", ok200)))
		s.ExpectRefused(401, "?user=stranger", nil)
		ann := s.Client("", nil)
		ann.Send(`{"action":"broken"}`)
		ann.Read()
		for range 3 {
			ann.Send(`{"action":"quiet"}`)
			ann.Send(`{"action":"fine"}`)
		}
		s.FailNext(ann.ID(), gatewaytest.ErrGone)
		_ = s.PostToConnection(context.Background(), ann.ID(), []byte("x"))
		_ = s.PostToConnection(context.Background(), "nobody", []byte("x"))
	})
	if len(f.failures) > 0 {
		t.Error(f.failures)
	}
	for _, want := range []string{
		"handshake refused", "status 401, detail $connect returned this status", "the table is missing",
		"route quiet: the body that its function returns is dropped", "fault on purpose: Next",
		"410 GoneException", "connectionId nobody, bytes 1, error gatewaytest: 400 BadRequestException",
	} {
		if got := f.logged(want); len(got) != 1 {
			t.Errorf("%d lines with %q, want 1; the log is\n%s", len(got), want, strings.Join(f.log, "\n"))
		}
	}
	for _, not := range []string{"route $connect", "route fine", "gateway: post,", "gateway: disconnect"} {
		if got := f.logged(not); len(got) > 0 {
			t.Error(got)
		}
	}
}

// TestStartLogsRefusals. Our own: a refused handshake is in the log of the test
// with its reason, whoever refuses it.
func TestStartLogsRefusals(t *testing.T) {
	credential := gatewaytest.Credential{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}
	for want, api := range map[string]gatewaytest.API{
		"status 500, refused AUTHORIZER_FAILURE, detail no key": {
			Authorizer: &gatewaytest.Authorizer{Handler: fails("no key")}},
		"status 403, refused MissingAuthenticationTokenException, detail Missing Authentication Token": {
			IAM: true, Credentials: []gatewaytest.Credential{credential}},
		"status 502, refused INTEGRATION_FAILURE, detail broken":    {Routes: routes("$connect", fails("broken"))},
		"status 502, refused INTEGRATION_FAILURE, detail \uFFFD[2J": {Routes: routes("$connect", fails("\x1b[2J"))},
	} {
		f := try(func(tb gatewaytest.TB) { gatewaytest.Start(tb, api).Client("", nil) })
		if len(f.logged("handshake refused")) != 1 || len(f.logged(want)) != 1 || len(f.failures) != 1 {
			t.Errorf("want one line with %q; the log is %q, the failures %q", want, f.log, f.failures)
		}
	}
}

// TestStartKeepsLogAndObserve. Our own: API.Log and API.Observe still work.
func TestStartKeepsLogAndObserve(t *testing.T) {
	var log syncBuffer
	seen := make(chan gatewaytest.Observation, 100)
	f := try(func(tb gatewaytest.TB) {
		s := gatewaytest.Start(tb, gatewaytest.API{
			Routes: routes("$default", fails("broken")), Log: slog.New(slog.NewTextHandler(&log, nil)),
			Observe: func(ctx context.Context, o gatewaytest.Observation) context.Context { seen <- o; return ctx },
		})
		ann := s.Client("", nil)
		ann.Send("x")
		ann.Read()
	})
	if !strings.Contains(log.String(), "broken") || len(f.log) != 0 || len(seen) == 0 || len(f.failures) > 0 {
		t.Errorf("the API's log: %s\nthe test's: %q, %q\n%d observations", log.String(), f.log, f.failures, len(seen))
	}
}

// TestStartRefusesAPI. Our own: an API that the service would refuse fails the
// test.
func TestStartRefusesAPI(t *testing.T) {
	f := try(func(tb gatewaytest.TB) { gatewaytest.Start(tb, gatewaytest.API{Stage: "$default"}) })
	if len(f.failures) != 1 || !strings.Contains(f.failures[0], "Stage") {
		t.Errorf("%q", f.failures)
	}
	soft := &softTB{}
	if s := gatewaytest.Start(soft, gatewaytest.API{Stage: "$default"}); s != nil || len(soft.failures) != 1 {
		t.Errorf("after a Fatalf that returns: %v, %q", s, soft.failures)
	}
	for _, cleanup := range soft.cleanups {
		cleanup()
	}
}

// softTB is a test whose Fatalf returns.
type softTB struct{ fakeTB }

func (s *softTB) Fatalf(format string, args ...any) { s.Errorf(format, args...) }

// TestTestLogger. Our own: a line has the values of With, and none that are
// empty.
func TestTestLogger(t *testing.T) {
	var lines []string
	log := gatewaytest.NewTestLogger(func(format string, args ...any) {
		lines = append(lines, fmt.Sprintf(format, args...))
	})
	log.With("a", 1).WithGroup("g").Warn("broken", "b", "", "c", errors.New("reason"))
	log.Debug("detail")
	if want := "gateway: broken, a 1, c reason"; len(lines) != 1 || lines[0] != want {
		t.Errorf("got %q, want %q", lines, want)
	}
}

var (
	_ gatewaytest.TB = (*testing.T)(nil)
	_ gatewaytest.TB = (*testing.B)(nil)
	_ gatewaytest.TB = (*testing.F)(nil)
	_ http.Handler   = (*gatewaytest.Server)(nil)
	_ io.Closer      = (*gatewaytest.Server)(nil)
)
