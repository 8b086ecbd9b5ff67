package planttest_test

import (
	"os"
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// role says which part of a test a binary with defects plays.
const role = "PLANTTEST_ROLE"

// planted are defects in this package: each makes one of the checks of TestBuild fail, two of
// them in one function.
var planted = planttest.List([][4]string{
	{"CheckAll fails", "planttest.go",
		"	for _, d := range all {\n		t.Run",
		"	t.Error(\"a defect\")\n	for _, d := range all {\n		t.Run"},
	{"List is empty", "planttest.go",
		"	return all\n}",
		"	return nil\n}"},
	{"List mixes up the fields", "planttest.go",
		"Defect{t[0], t[1], t[2], t[3]}",
		"Defect{t[3], t[1], t[2], t[0]}"},
})

// TestBuild builds the tests of this package with defects in it, and runs them with each defect
// on, and with none.
func TestBuild(t *testing.T) {
	if os.Getenv(role) != "" {
		planttest.CheckAll(t, "testdata", nil)
		if all := planttest.List([][4]string{{"a", "b", "c", "d"}}); len(all) != 1 || all[0].Name != "a" {
			t.Errorf("got %v", all)
		}
		return
	}
	binary := planttest.Build(t, ".", planted)
	t.Setenv(role, "checks")
	for _, name := range []string{"", "CheckAll fails", "List is empty", "List mixes up the fields"} {
		out, err := binary.Run(t, name, "^TestBuild$")
		if (err != nil) != (name != "") {
			t.Errorf("with the defect %q: got %v\n%s", name, err, out)
		}
	}
	planttest.CheckAll(t, ".", planted)
}

// TestReadList reads the list of a package whose tests cannot be imported.
func TestReadList(t *testing.T) {
	const name = "rule 1: a write does not raise the version"
	all := planttest.ReadList(t, "../hub/sim_planted_list_test.go")
	if d := all[name]; len(all) < 40 || d.Name != name || d.File != "stock.go" || d.Old == "" || d.New == "" {
		t.Errorf("got %d defects, and %+v", len(all), d)
	}
}
