package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/metrics"
	"github.com/securecart/hub/internal/wire"
)

// TestDocumentsNameEveryMetric: operators find each in docs/operations.md, and no other.
func TestDocumentsNameEveryMetric(t *testing.T) {
	var names []string
	for _, s := range metrics.Series {
		names = append(names, s.Name)
	}
	checkRows(t, "## Metrics", names)
}

// TestDocumentsNameEveryRefusal: operators find each reason in docs/operations.md, and no
// other.
func TestDocumentsNameEveryRefusal(t *testing.T) {
	var names []string
	for _, reason := range handler.Refusals {
		names = append(names, string(reason))
	}
	checkRows(t, "### Refused handshakes", names)
}

// checkRows fails unless the table below a heading of docs/operations.md has a row for each
// name, and no other.
func checkRows(t *testing.T, heading string, names []string) {
	t.Helper()
	_, section, _ := strings.Cut(read(t, "docs/operations.md"), "\n"+heading+"\n")
	section, _, _ = strings.Cut(section, "\n#")
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(section, -1) {
		rows = append(rows, m[1])
	}
	slices.Sort(rows)
	slices.Sort(names)
	if !slices.Equal(rows, names) {
		t.Errorf("docs/operations.md has below %q\n%q, want\n%q", heading, rows, names)
	}
}

// TestDocumentsNameEveryPackage: docs/architecture.md has a line for each package
// and each dependency.
func TestDocumentsNameEveryPackage(t *testing.T) {
	doc := read(t, "docs/architecture.md")
	for _, pkg := range slices.Sorted(maps.Keys(mayImport)) {
		if !regexp.MustCompile("(?m)^\\|[^|]*`" + regexp.QuoteMeta(pkg) + "`[^|]*\\|").MatchString(doc) {
			t.Errorf("docs/architecture.md has no row for the package %s", pkg)
		}
	}
	module := read(t, "go.mod")
	_, direct, _ := strings.Cut(module, "require (")
	direct, _, _ = strings.Cut(direct, ")")
	required := regexp.MustCompile(`(?m)^\s+(\S+) v`).FindAllStringSubmatch(direct, -1)
	if len(required) < 5 {
		t.Errorf("found %d direct dependencies in go.mod only", len(required))
	}
	for _, m := range required {
		if !strings.Contains(doc, "`"+m[1]+"`") {
			t.Errorf("docs/architecture.md does not say why there is a dependency on %s", m[1])
		}
	}
	if strings.Contains(module, "replace") {
		t.Error("go.mod has a replace")
	}
}

// TestDocumentsHaveFiguresOfEveryFunction: both sizes, the zipped one and a cold
// start, which the benchmark takes.
func TestDocumentsHaveFiguresOfEveryFunction(t *testing.T) {
	doc, bench := read(t, "docs/performance.md"), read(t, "internal/local/dynamo/bench_test.go")
	for _, f := range config.Functions {
		row := "(?m)^\\| `" + string(f) + "`" + `( \| \d+ \d{3} \d{3}){3} \| \d+\.\d ms \|$`
		if !regexp.MustCompile(row).MatchString(doc) {
			t.Errorf("docs/performance.md has no row of figures for %s", f)
		}
		if !strings.Contains(bench, `{"`+string(f)+`", `) {
			t.Errorf("BenchmarkColdStart does not start %s", f)
		}
	}
}

// flagMethods are the methods of pflag.FlagSet that define a flag, with the place
// of its name among the arguments.
var flagMethods = map[string]int{
	"Bool": 0, "Duration": 0, "Float64": 0, "Int": 0, "Int64": 0, "String": 0, "Uint": 0, "Func": 0, "BoolFunc": 0,
	"BoolVar": 1, "DurationVar": 1, "Float64Var": 1, "IntVar": 1, "Int64Var": 1, "StringVar": 1, "StringArrayVar": 1,
	"UintVar": 1,
	"TextVar": 1, "Var": 1, "VarP": 1,
}

// definedFlags returns the flags of localhub, read from its source.
func definedFlags(t *testing.T) []string {
	found := map[string]bool{}
	name := regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	for _, s := range sources(t) {
		if s.isTest || s.pkg != "localhub" && !strings.HasPrefix(s.pkg, "internal/local/") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			at, ok := flagMethods[method.Sel.Name]
			if !ok {
				return true
			}
			names := call.Args[at : at+1]
			if strings.HasSuffix(method.Sel.Name, "P") { // its short name stands behind it
				names = call.Args[at : at+2]
			}
			for _, arg := range names {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil && name.MatchString(text) {
						found[text] = true
					}
				}
			}
			return true
		})
	}
	if len(found) < 20 {
		t.Fatalf("found only %d flags", len(found))
	}
	return slices.Sorted(maps.Keys(found))
}

// documentedFlags returns the flags that a document names: in code spans of its
// prose, and behind ./localhub in its commands.
func documentedFlags(doc string) map[string]bool {
	found := map[string]bool{}
	span := regexp.MustCompile("`-([a-z][a-z0-9-]*)")
	for _, m := range span.FindAllStringSubmatch(prose(doc), -1) {
		found[m[1]] = true
	}
	argument := regexp.MustCompile(`\s-([a-z][a-z0-9-]*)`)
	for _, line := range markdownLines(strings.ReplaceAll(doc, "\\\n", "")) {
		if _, args, ok := strings.Cut(line.text, "./localhub"); ok && line.inCode {
			for _, m := range argument.FindAllStringSubmatch(args, -1) {
				found[m[1]] = true
			}
		}
	}
	return found
}

// TestDocumentsNameEveryFlag: each flag of localhub has a row in docs/localhub.md
// or docs/templates.md, and no document names a flag that does not exist.
func TestDocumentsNameEveryFlag(t *testing.T) {
	defined := definedFlags(t)
	rows := read(t, "docs/localhub.md") + read(t, "docs/templates.md")
	for _, flag := range defined {
		if !regexp.MustCompile("(?m)^\\|[^|]*`-" + flag + "[` ]").MatchString(rows) {
			t.Errorf("neither docs/localhub.md nor docs/templates.md has a row for the flag -%s", flag)
		}
	}
	for _, name := range markdown(t) {
		if name != "README.md" && name != "SECURITY.md" && !strings.HasPrefix(name, "docs/") {
			continue
		}
		named := documentedFlags(read(t, name))
		for _, flag := range slices.Sorted(maps.Keys(named)) {
			if !slices.Contains(defined, flag) && !slices.Contains(foreignFlags, flag) {
				t.Errorf("%s names the flag -%s, which localhub does not have", name, flag)
			}
		}
	}
}

// foreignFlags are flags of go test that documents name alone.
var foreignFlags = []string{"update"}

// TestDocumentsNameEveryRequest: docs/localhub.md has a row for each request of the
// admin API, as its patterns are in the source.
func TestDocumentsNameEveryRequest(t *testing.T) {
	doc := read(t, "docs/localhub.md")
	pattern := regexp.MustCompile(`^(GET|PUT|POST|DELETE) /`)
	found := 0
	for _, s := range sources(t) {
		if s.isTest || s.pkg != "internal/local/house" && s.pkg != "internal/local/admin" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if request, err := strconv.Unquote(lit.Value); err == nil && pattern.MatchString(request) {
				found++
				if !strings.Contains(doc, "| `"+request) {
					t.Errorf("docs/localhub.md has no row for %s", request)
				}
			}
			return true
		})
	}
	if found < 10 {
		t.Errorf("found only %d requests", found)
	}
}

// TestDocumentsNameEveryParameter: docs/deploy.md names each parameter and output of
// the templates, and its tables name no other.
func TestDocumentsNameEveryParameter(t *testing.T) {
	doc := read(t, "docs/deploy.md")
	_, hub := readTemplate(t)
	_, edge := readTemplateFile(t, "edge.yaml")
	edgeNames := maps.Clone(edge.parameters)
	maps.Copy(edgeNames, edge.outputs)
	name := regexp.MustCompile("`([A-Z][A-Za-z]+)`")
	for heading, names := range map[string]map[string]object{
		"Parameters": hub.parameters, "Outputs": hub.outputs, "An edge": edgeNames,
	} {
		if len(names) < 3 {
			t.Errorf("found %d %s", len(names), heading)
		}
		_, section, _ := strings.Cut(doc, "\n## "+heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, want := range slices.Sorted(maps.Keys(names)) {
			if !strings.Contains(section, "`"+want+"`") {
				t.Errorf("docs/deploy.md does not have %s among its %s", want, heading)
			}
		}
		for line := range strings.Lines(section) {
			cells := strings.Split(line, "|")
			if len(cells) < 3 {
				continue
			}
			for _, m := range name.FindAllStringSubmatch(cells[1], -1) {
				if _, ok := names[m[1]]; !ok {
					t.Errorf("docs/deploy.md has %s among its %s, the template does not", m[1], heading)
				}
			}
		}
	}
}

// TestDocumentsHaveTheLimits: docs/protocol.md states the limits of the code.
func TestDocumentsHaveTheLimits(t *testing.T) {
	doc := strings.Join(strings.Fields(read(t, "docs/protocol.md")), " ")
	grouped := func(n int) string {
		if n < 1000 {
			return strconv.Itoa(n)
		}
		return fmt.Sprintf("%d %03d", n/1000, n%1000)
	}
	l := hub.DefaultLimits()
	for _, want := range []string{
		fmt.Sprintf("A message has at most %s bytes and %d topics.", grouped(wire.MaxMessage), wire.MaxTopics),
		fmt.Sprintf("A connection has at most %d topics, a cart %d lines.", wire.MaxSubscriptions, wire.MaxLines),
		fmt.Sprintf("has 1 to %d bytes of printable UTF-8 text", wire.MaxName),
		fmt.Sprintf("Ids of carts and names of epochs have 1 to %d characters", wire.MaxSafeName),
		fmt.Sprintf("The SKUs of a cart have together at most %s bytes", grouped(wire.MaxSKUBytes)),
		fmt.Sprintf("topics of a message have together at most %s bytes", grouped(wire.MaxTopicBytes)),
		fmt.Sprintf("Quantities are from 0 to %d.", wire.MaxQuantity),
		fmt.Sprintf("`messages` is %d for a guest, %d for a customer, %d for a vendor and %d for an admin.",
			l.Messages[hub.RoleGuest], l.Messages[hub.RoleCustomer], l.Messages[hub.RoleVendor], l.Messages[hub.RoleAdmin]),
		fmt.Sprintf("| `messages` in %.0f s, of a user on all connections |", hub.MessageWindow.Seconds()),
		fmt.Sprintf("| `skus` in an hour, of a guest | %d |", l.GuestSKUs),
		fmt.Sprintf("| connections of one user | %s |", grouped(l.ConnectionsPerUser)),
		fmt.Sprintf("| new guests of one address in %.0f minutes | %s |", hub.GuestWindow.Minutes(),
			grouped(l.NewGuestsPerAddress)),
		fmt.Sprintf("| `idle`: seconds of silence in both directions | %.0f |", l.Idle.Seconds()),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/protocol.md does not say %q", want)
		}
	}
}

// TestWorkflows: CI runs what make check runs, and dependabot knows each folder
// with npm packages.
func TestWorkflows(t *testing.T) {
	var ci struct {
		Permissions map[string]string
		Jobs        map[string]struct{ Steps []struct{ Run, Uses string } }
	}
	parseYAML(t, ".github/workflows/ci.yml", &ci)
	if ci.Jobs["check"].Steps == nil || ci.Jobs["check"].Steps[len(ci.Jobs["check"].Steps)-1].Run != "bash .ci/run" {
		t.Errorf("the last step of the job check is not bash .ci/run: %v", ci.Jobs["check"].Steps)
	}
	if !maps.Equal(ci.Permissions, map[string]string{"contents": "read"}) {
		t.Errorf("ci.yml has the permissions %v, want contents: read alone", ci.Permissions)
	}
	var dependabot struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directories []string
		}
	}
	parseYAML(t, ".github/dependabot.yml", &dependabot)
	var npm []string
	for _, u := range dependabot.Updates {
		if u.Ecosystem == "npm" {
			npm = append(npm, u.Directories...)
		}
	}
	packages, err := filepath.Glob(filepath.Join(root, "scripts/*/package.json"))
	if err != nil || len(packages) == 0 {
		t.Fatalf("found no npm packages in scripts, %v", err)
	}
	for _, p := range packages {
		if dir := "/scripts/" + filepath.Base(filepath.Dir(p)); !slices.Contains(npm, dir) {
			t.Errorf("dependabot.yml does not have the npm directory %s", dir)
		}
	}
	forms, err := filepath.Glob(filepath.Join(root, ".github/ISSUE_TEMPLATE/*.yml"))
	if err != nil || len(forms) == 0 {
		t.Fatalf("found no issue templates, %v", err)
	}
	for _, f := range forms {
		parseYAML(t, ".github/ISSUE_TEMPLATE/"+filepath.Base(f), new(any))
	}
}

func parseYAML(t *testing.T, name string, v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, name)), v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// declared returns the names that each of our packages declares, methods, fields
// and tests included.
func declared(t *testing.T) map[string]map[string]bool {
	names := map[string]map[string]bool{}
	for _, s := range sources(t) {
		pkg := path.Base(s.pkg)
		if names[pkg] == nil {
			names[pkg] = map[string]bool{}
		}
		maps.Copy(names[pkg], declaredIn(s.file))
	}
	return names
}

func declaredIn(file *ast.File) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = true
			return false
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

// TestDocumentsNameExistingCode: identifiers of our Go code in code spans exist, so
// that a rename reaches the documents.
func TestDocumentsNameExistingCode(t *testing.T) {
	names := declared(t)
	anywhere := map[string]bool{}
	for _, pkg := range names {
		maps.Copy(anywhere, pkg)
	}
	identifier := regexp.MustCompile(`^(?:[a-z]\w*\.)?[A-Z]\w*(?:\.[A-Z]\w*)*$`)
	checked := 0
	for _, name := range markdown(t) {
		if !strings.HasPrefix(name, "docs/") || name == "docs/gateway.md" {
			continue
		}
		for _, span := range codeSpan.FindAllString(prose(read(t, name)), -1) {
			span = strings.Trim(span, "`")
			parts := strings.Split(span, ".")
			known, isOurs := names[parts[0]]
			switch {
			case !identifier.MatchString(span):
				continue
			case isOurs:
				parts = parts[1:]
			case len(parts) == 2 && unicode.IsUpper(rune(span[0])), strings.HasPrefix(span, "Test"):
				known = anywhere
			default:
				continue // a word, or of another package
			}
			checked++
			for _, part := range parts {
				if !known[part] {
					t.Errorf("%s names %s, which does not exist", name, span)
				}
			}
		}
	}
	if checked < 15 {
		t.Errorf("found only %d identifiers", checked)
	}
}
