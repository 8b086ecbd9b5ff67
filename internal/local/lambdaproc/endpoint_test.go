package lambdaproc_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/lambdaproc"
)

// newEndpoint returns a function at a server with this handler.
func newEndpoint(t *testing.T, serve http.HandlerFunc) *lambdaproc.Endpoint {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	e, err := lambdaproc.NewEndpoint(server.URL, "OnConnect")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEndpoint(t *testing.T) {
	e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		event, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/2015-03-31/functions/OnConnect/invocations" ||
			r.Header.Get("X-Amz-Invocation-Type") != "RequestResponse" {
			t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
		}
		_, _ = w.Write(append(event, '!'))
	})
	if got, err := e.Invoke(t.Context(), []byte(`{}`)); err != nil || string(got) != "{}!" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestEndpointWithPath: the emulator of container images always has the same path.
func TestEndpointWithPath(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	const path = "/2015-03-31/functions/function/invocations"
	e, err := lambdaproc.NewEndpoint(server.URL+path, "OnConnect")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Invoke(t.Context(), nil); err != nil || string(got) != path {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEndpointFails(t *testing.T) {
	for name, tt := range map[string]struct {
		serve http.HandlerFunc
		want  string // how the error begins
	}{
		"a function error": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = io.WriteString(w, `{"errorType":"Error","errorMessage":"Unauthorized"}`)
		}, "Unauthorized"},
		"a function error that is not JSON": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = io.WriteString(w, `oh no`)
		}, "oh no"},
		"a function error, as AWS's Runtime Interface Emulator sends it": {
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"errorMessage":"Unauthorized","errorType":"errorString"}`)
			}, "Unauthorized",
		},
		"no such function": {
			func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "where?", http.StatusNotFound) },
			"function OnConnect: lambdaproc: the function does not exist or may not be invoked: 404 Not Found: where?",
		},
		"not allowed": {
			func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) },
			"function OnConnect: lambdaproc: the function does not exist or may not be invoked: 403 Forbidden: no",
		},
		"a broken response": {
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "function OnConnect: ",
		},
		"too large": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 6<<20+1)) },
			"function OnConnect: response exceeds 6291456 bytes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newEndpoint(t, tt.serve).Invoke(t.Context(), nil); err == nil ||
				!strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestEndpointIsDown(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	e, err := lambdaproc.NewEndpoint(server.URL, "OnConnect")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Invoke(t.Context(), nil); err == nil || !strings.HasPrefix(err.Error(), "function OnConnect: ") {
		t.Errorf("got %v", err)
	}
}

func TestEndpointDeadline(t *testing.T) {
	asked, ended := make(chan struct{}, 100), make(chan struct{}, 100)
	e := newEndpoint(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // otherwise the server does not notice that the client has gone
		asked <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	})
	// On a busy machine the deadline may come before the request does.
	for deadline := 50 * time.Millisecond; len(asked) == 0; deadline *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		if _, err := e.Invoke(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		cancel()
	}
	<-ended
}

func TestNewEndpointRefuses(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:9001", "ftp://x", "http://", "http://a b"} {
		if _, err := lambdaproc.NewEndpoint(address, "f"); err == nil {
			t.Errorf("%q: got no error", address)
		}
	}
}

// TestFunctionErrorIsItsMessage: the text of the error is only the message, since the
// gateway compares all of it (G-AUTH-14).
func TestFunctionErrorIsItsMessage(t *testing.T) {
	f := startFunction(t, lambdaproc.Options{Name: "authorize"})
	_, err := f.Invoke(t.Context(), []byte(`{"do":"unauthorized"}`))
	var failed *lambdaproc.FunctionError
	if !errors.As(err, &failed) || err.Error() != "Unauthorized" || failed.Function != "authorize" {
		t.Errorf("got %#v", err)
	}
}

// TestReplacedExecutable: if the executable changes, the next invocation runs the new
// one.
func TestReplacedExecutable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bootstrap")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string, age time.Duration) {
		t.Helper()
		script := "#!/bin/sh\n" + bootstrapVariable + "=1 TEXT=" + text + " exec " + program + "\n"
		fresh := path + ".new"
		if err := os.WriteFile(fresh, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		builtAt := time.Now().Add(-age)
		if err := errors.Join(os.Chtimes(fresh, builtAt, builtAt), os.Rename(fresh, path)); err != nil {
			t.Fatal(err)
		}
	}
	write("old", time.Hour)
	f, err := lambdaproc.New(lambdaproc.Options{Path: path, Environments: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ask := func(want string) (pid string) {
		t.Helper()
		if got, err := invoke(t, f, "text", ""); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		pid, err := invoke(t, f, "pid", "")
		if err != nil {
			t.Error(err)
		}
		return pid
	}
	if got, err := invoke(t, f, "folder", ""); err != nil || got != filepath.Dir(path) {
		t.Errorf("working directory: got %q, %v, want that of the executable, %s", got, err, filepath.Dir(path))
	}
	first := ask("old")
	if second := ask("old"); second != first {
		t.Errorf("the process was replaced, but its executable is the same")
	}
	write("new", 0)
	ask("new")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ask("new") // the process stays if its executable is missing
}
