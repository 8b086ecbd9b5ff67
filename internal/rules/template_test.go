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
	_, parsed := readTemplate(t)
	for _, p := range runChecks(checks, parsed) {
		t.Errorf("%s: %s", p.check, p.text)
	}
}

// TestRightsMatchTheCode: the table of rights has exactly the operations that the
// code of each function reaches through the hub and the store.
func TestRightsMatchTheCode(t *testing.T) {
	hub, store := namesUsedBy(t, "internal/hub"), namesUsedBy(t, "internal/hub/dynamostore")
	entries := map[config.Function][]string{
		config.Authorize:  {"RedeemTicket", "Revoked"},
		config.Connect:    {"Connect"},
		config.Disconnect: {"Disconnect"},
		config.Broadcast:  {"Broadcast", "Heal"}, // and what operators ask for
	}
	for _, c := range namesUsedBy(t, "internal/handler")["answer"] {
		if name, ok := strings.CutPrefix(c, "m.h."); ok {
			entries[config.Message] = append(entries[config.Message], name)
		}
	}
	for _, c := range namesUsedBy(t, "internal/handler")["hello"] {
		if name, ok := strings.CutPrefix(c, "m.h."); ok {
			entries[config.Message] = append(entries[config.Message], name)
		}
	}
	if len(entries[config.Message]) < 6 {
		t.Fatalf("message calls only %v of the hub", entries[config.Message])
	}
	for _, name := range []string{"snapshot", "getCart", "write", "postLine", "patchCart", "postCheckout", "postMerge",
		"order", "postTicket", "postGuest", "getInventory", "putItem", "postInventory"} {
		for _, c := range namesUsedBy(t, "internal/rest")[name] {
			if name, ok := strings.CutPrefix(c, "a.h."); ok {
				entries[config.Rest] = append(entries[config.Rest], name)
			}
		}
	}
	for _, name := range []string{"postRevoke", "deleteUser"} {
		for _, c := range namesUsedBy(t, "internal/rest")[name] {
			if name, ok := strings.CutPrefix(c, "a.h."); ok {
				entries[config.Broadcast] = append(entries[config.Broadcast], name)
			}
		}
	}
	if len(entries[config.Rest]) < 8 {
		t.Fatalf("rest calls only %v of the hub", entries[config.Rest])
	}
	for f, entry := range entries {
		hub, store := hub, store
		if f == config.Rest { // its requests have no connection, and no item leaves its vendor
			hub, store = maps.Clone(hub), maps.Clone(store)
			hub["Current"], store["removeFromVendor"] = []string{"h.withoutConnection"}, nil
		}
		used := map[string]bool{}
		for name := range reachableNames(store, storeMethods(reachableNames(hub, entry))) {
			switch operation, isAPI := strings.CutPrefix(name, "s.api."); {
			case isAPI && operation != "TransactWriteItems": // it needs no right
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
		for action := range rowRights[f] {
			granted["dynamodb:"+action] = true
		}
		if got, want := slices.Sorted(maps.Keys(granted)), slices.Sorted(maps.Keys(used)); !slices.Equal(got, want) {
			t.Errorf("%s may %v, but its code uses %v", f, got, want)
		}
	}
}

// storeMethods returns the methods of the store in a set of names used by the hub.
func storeMethods(reached map[string]bool) []string {
	var names []string
	for name := range reached {
		if _, method, ok := strings.Cut(name, ".store."); ok {
			names = append(names, method)
		}
	}
	return names
}

// reachableNames returns the names used by the functions given, and by functions of
// the same package that they call. A method of the package is recognized by its
// name and a receiver of one letter.
func reachableNames(calls map[string][]string, from []string) map[string]bool {
	reached := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		for _, c := range calls[name] {
			if reached[c] {
				continue
			}
			reached[c] = true
			receiver, method, isMethod := strings.Cut(c, ".")
			if !isMethod || len(receiver) == 1 && receiver != "u" && receiver != "e" {
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

// namesUsedBy returns the names that each function of a package uses.
func namesUsedBy(t *testing.T, pkg string) map[string][]string {
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

// dotted returns a selector such as h.store.Cart as text, or "" if it has other
// expressions than names.
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
