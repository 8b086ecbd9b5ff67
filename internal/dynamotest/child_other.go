//go:build !unix

package dynamotest

import (
	"io"
	"os/exec"
)

// childCommand runs the program itself. Only its stop function ends it: a test
// binary that panics leaves it behind.
func childCommand(path string, args ...string) *exec.Cmd { return exec.Command(path, args...) }

func endChild(cmd *exec.Cmd, _ io.Closer) { _ = cmd.Process.Kill() }
