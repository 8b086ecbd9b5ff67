package host

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/local/shell"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// writeEnvFiles writes the variables of each function that the developer starts.
func (h *Host) writeEnvFiles() error {
	var errs []error
	for _, f := range h.endpoints {
		errs = append(errs, os.WriteFile(h.envFile(f.ID), h.envText(f), 0o600))
	}
	return errors.Join(errs...)
}

// envFile is the file with the variables of a function.
func (h *Host) envFile(id string) string { return filepath.Join(h.opts.Folder, id+".env") }

// Templates may come from anybody, and a shell reads the file: a name with other characters
// could be a command, or another folder.
var (
	// functionName is a logical id or the name of a function.
	functionName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

	// variableName is what Lambda and shells allow.
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// ofThisMachine are variables that a function here takes from the shell that starts it.
var ofThisMachine = []string{"PATH", "TZ", "LANG"}

// envText has a line for each variable, which a shell can source and Node.js can read.
func (h *Host) envText(f *samapi.Function) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# The variables of %s, written by localhub at each start.\n", f.ID)
	known, unknown := f.Environment(h.envFlags(f.ID))
	for _, name := range unknown {
		if !variableName.MatchString(name) {
			continue
		}
		fmt.Fprintf(&b, "# %s has a value in AWS only: set it with -env %s.%s=VALUE\n", name, f.ID, name)
	}
	env := append(h.environment(f, known), "AWS_LAMBDA_FUNCTION_NAME="+f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_SESSION_TOKEN=")
	if strings.HasPrefix(f.Runtime, "nodejs") {
		proxy := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(h.opts.Folder, lambdaproc.NodeProxy))}
		env = withNodeOption(env, "--import="+proxy.String())
	}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if variableName.MatchString(name) && !slices.Contains(ofThisMachine, name) {
			fmt.Fprintf(&b, "export %s=%s\n", name, shell.Word(value))
		}
	}
	return []byte(b.String())
}

// withNodeOption adds an option of Node.js to those that the variables have. Of variables
// with one name, the last counts.
func withNodeOption(env []string, option string) []string {
	const name = "NODE_OPTIONS="
	for _, variable := range slices.Backward(env) {
		if options, ok := strings.CutPrefix(variable, name); ok {
			return append(env, name+option+" "+options)
		}
	}
	return append(env, name+option)
}
