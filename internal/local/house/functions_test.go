package house_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// stubBootstraps is a folder with six bootstraps that do nothing. The tests do not
// invoke them.
func stubBootstraps(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"authorize", "connect", "disconnect", "message", "broadcast", "rest"} {
		path := filepath.Join(dir, name, "bootstrap")
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMissingBootstrap: the error has the command that builds it.
func TestMissingBootstrap(t *testing.T) {
	dir := stubBootstraps(t)
	if err := os.Remove(filepath.Join(dir, "message", "bootstrap")); err != nil {
		t.Fatal(err)
	}
	_, err := house.New(house.Options{
		Rows: house.Rows{Tables: newFakeTables()}, Functions: house.Functions{BootstrapDir: dir},
	})
	if want := "make build ARCH=" + runtime.GOARCH; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestMetricsOfBootstraps: series that this process cannot count are absent, not zero.
func TestMetricsOfBootstraps(t *testing.T) {
	withBootstraps := house.Options{
		Rows: house.Rows{Tables: newFakeTables()}, Functions: house.Functions{BootstrapDir: stubBootstraps(t)},
	}
	for _, tt := range []struct {
		name    string
		options house.Options
		counts  bool
	}{
		{"in process", house.Options{}, true},
		{"bootstraps", withBootstraps, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, tt.options)
			defer closeHouse(t, h)
			setStock(t, h, "MUG", "3")
			settle(t, h)
			_, text := admin(t, h, "GET", "/metrics", "")
			if got := strings.Contains(text, "\nhub_changes_total"); got != tt.counts {
				t.Errorf("hub_changes_total is present: %t, want %t", got, tt.counts)
			}
			if !strings.Contains(text, "\ngateway_connections") {
				t.Error("the gateway's series are missing")
			}
		})
	}
}
