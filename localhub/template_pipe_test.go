//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestTemplateInterrupted: the first interrupt ends a localhub that still reads its
// template, here from a pipe that nobody writes to.
func TestTemplateInterrupted(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error)
	args := []string{"-template", pipe, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}
	go func() { ended <- run(ctx, args, io.Discard, io.Discard) }()
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want an end without an error", err)
	}
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader, which then ends
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}

// TestTemplateWithoutEnd: of a file without an end no more is read than CloudFormation
// accepts.
func TestTemplateWithoutEnd(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	testTemplateError(t, []string{"-template", "/dev/zero", "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, 1,
		"/dev/zero:1:1: CloudFormation accepts at most 1048576 bytes")
}
