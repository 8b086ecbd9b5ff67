package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
)

// TestTemplate: template.yaml passes every check.
func TestTemplate(t *testing.T) {
	text, err := templateText()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range examine(parsed) {
		t.Errorf("%s: %s", p.check, p.text)
	}
}

// TestRightsAreWhatTheCodeUses: the table of rights has the operations that a
// function's code reaches, through the hub and the store, and no other.
func TestRightsAreWhatTheCodeUses(t *testing.T) {
	hub, store := calls(t, "internal/hub"), calls(t, "internal/hub/dynamostore")
	entries := map[config.Function][]string{
		config.Authorize:  {"RedeemTicket", "Revoked"},
		config.Ticket:     {"IssueTicket"},
		config.Connect:    {"Connect"},
		config.Disconnect: {"Disconnect"},
		config.Broadcast:  {"Broadcast", "Heal", "Revoke"},
	}
	for _, c := range calls(t, "internal/handler")["answer"] {
		if name, ok := strings.CutPrefix(c, "m.h."); ok {
			entries[config.Message] = append(entries[config.Message], name)
		}
	}
	for _, c := range calls(t, "internal/handler")["hello"] {
		if name, ok := strings.CutPrefix(c, "m.h."); ok {
			entries[config.Message] = append(entries[config.Message], name)
		}
	}
	if len(entries[config.Message]) < 6 {
		t.Fatalf("message reaches %v of the hub only", entries[config.Message])
	}
	for f, entry := range entries {
		used := map[string]bool{}
		for name := range reachable(store, asStore(reachable(hub, entry))) {
			switch operation, isAPI := strings.CutPrefix(name, "s.api."); {
			case isAPI && operation != "TransactWriteItems": // which has no right of its own
				used["dynamodb:"+operation] = true
			case name == "types.ConditionCheck":
				used["dynamodb:ConditionCheckItem"] = true
			case name == "types.Put" || name == "types.Update" || name == "types.Delete":
				used["dynamodb:"+strings.TrimPrefix(name, "types.")+"Item"] = true
			}
		}
		granted := map[string]bool{}
		for on, actions := range rights[f] {
			for _, action := range actions {
				if strings.HasPrefix(action, "dynamodb:") && !strings.Contains(on, "stream") {
					granted[action] = true
				}
			}
		}
		if got, want := slices.Sorted(maps.Keys(granted)), slices.Sorted(maps.Keys(used)); !slices.Equal(got, want) {
			t.Errorf("%s may %v, and its code uses %v", f, got, want)
		}
	}
}

// asStore are the methods of the store among the names reached in the hub.
func asStore(reached map[string]bool) []string {
	var names []string
	for name := range reached {
		if _, method, ok := strings.Cut(name, ".store."); ok {
			names = append(names, method)
		}
	}
	return names
}

// reachable lists everything called from the functions given, and from what they call
// of the same package. A method of the package is told by its name, on a receiver
// of one letter.
func reachable(calls map[string][]string, from []string) map[string]bool {
	reached := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		for _, c := range calls[name] {
			if reached[c] {
				continue
			}
			reached[c] = true
			if receiver, method, isMethod := strings.Cut(c, "."); !isMethod || len(receiver) == 1 && receiver != "u" && receiver != "e" {
				if !isMethod {
					method = c
				}
				visit(method)
			}
		}
	}
	for _, name := range from {
		reached[name] = true
		visit(name)
	}
	return reached
}

// calls lists, for each function of a package, the names that it mentions.
func calls(t *testing.T, pkg string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	names, err := filepath.Glob(filepath.Join(root, pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if path := dotted(n); path != "" {
						all[f.Name.Name] = append(all[f.Name.Name], path)
					}
				case *ast.CallExpr:
					if id, ok := n.Fun.(*ast.Ident); ok {
						all[f.Name.Name] = append(all[f.Name.Name], id.Name)
					}
				}
				return true
			})
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no functions", pkg)
	}
	return all
}

// dotted is a selector such as h.store.Cart as text, "" if it is more than names.
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x := dotted(e.X); x != "" {
			return x + "." + e.Sel.Name
		}
	}
	return ""
}
