package hubtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Names returns the names of testdata/names.json: SKUs that shops have, and text that
// is not a SKU. The tests of every place that a SKU passes through read them. root is
// the folder of the repository.
func Names(t testing.TB, root string) (good, bad []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "testdata/names.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names struct{ Good, Bad []string }
	if err := json.Unmarshal(data, &names); err != nil || len(names.Good) == 0 || len(names.Bad) == 0 {
		t.Fatalf("testdata/names.json: got %d good and %d bad names, %v", len(names.Good), len(names.Bad), err)
	}
	return names.Good, names.Bad
}
