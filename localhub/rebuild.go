//go:build !dynamodb

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/securecart/hub/internal/local/house"
)

// open returns nil if there are no tables. For tables the AWS SDK is needed, which
// this build does without, since compiling it would take everybody's first build
// half as long again: so open builds a localhub that has it and becomes that one.
func (d *dynamodb) open(ctx context.Context, _ *slog.Logger, stderr io.Writer) (house.Tables, error) {
	if d.endpoint == "" {
		return nil, nil
	}
	fmt.Fprintln(stderr, "localhub: building the localhub that has the AWS SDK; the first time this takes a while")
	program, err := rebuild(ctx)
	if err == nil {
		err = syscall.Exec(program, append([]string{program}, os.Args[1:]...), os.Environ())
	}
	return nil, fmt.Errorf("-dynamodb needs a localhub with the AWS SDK (go build -tags dynamodb ./localhub): %w", err)
}

// rebuild builds this program's source with the SDK.
func rebuild(ctx context.Context) (string, error) {
	_, file, _, _ := runtime.Caller(0)
	source := filepath.Dir(file)
	if _, err := os.Stat(file); err != nil {
		return "", errors.New("its source is not on this machine")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	program := filepath.Join(cache, "securecart-hub", "localhub-dynamodb")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-C", source, "-tags", "dynamodb", "-o", program, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
}
