package lambdaproc

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// runtimeFiles are the programs that run functions of Lambda's managed runtimes. They speak
// the Runtime API, as a bootstrap does.
//
//go:embed runtimes/node.mjs runtimes/proxy.mjs runtimes/python.py
var runtimeFiles embed.FS

// The files that WriteRuntimes writes. NodeProxy makes https of Node.js use HTTPS_PROXY.
const (
	nodeRuntime   = "node.mjs"
	NodeProxy     = "proxy.mjs"
	pythonRuntime = "python.py"
)

// WriteRuntimes writes the programs that run functions into a folder.
func WriteRuntimes(folder string) error {
	for _, name := range []string{nodeRuntime, NodeProxy, pythonRuntime} {
		text, err := runtimeFiles.ReadFile("runtimes/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o644)
		}
		if err != nil {
			return fmt.Errorf("lambdaproc: %w", err)
		}
	}
	return nil
}

// Managed is a function of a managed runtime of Lambda, which an interpreter on this
// machine runs.
type Managed struct {
	Runtime  string // as in the template: "nodejs22.x"
	Handler  string // as in the template: "src/app.handler"
	Folder   string // of its code
	Runtimes string // where WriteRuntimes wrote
	Path     string // the variable PATH, where the interpreter is looked for
}

// Language returns the language of a managed runtime that can be run: "Node.js", "Python",
// or "".
func (m Managed) Language() string {
	switch {
	case strings.HasPrefix(m.Runtime, "nodejs"):
		return "Node.js"
	case strings.HasPrefix(m.Runtime, "python"):
		return "Python"
	}
	return ""
}

// Find returns the Options that run the function: Path, Args, Folder and Sources. module is
// the file with the handler. The error says what is missing.
func (m Managed) Find() (o Options, module string, err error) {
	command, program, module := "node", nodeRuntime, m.nodeModule()
	if m.Language() == "Python" {
		command, program, module = "python3", pythonRuntime, m.pythonModule()
	}
	o = Options{Args: []string{filepath.Join(m.Runtimes, program)}, Folder: m.Folder, Sources: m.Folder}
	switch o.Path, err = lookPath(command, m.Path); {
	case module == "":
		return o, "", fmt.Errorf("no file in %s has the handler %s", m.Folder, m.Handler)
	case err != nil:
		return o, "", fmt.Errorf("there is no %s on the PATH", command)
	}
	return o, module, nil
}

// nodeModule returns the file of a handler in Node.js: the name up to the first dot, with
// one of the endings of modules. "" if there is none.
func (m Managed) nodeModule() string {
	folder, file := filepath.Split(filepath.FromSlash(m.Handler))
	name, _, _ := strings.Cut(file, ".")
	return m.firstFile(filepath.Join(folder, name), ".js", ".mjs", ".cjs", ".ts")
}

// pythonModule returns the file of a handler in Python: a module or a package.
func (m Managed) pythonModule() string {
	module := m.Handler[:max(0, strings.LastIndex(m.Handler, "."))]
	if module == "" {
		return ""
	}
	path := filepath.FromSlash(strings.ReplaceAll(module, ".", "/"))
	return m.firstFile(path, ".py", filepath.FromSlash("/__init__.py"))
}

// firstFile returns the first file of the function with one of the endings, or "".
func (m Managed) firstFile(name string, endings ...string) string {
	for _, ending := range endings {
		path := filepath.Join(m.Folder, name+ending)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// lookPath finds a program in the folders of a variable PATH.
func lookPath(command, path string) (string, error) {
	for _, folder := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(folder, command)); err == nil {
			return filepath.Abs(found)
		}
	}
	return "", errors.New("not found")
}
