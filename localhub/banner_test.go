package main

import "testing"

// TestCommandOf: the banner's lines have no path into the build cache of go run.
func TestCommandOf(t *testing.T) {
	const sum = "765b6407815860dabd82849a6374af1ddbb4f51ff5fb956f6bcf617d2829dd55"
	for executable, want := range map[string]string{
		"/home/me/.cache/go-build/76/" + sum + "-d/localhub":   "go run ./localhub",
		"/tmp/go-build1234567890/b001/exe/localhub":            "go run ./localhub",
		"/usr/local/bin/localhub":                              "/usr/local/bin/localhub",
		"/home/me/go-build/localhub":                           "/home/me/go-build/localhub",
		"/home/me/my tools/localhub":                           "'/home/me/my tools/localhub'",
		"/home/me/.cache/go-build/76/" + sum + "-d/x/localhub": "/home/me/.cache/go-build/76/" + sum + "-d/x/localhub",
	} {
		if got := commandOf(executable); got != want {
			t.Errorf("%s: got %s, want %s", executable, got, want)
		}
	}
}
