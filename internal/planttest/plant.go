package planttest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// switchFile is the file that tells the changed files which defect is on.
const switchFile = "planted_defect.go"

// plant returns the files of the package in a folder that defects change, and one more that
// reads [variable]. A function with a defect first looks whether that is on, and then calls a
// copy of itself that has it.
func plant(t testing.TB, folder string, all []Defect) map[string]string {
	t.Helper()
	files := map[string]*source{}
	for i, d := range all {
		s := files[d.File]
		if s == nil {
			data, err := os.ReadFile(filepath.Join(folder, d.File))
			if err != nil {
				t.Fatal(err)
			}
			s = parse(t, d.File, string(data))
			files[d.File] = s
		}
		s.plant(t, d, fmt.Sprint("plantedDefect", i))
	}
	texts := map[string]string{}
	for name, s := range files {
		texts[name] = s.planted()
		texts[switchFile] = fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar plantedDefect = os.Getenv(%q)\n",
			s.file.Name.Name, variable)
	}
	return texts
}

// source is a source file into which defects are planted.
type source struct {
	text     string
	file     *ast.File
	switches map[*ast.FuncDecl]string
	copies   []string
}

func parse(t testing.TB, name, text string) *source {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%v, in\n%s", err, text)
	}
	return &source{text, file, map[*ast.FuncDecl]string{}, nil}
}

// of returns the text of a part of the file.
func (s *source) of(n ast.Node) string { return s.text[n.Pos()-1 : n.End()-1] }

// plant adds a copy of the function that a defect changes, under a name of its own, and the
// switch that calls it.
func (s *source) plant(t testing.TB, d Defect, name string) {
	t.Helper()
	if n := strings.Count(s.text, d.Old); n != 1 || d.Old == d.New {
		t.Fatalf("%s has the text %d times, want once:\n%s", d.File, n, d.Old)
	}
	changed := parse(t, d.File, strings.Replace(s.text, d.Old, d.New, 1))
	was, is := s.difference(t, changed)
	copied := changed.of(is)
	at := is.Name.Pos() - is.Pos()
	s.copies = append(s.copies, copied[:at]+name+copied[at+token.Pos(len(is.Name.Name)):])
	call := name + "(" + arguments(t, was.Type.Params) + ")"
	if was.Recv != nil {
		call = arguments(t, was.Recv) + "." + call
	}
	if was.Type.Results != nil {
		call = "return " + call
	} else {
		call += "; return"
	}
	s.switches[was] += fmt.Sprintf(" if plantedDefect == %q { %s };", d.Name, call)
}

// difference returns the one function that differs in two versions of a file.
func (s *source) difference(t testing.TB, changed *source) (was, is *ast.FuncDecl) {
	t.Helper()
	if len(s.file.Decls) == len(changed.file.Decls) {
		for i, decl := range s.file.Decls {
			if s.of(decl) == changed.of(changed.file.Decls[i]) {
				continue
			}
			a, isFunc := decl.(*ast.FuncDecl)
			b, stillIs := changed.file.Decls[i].(*ast.FuncDecl)
			if was != nil || !isFunc || !stillIs || s.of(a.Type) != changed.of(b.Type) {
				t.Fatalf("the defect changes more than the body of one function, from\n%s", s.of(decl))
			}
			was, is = a, b
		}
	}
	if was == nil {
		t.Fatal("the defect changes no function, or the number of declarations")
	}
	return was, is
}

// arguments returns the names of parameters, as a call passes them on.
func arguments(t testing.TB, parameters *ast.FieldList) string {
	t.Helper()
	var names []string
	for _, p := range parameters.List {
		for _, n := range p.Names {
			names = append(names, n.Name)
		}
		if len(p.Names) == 0 || slices.Contains(names, "_") {
			t.Fatal("the defect is in a function whose parameters have no names")
		}
		if _, variadic := p.Type.(*ast.Ellipsis); variadic {
			names[len(names)-1] += "..."
		}
	}
	return strings.Join(names, ", ")
}

// planted returns the file with all its defects.
func (s *source) planted() string {
	var text strings.Builder
	end := 0
	for _, decl := range s.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || s.switches[f] == "" {
			continue
		}
		body := int(f.Body.Lbrace)
		text.WriteString(s.text[end:body] + s.switches[f])
		end = body
	}
	text.WriteString(s.text[end:])
	for _, c := range s.copies {
		text.WriteString("\n" + c + "\n")
	}
	return text.String()
}
