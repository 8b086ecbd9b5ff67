package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"log"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/parallel"
)

// bootstrapVariable makes the test binary the bootstrap of a function.
const bootstrapVariable = "BOOT_TEST_BOOTSTRAP"

func TestMain(m *testing.M) {
	if os.Getenv(bootstrapVariable) != "" {
		os.Exit(Run(config.Disconnect, os.Getenv, os.Stdout, newFailing))
	}
	os.Exit(m.Run())
}

// failure is an event that says how the invocation fails.
type failure struct{ How string }

// newFailing returns a handler that fails as its event says. It panics itself if there
// is no metrics namespace.
func newFailing(e Env) (any, error) {
	if e.MetricsNamespace == "Panic" {
		panic("as requested,\non two lines")
	}
	return func(f failure) (string, error) {
		switch f.How {
		case "error":
			return "", errors.New("as requested,\non two lines")
		case "panic":
			panic(errors.New("as requested"))
		case "panic of a worker":
			parallel.Each(3, 3, func(int) { panic(errors.New("as requested")) })
		case "text":
			log.Print("a library prints\ntwo lines")
			e.AWS.Logger.Logf("WARN", "the SDK warns: %s", "checksum")
		}
		return "done", nil
	}, nil
}

// output is what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// TestEveryLineIsJSON runs a bootstrap that fails in every way, and looks at each line
// that it prints to standard output and standard error.
func TestEveryLineIsJSON(t *testing.T) {
	for _, tt := range []struct {
		name, event string
		env         []string
		want        []string // in the error of a line
	}{
		{"an error of the handler", `{"How":"error"}`, nil, []string{"as requested"}},
		{"a panic of the handler", `{"How":"panic"}`, nil, []string{"as requested", "resulted in a panic"}},
		{"a panic of a worker", `{"How":"panic of a worker"}`, nil, []string{"as requested", "resulted in a panic"}},
		{"libraries that print", `{"How":"text"}`, nil, []string{"a library prints", "the SDK warns: checksum"}},
		{"an event of another type", `{"How":7}`, nil, []string{"cannot unmarshal number"}},
		{"an event that is not JSON", `How`, nil, []string{"invalid character"}},
		{"settings that are missing", `{}`, []string{"HUB_TABLE="}, []string{"HUB_TABLE"}},
		{"a panic at the start", `{}`, []string{"METRICS_NAMESPACE=Panic"}, []string{"panic: as requested"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out output
			f, err := lambdaproc.New(lambdaproc.Options{
				Path: os.Args[0], Name: "disconnect", Environments: 1, Output: &out,
				Env: append([]string{bootstrapVariable + "=1", "HUB_TABLE=hub"}, tt.env...),
			})
			if err != nil {
				t.Fatal(err)
			}
			wantErr := tt.name != "libraries that print"
			for range 2 { // the second time, a process that panicked has ended
				if _, err := f.Invoke(t.Context(), []byte(tt.event)); (err != nil) != wantErr {
					t.Errorf("got error %v, want one: %t", err, wantErr)
				}
			}
			if err := f.Close(); err != nil { // waits for the output of the process
				t.Error(err)
			}
			var texts []string
			for line := range strings.Lines(out.text.String()) {
				var fields struct{ Level, Msg, Error string }
				if err := json.Unmarshal([]byte(line), &fields); err != nil || fields.Level == "" || fields.Msg == "" {
					t.Errorf("%v: %s", err, line)
				}
				texts = append(texts, fields.Error)
			}
			for _, want := range tt.want {
				if !strings.Contains(strings.Join(texts, "\n"), want) {
					t.Errorf("got %q, want a line with %q", texts, want)
				}
			}
		})
	}
}
