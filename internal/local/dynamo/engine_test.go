package dynamo_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/local/dynamo"
)

// root is the root of the repository.
const root = "../../.."

// environ is the environment before any test changes it. The go command finds its
// build cache by it.
var environ = os.Environ()

// shared is what the tests of this package start or build once.
var shared struct {
	engine struct {
		once     sync.Once
		endpoint string
		stop     func()
		err      error
	}
	bootstraps struct {
		once sync.Once
		dir  string
		err  error
	}
}

// run is a test run that ends what is shared before goleak looks for goroutines.
type run struct{ *testing.M }

func (r run) Run() int {
	code := r.M.Run()
	if stop := shared.engine.stop; stop != nil {
		stop()
	}
	if dir := shared.bootstraps.dir; dir != "" {
		_ = os.RemoveAll(dir)
	}
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(run{m}) }

// engine returns the endpoint of a DynamoDB engine: the one that the environment
// names, or one for all tests of this package. The test skips if none is installed.
func engine(t testing.TB) (endpoint string) {
	t.Helper()
	e := &shared.engine
	e.once.Do(func() { e.endpoint, e.stop, e.err = dynamotest.Start(root, os.Getenv) })
	switch {
	case dynamotest.MaySkip(e.err, os.Getenv):
		t.Skip(e.err)
	case e.err != nil:
		t.Fatal(e.err)
	}
	return e.endpoint
}

// bootstraps returns a folder with the executables of the functions. They are built once,
// with the packages that the tests are made of. Without an engine the test skips before that.
func bootstraps(t testing.TB) (dir string) {
	t.Helper()
	engine(t)
	b := &shared.bootstraps
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "bootstraps-"); b.err == nil {
			b.err = build(b.dir)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.dir
}

// build makes dir/FUNCTION/bootstrap of each function, with one call of the go
// command: it loads the packages once.
func build(dir string) error {
	functions := []string{"connect", "disconnect", "message", "authorize", "broadcast", "rest"}
	programs := filepath.Join(dir, "programs") + string(filepath.Separator)
	args := []string{"build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", programs}
	for _, f := range functions {
		args = append(args, "./"+f)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = root, environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the functions: %w\n%s", err, out)
	}
	for _, f := range functions {
		if err := os.Mkdir(filepath.Join(dir, f), 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(programs, f), filepath.Join(dir, f, "bootstrap")); err != nil {
			return err
		}
	}
	return nil
}

// newNames returns names of tables that no other test uses.
func newNames() dynamostore.Options {
	prefix := "house-" + rand.Text()[:8] + "-"
	return dynamostore.Options{
		HubTable: prefix + "hub", InventoryTable: prefix + "inventory", CartTable: prefix + "carts",
		SweepTable: prefix + "sweeps",
	}
}

func openTables(t testing.TB, o dynamo.Options) *dynamo.Tables {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	tables, err := dynamo.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tables.Close)
	return tables
}
