//go:build planted

package replay_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const hubFolder = "../../hub"

// planted is a defect of the list of the hub's simulation: a file and a text of it that is
// replaced.
type planted struct{ name, file, old, new string }

// plantedInHub reads the list of the simulation, which is in a test of package hub.
func plantedInHub(t *testing.T) map[string]planted {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), hubFolder+"/sim_planted_list_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]planted{}
	ast.Inspect(file, func(n ast.Node) bool {
		entry, ok := n.(*ast.CompositeLit)
		if !ok || entry.Type != nil || len(entry.Elts) != 4 {
			return true
		}
		p := planted{text(t, entry.Elts[0]), text(t, entry.Elts[1]), text(t, entry.Elts[2]), text(t, entry.Elts[3])}
		all[p.name] = p
		return false
	})
	return all
}

// text evaluates a constant text.
func text(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	case *ast.BinaryExpr:
		return text(t, e.X) + text(t, e.Y)
	}
	t.Fatalf("%T is no constant text", e)
	return ""
}

// build builds the tests of this package with a defect in the hub.
func (p planted) build(ctx context.Context, t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	original, err := filepath.Abs(filepath.Join(hubFolder, p.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(source), p.old) != 1 {
		t.Fatalf("%s does not have once: %s", p.file, p.old)
	}
	changed, overlay := filepath.Join(dir, p.file), filepath.Join(dir, "overlay.json")
	binary := filepath.Join(dir, "replay.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		changed: strings.Replace(string(source), p.old, p.new, 1), overlay: string(replace),
	} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, "."}
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// visible are defects of the list that clients see, and the frame at which a replay of the
// afternoon names each of them.
var visible = []struct{ name, frame string }{
	{"rule 1: a write does not raise the version", "guest-1  frame 2  delta"},
	{"rule 5: the first change of a row is sent, not the last", "guest-1  frame 6  delta"},
	{"rule 6: a young connection that is gone is forgotten", "guest-6  frame 6  delta"},
	{"rule 7: everybody owns every cart", "customer-6  frame 1  snapshot"},
	{"a mark is cleared although the post failed", "guest-6  frame 7  delta"},
	{"heal forgets the items of a vendor's list", "vendor-2  frame 2  delta"},
	{"nobody is notified that a session expired", "customer-1  frame 5  error"},
	{"a new session does not reach the subscriptions", "guest-4  frame 5  delta"},
	{"a resume compares versions, not values", "guest-2  frame 10  snapshot"},
	{"a checkout leaves the floor", "customer-3  frame 21  delta"},
	{"a checkout takes a cart that changed", "customer-3.2  frame 13  ok"},
	{"a clamp is forgotten", "guest-1  frame 15  text"},
	{"a key lives an hour", "customer-3  frame 39  ok"},
	{"a merge leaves the guest's cart", "guest-3.2  frame 1  snapshot"},
	{"an erasure: the cart stays", "customer-8.6  frame 1  snapshot"},
}

// TestReplayFindsDefectsInHub builds the replay once for each defect, with that file of hub
// replaced, and checks that the afternoon differs at the right frame.
func TestReplayFindsDefectsInHub(t *testing.T) {
	all := plantedInHub(t)
	for _, v := range visible {
		t.Run(v.name, func(t *testing.T) {
			p, ok := all[v.name]
			if !ok {
				t.Fatal("the simulation has no such defect")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			out, err := exec.CommandContext(ctx, p.build(ctx, t), "-test.run", "^TestAfternoon$").CombinedOutput()
			if err == nil || !strings.Contains(string(out), " "+v.frame+": ") {
				t.Errorf("got %v, want a difference at %s\n%s", err, v.frame, out)
			}
		})
	}
}
