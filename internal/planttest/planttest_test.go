package planttest_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// grown is what TestBinary checks in the binary with a defect.
const grown = "PLANTTEST_GROWN"

// TestBuild builds the tests of this package with a defect in it, and runs them.
func TestBuild(t *testing.T) {
	if os.Getenv(grown) != "" {
		planttest.CheckAll(t, "testdata", nil) // fails: the defect is that CheckAll fails
		return
	}
	d := planttest.Defect{
		Name: "no list is right", File: "planttest.go",
		Old: "	for _, d := range all {\n",
		New: "	t.Error(\"a defect\")\n	for _, d := range all {\n",
	}
	binary := d.Build(t.Context(), t, ".")
	cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^TestBuild$")
	cmd.Env = append(os.Environ(), grown+"=1")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("the defect is not there: %s", out)
	}
	planttest.CheckAll(t, ".", []planttest.Defect{d})
}

// TestReadList reads the list of a package whose tests cannot be imported.
func TestReadList(t *testing.T) {
	const name = "rule 1: a write does not raise the version"
	all := planttest.ReadList(t, "../hub/sim_planted_list_test.go")
	if d := all[name]; len(all) < 40 || d.Name != name || d.File != "stock.go" || d.Old == "" || d.New == "" {
		t.Errorf("got %d defects, and %+v", len(all), d)
	}
}
