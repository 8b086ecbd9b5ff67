package house_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// build is a folder of six scripts, which nobody invokes before the test ends.
func build(t *testing.T) (dir string) {
	dir = t.TempDir()
	for _, name := range []string{"authorize", "connect", "disconnect", "message", "broadcast", "ticket"} {
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

// TestMissingBootstrap: the error is the command to type.
func TestMissingBootstrap(t *testing.T) {
	dir := build(t)
	if err := os.Remove(filepath.Join(dir, "message", "bootstrap")); err != nil {
		t.Fatal(err)
	}
	_, err := house.New(house.Options{Rows: house.Rows{Tables: newTables()}, Functions: house.Functions{Build: dir}})
	if want := "make build ARCH=" + runtime.GOARCH; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestMetricsOfBootstraps: what this process cannot count is not there, rather than
// zero.
func TestMetricsOfBootstraps(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options house.Options
		counted bool
	}{
		{"in process", house.Options{}, true},
		{"bootstraps", house.Options{Rows: house.Rows{Tables: newTables()}, Functions: house.Functions{Build: build(t)}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, tt.options)
			defer closeHouse(t, h)
			setStock(t, h, "MUG", "3")
			settle(t, h)
			_, text := admin(t, h, "GET", "/metrics", "")
			if got := strings.Contains(text, "\nhub_changes_total"); got != tt.counted {
				t.Errorf("hub_changes_total is there: %v, want %v", got, tt.counted)
			}
			if !strings.Contains(text, "\ngateway_connections") {
				t.Error("the gateway's series are missing")
			}
		})
	}
}
