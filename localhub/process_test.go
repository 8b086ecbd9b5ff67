package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// process is one run of the program localhub, as a shell starts it.
type process struct {
	args   []string
	env    []string // NAME=VALUE
	stdin  string
	status int
	stdout string // with … for any text
	stderr string // the beginning of it; "": nothing
}

// run starts the program and compares what it prints and its status.
func (p process) run(t *testing.T) {
	t.Helper()
	status, stdout, stderr := p.output(t)
	if status != p.status {
		t.Errorf("localhub %q: got status %d, want %d", p.args, status, p.status)
	}
	if !matches(stdout, p.stdout) {
		t.Errorf("localhub %q: got on standard output\n%s\nwant\n%s", p.args, stdout, p.stdout)
	}
	if !strings.HasPrefix(stderr, p.stderr) || p.stderr == "" && stderr != "" {
		t.Errorf("localhub %q: got on standard error\n%s\nwant\n%s", p.args, stderr, p.stderr)
	}
}

// output starts the program and returns what it prints.
func (p process) output(t *testing.T) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testBinary(t), p.args...)
	cmd.Env = append(append(os.Environ(), mainVariable+"=1"), p.env...)
	cmd.Stdin = strings.NewReader(p.stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	var failed *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// matches reports whether a text has a form, in which … stands for any text of a line.
func matches(text, form string) bool {
	lines, forms := strings.Split(text, "\n"), strings.Split(form, "\n")
	if len(lines) != len(forms) {
		return false
	}
	for i, line := range lines {
		parts := strings.Split(forms[i], "…")
		rest, ok := strings.CutPrefix(line, parts[0])
		for n, part := range parts[1:] {
			before, after, found := rest, "", strings.HasSuffix(rest, part)
			if n < len(parts)-2 {
				before, after, found = strings.Cut(rest, part)
			}
			ok = ok && found && before != ""
			rest = after
		}
		if !ok || rest != "" {
			return false
		}
	}
	return true
}

// runProcesses runs the program for each case.
func runProcesses(t *testing.T, cases map[string]process) {
	t.Helper()
	for name, p := range cases {
		t.Run(name, func(t *testing.T) { p.run(t) })
	}
}

// writeFile writes a file of a test and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
