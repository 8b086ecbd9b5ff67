package lambdaproc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"go.uber.org/goleak"

	"github.com/securecart/hub/internal/local/lambdaproc"
)

// bootstrapVariable makes the test binary a bootstrap, with the runtime client that
// functions use in AWS.
const bootstrapVariable = "LAMBDAPROC_BOOTSTRAP"

func TestMain(m *testing.M) {
	if os.Getenv(bootstrapVariable) != "" {
		lambda.Start(bootstrap)
		return
	}
	goleak.VerifyTestMain(m)
}

type event struct {
	Do   string
	Text string
}

func bootstrap(ctx context.Context, e event) (string, error) {
	switch e.Do {
	case "fail":
		return "", errors.New("as requested")
	case "unauthorized":
		return "", errors.New("Unauthorized")
	case "folder":
		return os.Getwd()
	case "text":
		return os.Getenv("TEXT"), nil
	case "panic":
		panic("as requested")
	case "exit":
		os.Exit(3)
	case "child":
		child := exec.Command("sleep", "1000")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return "", err
		}
		return fmt.Sprint(child.Process.Pid), nil
	case "hang":
		select {}
	case "deadline":
		deadline, _ := ctx.Deadline()
		return time.Until(deadline).Round(time.Second).String(), nil
	case "trace":
		trace, _ := ctx.Value("x-amzn-trace-id").(string) // set by the runtime client
		return trace, nil
	case "pid":
		return fmt.Sprint(os.Getpid()), nil
	case "say":
		fmt.Println(e.Text)
	}
	return e.Text, nil
}

func startFunction(t *testing.T, o lambdaproc.Options) *lambdaproc.Function {
	t.Helper()
	o.Path = os.Args[0]
	o.Env = append(o.Env, bootstrapVariable+"=1")
	f, err := lambdaproc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func invoke(t *testing.T, f *lambdaproc.Function, do, text string) (string, error) {
	t.Helper()
	response, err := f.Invoke(t.Context(), []byte(fmt.Sprintf(`{"do":%q,"text":%q}`, do, text)))
	return strings.Trim(string(response), `"`), err
}

func TestInvoke(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Environments: 1})
	for n := range 3 {
		text := fmt.Sprint("hello ", n)
		if got, err := invoke(t, f, "", text); err != nil || got != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
}

func TestFailures(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Environments: 1})
	for do, want := range map[string]string{
		"fail": "as requested", "panic": "as requested", "exit": "exited before it answered",
	} {
		t.Run(do, func(t *testing.T) {
			if _, err := invoke(t, f, do, ""); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if got, err := invoke(t, f, "", "again"); err != nil || got != "again" {
				t.Errorf("the next invocation: got %q, %v", got, err)
			}
		})
	}
}

// TestOutputHeldOpen: a program that the process started, and that outlives it, delays nothing.
func TestOutputHeldOpen(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Environments: 1, Env: []string{"PATH=" + os.Getenv("PATH")}})
	pid, err := invoke(t, f, "child", "")
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	child, err := os.FindProcess(number)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- f.Close() }()
	select {
	case err = <-closed:
		_ = child.Kill()
	case <-time.After(3 * time.Minute):
		_ = child.Kill()
		t.Error("Close waited for the program that the process had started")
		err = <-closed
	}
	if err != nil {
		t.Error(err)
	}
}

func TestTimeout(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Environments: 1})
	first, err := invoke(t, f, "pid", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, []byte(`{"do":"hang"}`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	if second, err := invoke(t, f, "pid", ""); err != nil || second == first {
		t.Errorf("got process %s after %s, %v, want another one", second, first, err)
	}
}

// TestTimeoutOfTheFunction: the timeout of the options ends an invocation, and the
// function knows it.
func TestTimeoutOfTheFunction(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Name: "slow", Environments: 1, Timeout: 3 * time.Second})
	if got, err := invoke(t, f, "deadline", ""); err != nil || got != "3s" {
		t.Errorf("got %s, %v, want 3s", got, err)
	}
	f = startFunction(t, lambdaproc.Options{Name: "slow", Environments: 1, Timeout: time.Millisecond})
	if _, err := invoke(t, f, "hang", ""); err == nil || err.Error() != "function slow timed out after 1ms" {
		t.Errorf("got %v", err)
	}
}

// TestWarm: one invocation after the other runs in one process.
func TestWarm(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{})
	first, err := invoke(t, f, "pid", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if pid, err := invoke(t, f, "pid", ""); err != nil || pid != first {
			t.Errorf("got process %s, %v, want %s", pid, err, first)
		}
	}
}

// TestSources: a change of a file in the folder of sources starts a new process; one in a
// folder of packages does not.
func TestSources(t *testing.T) {
	folder := t.TempDir()
	for _, dir := range []string{"lib", "node_modules", ".git", "__pycache__"} {
		if err := os.Mkdir(filepath.Join(folder, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f := startFunction(t, lambdaproc.Options{Environments: 1, Sources: folder})
	before, err := invoke(t, f, "pid", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file    string
		restart bool
	}{
		{"app.js", true}, {"lib/more.js", true}, {"node_modules/x.js", false}, {".git/index", false},
		{"__pycache__/x.pyc", false}, {"app.js", true},
	} {
		name := filepath.Join(folder, filepath.FromSlash(tt.file))
		more, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err == nil {
			_, err = more.WriteString("x")
			err = errors.Join(err, more.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		after, err := invoke(t, f, "pid", "")
		if err != nil || (after != before) != tt.restart {
			t.Errorf("%s: process %s, then %s, %v; want another one: %t", tt.file, before, after, err, tt.restart)
		}
		before = after
	}
}

// TestSourcesBesidePackages: thousands of files of packages do not hide a handler, nor does a
// link to the folder.
func TestSourcesBesidePackages(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "botocore", "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 1100 {
		name := filepath.Join(folder, "botocore", "data", strconv.Itoa(i))
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, link); err != nil {
		t.Skip(err)
	}
	f := startFunction(t, lambdaproc.Options{Environments: 1, Sources: link})
	before, err := invoke(t, f, "pid", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "handler.py"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if after, err := invoke(t, f, "pid", ""); err != nil || after == before {
		t.Errorf("process %s again, %v; want another one", after, err)
	}
}

func TestDeadlineReachesTheFunction(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Environments: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Second)
	defer cancel()
	response, err := f.Invoke(ctx, []byte(`{"do":"deadline"}`))
	if err != nil || string(response) != `"10m0s"` {
		t.Errorf("got %s, %v, want 10m0s", response, err)
	}
}

// TestTraceIDs: each invocation begins a new trace.
func TestTraceIDs(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Environments: 1})
	header := regexp.MustCompile(`^Root=1-([0-9a-f]{8})-[0-9a-f]{24};Sampled=0$`)
	seen := map[string]bool{}
	for range 3 {
		began := time.Now().Unix()
		got, err := invoke(t, f, "trace", "")
		parts := header.FindStringSubmatch(got)
		if err != nil || parts == nil || seen[got] {
			t.Fatalf("got %q, %v after %v, want a new trace", got, err, seen)
		}
		seen[got] = true
		if second, err := strconv.ParseInt(parts[1], 16, 64); err != nil || second < began || second > time.Now().Unix() {
			t.Errorf("got %q, want the second of the invocation, %x", got, began)
		}
	}
}

func TestEnvironments(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Environments: 3})
	var wg sync.WaitGroup
	var mu sync.Mutex
	pids := map[string]int{}
	for range 60 {
		wg.Go(func() {
			pid, err := invoke(t, f, "pid", "")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			pids[pid]++
		})
	}
	wg.Wait()
	if len(pids) == 0 || len(pids) > 3 {
		t.Errorf("got invocations by process %v, want at most 3 processes", pids)
	}
}

func TestOutputAndClose(t *testing.T) {
	var out bytes.Buffer
	f := startFunction(t, lambdaproc.Options{Environments: 1, Output: &out})
	if _, err := invoke(t, f, "say", "words"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "words\n" {
		t.Errorf("got output %q", got)
	}
	if _, err := invoke(t, f, "", ""); !errors.Is(err, lambdaproc.ErrClosed) {
		t.Errorf("after Close: got %v", err)
	}
}

// TestNewRefusesOtherMachines: New refuses a bootstrap that this machine cannot run.
// It does not read scripts.
func TestNewRefusesOtherMachines(t *testing.T) {
	// The first 64 bytes of an executable for each of Lambda's machines: little-endian,
	// 64 bits (System V ABI, ELF header).
	for machine, code := range map[string]byte{"amd64": 62, "arm64": 183} {
		header := make([]byte, 64)
		copy(header, "\x7fELF\x02\x01\x01")
		header[16], header[18], header[20], header[52] = 2, code, 1, 64
		path := filepath.Join(t.TempDir(), "bootstrap")
		if err := os.WriteFile(path, header, 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := lambdaproc.New(lambdaproc.Options{Path: path})
		if runs := runtime.GOOS == "linux" && runtime.GOARCH == machine; runs != (err == nil) {
			t.Errorf("an executable for %s: got %v on %s", machine, err, runtime.GOARCH)
		}
	}
	script := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := lambdaproc.New(lambdaproc.Options{Path: script}); err != nil {
		t.Errorf("a script: got %v", err)
	}
}

func TestNewRefusesNonExecutables(t *testing.T) {
	for _, path := range []string{"/nowhere/bootstrap", t.TempDir(), "function_test.go"} {
		if _, err := lambdaproc.New(lambdaproc.Options{Path: path}); err == nil {
			t.Errorf("%s: got no error", path)
		}
	}
}
