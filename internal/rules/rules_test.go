package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/logs"
)

const (
	root   = "../.."
	module = "github.com/securecart/hub"
)

// source is one Go file of the tree.
type source struct {
	pkg    string // folder, from the root
	name   string
	isTest bool
	file   *ast.File
	set    *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			skipped := []string{"node_modules", "build", "testdata"} // as the go command skips testdata
			if name := d.Name(); p != root && (strings.HasPrefix(name, ".") || slices.Contains(skipped, name)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		all = append(all, source{path.Dir(rel), rel, strings.HasSuffix(rel, "_test.go"), file, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("found %d Go files only", len(all))
	}
	return all
}

func imports(s source) []string {
	var paths []string
	for _, i := range s.file.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

// clockFunctions are those of package time that read or follow the clock.
var clockFunctions = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep", "Tick"}

// TestHubIsDeterministic: no goroutine, no channel, no clock.
func TestHubIsDeterministic(t *testing.T) {
	files := 0
	for _, s := range sources(t) {
		if s.pkg != "internal/hub" || s.isTest {
			continue
		}
		files++
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt:
				t.Errorf("%s: a goroutine or a channel", s.set.Position(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clockFunctions, n.Sel.Name) {
					t.Errorf("%s: time.%s", s.set.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
	if files < 10 {
		t.Errorf("looked at %d files of the hub only", files)
	}
}

// TestMainsAreWiring holds each main.go to 22 lines. A function has no other file; what all
// of them need is in internal/cloud/boot.
func TestMainsAreWiring(t *testing.T) {
	mains := 0
	for _, s := range sources(t) {
		isMain, isFunction := path.Base(s.name) == "main.go", slices.Contains(functions, s.pkg)
		if s.isTest || !isFunction && (s.pkg != "localhub" || !isMain) {
			continue
		}
		mains++
		if lines := s.set.Position(s.file.End()).Line; lines > 22 || !isMain {
			t.Errorf("%s has %d lines, want at most 22, in main.go", s.name, lines)
		}
	}
	if mains != len(functions)+1 {
		t.Errorf("found %d mains, want one for localhub and each of %d functions", mains, len(functions))
	}
}

func TestPackageComments(t *testing.T) {
	comments := map[string][]string{}
	for _, s := range sources(t) {
		if s.file.Doc != nil {
			if s.isTest {
				t.Errorf("%s has a package comment; it belongs into doc.go", s.name)
			}
			comments[s.pkg] = append(comments[s.pkg], s.name)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(mayImport)) {
		if n := len(comments[pkg]); n != 1 {
			t.Errorf("%s has %d package comments %v, want one", pkg, n, comments[pkg])
		}
	}
}

// TestNoSleep: tests wait for events; time passes in synctest bubbles only.
func TestNoSleep(t *testing.T) {
	allowed := 0
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			var sleeps []token.Pos
			bubble := inBubble[s.name+":"+nameOf(d)]
			ast.Inspect(d, func(n ast.Node) bool {
				if x, ok := n.(*ast.SelectorExpr); ok {
					pkg, ok := x.X.(*ast.Ident)
					bubble = bubble || ok && pkg.Name == "synctest"
					if ok && pkg.Name == "time" && x.Sel.Name == "Sleep" {
						sleeps = append(sleeps, x.Pos())
					}
				}
				return true
			})
			for _, at := range sleeps {
				if !s.isTest || !bubble {
					t.Errorf("%s: time.Sleep outside of a bubble", s.set.Position(at))
				} else {
					allowed++
				}
			}
		}
	}
	if allowed == 0 {
		t.Error("found no time.Sleep in a bubble, and there are some")
	}
}

// nameOf returns the first name that a declaration gives; "" if it is an import.
func nameOf(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.Name
	case *ast.GenDecl:
		if v, ok := d.Specs[0].(*ast.ValueSpec); ok {
			return v.Names[0].Name
		}
	}
	return ""
}

// inBubble are functions, and variables with functions, that are called in bubbles only.
var inBubble = map[string]bool{
	"internal/local/house/alarms_test.go:faults":     true,
	"internal/local/house/alarms_test.go:TestAlarms": true,
	"internal/costtest/meter_test.go:RoundTrip":      true,
	"internal/costtest/scenarios_test.go:pass":       true,
	"internal/hub/retry_test.go:Receipt":             true,
	"internal/local/webserver/server_test.go:post":   true,
	"internal/hub/retry_test.go:Cart":                true,
	"internal/local/replay/helper_test.go:wait":      true,
	"internal/hub/retry_test.go:PutCarts":            true,
}

// TestNoExits: nobody but main ends the process.
func TestNoExits(t *testing.T) {
	allowed := 0
	for _, s := range sources(t) {
		if s.isTest {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := x.X.(*ast.Ident); ok {
					call := pkg.Name + "." + x.Sel.Name
					onlyMain := call == "os.Exit" || call == "os.Getenv"
					if strings.HasPrefix(call, "log.Fatal") || onlyMain && s.file.Name.Name != "main" {
						t.Errorf("%s: %s", s.set.Position(n.Pos()), call)
					} else if onlyMain {
						allowed++
					}
				}
			}
			return true
		})
	}
	if allowed < len(functions) {
		t.Errorf("found %d calls in mains, want one in each of them at least", allowed)
	}
}

// TestServersHaveLimits: package webserver makes all HTTP servers of localhub, so each
// of them limits how long a client may take.
func TestServersHaveLimits(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		if s.isTest || s.pkg != "localhub" && !strings.HasPrefix(s.pkg, "internal/") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			var name string
			switch n := n.(type) {
			case *ast.CompositeLit:
				name = dotted(n.Type)
			case *ast.CallExpr:
				name = dotted(n.Fun)
			}
			switch name {
			case "http.Server", "http.Serve", "http.ServeTLS", "http.ListenAndServe", "http.ListenAndServeTLS":
				if found++; s.pkg != "internal/local/webserver" {
					t.Errorf("%s: %s, want webserver.New", s.set.Position(n.Pos()), name)
				}
			}
			return true
		})
	}
	if found == 0 {
		t.Error("found no HTTP server")
	}
}

// TestLogKeys checks every log call of the functions: a fixed message, keys of
// logs.Keys, also in loggers made with With, and the context that carries the ids of the invocation. Boot logs
// before the first invocation, without a context.
func TestLogKeys(t *testing.T) {
	used := map[string]bool{
		"time": true, "level": true, "msg": true, "requestId": true, "traceId": true,
		"took": true, "causes": true, // beside metrics
	}
	for _, s := range sources(t) {
		logging := append([]string{"internal/handler", "internal/rest", "internal/cloud/boot"}, functions...)
		if s.isTest || !slices.Contains(logging, s.pkg) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			// A local variable log, or a field: b.log.
			if _, method, isLog := strings.Cut("."+dotted(call.Fun), ".log."); isLog {
				checkLogCall(t, s, call, method, used)
			}
			return true
		})
	}
	for _, key := range slices.Sorted(maps.Keys(logs.Keys)) {
		if !used[key] {
			t.Errorf("no function logs the key %q", key)
		}
	}
}

// checkLogCall checks one call of a logger's method and adds its keys to used.
func checkLogCall(t *testing.T, s source, call *ast.CallExpr, method string, used map[string]bool) {
	t.Helper()
	inMain := s.file.Name.Name == "main" || s.pkg == "internal/cloud/boot"
	args := call.Args
	level, inInvocation := strings.CutSuffix(method, "Context")
	if inInvocation {
		args = args[1:]
	}
	isLevel := slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, level)
	if method == "With" {
		checkLogKeys(t, s, args, used)
		return
	}
	if !isLevel || inInvocation == inMain || literal(args[0]) == "" {
		t.Errorf("%s: log.%s, want a level with the context (in main and boot without), and a fixed message",
			s.set.Position(call.Pos()), method)
	}
	checkLogKeys(t, s, args[1:], used)
}

// checkLogKeys checks the keys among keys and values, and adds them to used.
func checkLogKeys(t *testing.T, s source, args []ast.Expr, used map[string]bool) {
	t.Helper()
	for i := 0; i < len(args); i += 2 {
		key := literal(args[i])
		if used[key] = true; logs.Keys[key] == "" {
			t.Errorf("%s: logs.Keys has no key %q", s.set.Position(args[i].Pos()), key)
		}
	}
}

// literal returns the text of a string literal, or "".
func literal(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		return strings.Trim(lit.Value, `"`)
	}
	return ""
}
