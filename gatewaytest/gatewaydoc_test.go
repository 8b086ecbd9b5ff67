package gatewaytest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const gatewayDoc = "../docs/gateway.md"

// sections are the headings of docs/gateway.md, by the letters of a number.
var sections = map[string]string{
	"URL": "URL, stage, deployment", "HANDSHAKE": "Handshake and $connect", "AUTH": "Authorization", "EVENT": "Events",
	"ROUTE": "Routes", "RESP": "Responses to the client", "ERR": "Error frames", "VALID": "Request validation",
	"LIMIT": "Limits", "FRAME": "Frames", "ORDER": "Concurrency and order", "CLOSE": "Closing", "DISC": "$disconnect",
	"MGMT": "@connections", "INTEG": "Integrations", "STAGEVAR": "Stage variables", "LOG": "Logs and metrics",
	"DOMAIN": "Custom domains",
}

// naming matches the numbers by which tests name statements.
var naming = regexp.MustCompile(`G-([A-Z]+)-(\d+)((?: -\d+)*)`)

// statementNumbers returns the numbers in a text.
func statementNumbers(text string) []string {
	var numbers []string
	for _, m := range naming.FindAllStringSubmatch(text, -1) {
		numbers = append(numbers, m[1]+"-"+m[2])
		for _, more := range strings.Fields(m[3]) {
			numbers = append(numbers, m[1]+more)
		}
	}
	return numbers
}

// statementsOfTests returns the statements that each test and fuzz target of
// this package and its internal packages names, by the name of its function.
func statementsOfTests(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d test files, %v", len(files), err)
	}
	internal, err := filepath.Glob("internal/*/*_test.go")
	if err != nil || len(internal) < 7 {
		t.Fatalf("found %d test files of internal packages, %v", len(internal), err)
	}
	tests := make(map[string][]string)
	for _, name := range append(files, internal...) {
		if name == "statements_test.go" || name == "gatewaydoc_test.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name == "TestMain" || !strings.HasPrefix(f.Name.Name, "Test") && !strings.HasPrefix(f.Name.Name,
				"Fuzz") {
				continue
			}
			numbers := []string{}
			ast.Inspect(f, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value) // parsed: cannot fail
					numbers = append(numbers, statementNumbers(text)...)
				}
				return true
			})
			if doc := strings.Join(strings.Fields(f.Doc.Text()), " "); len(numbers) == 0 && !strings.Contains(doc,
				"RFC 6455 section") && !strings.Contains(doc, "Our own:") {
				t.Errorf("%s: %s names no statement in its strings, and its comment neither an RFC 6455 section "+
					"nor, after \"Our own:\", a guarantee of this package", name, f.Name.Name)
			}
			if tests[f.Name.Name] != nil {
				t.Errorf("%s: two tests have the name %s", name, f.Name.Name)
			}
			slices.Sort(numbers)
			tests[f.Name.Name] = slices.Compact(numbers)
		}
	}
	return tests
}

// TestGatewayDoc compares the statements, the names of the tests and
// docs/gateway.md. Our own: each statement has a test, and each test a
// statement.
func TestGatewayDoc(t *testing.T) {
	tests := statementsOfTests(t)
	rows := make(map[string]bool)
	holders := make(map[string][]string)
	for _, s := range statements {
		if rows[s.number] {
			t.Errorf("two rows for G-%s", s.number)
		}
		rows[s.number] = true
	}
	if len(statements) != 225 {
		t.Errorf("%d statements, want 225", len(statements))
	}
	for test, numbers := range tests {
		for _, number := range numbers {
			if !rows[number] {
				t.Errorf("%s names G-%s, which does not exist", test, number)
			}
			holders[number] = append(holders[number], test)
		}
	}
	changed := fieldsByStatement(t)
	for _, s := range statements {
		if problem := s.check(holders[s.number], changed[s.number]); problem != "" {
			t.Errorf("G-%s: %s", s.number, problem)
		}
	}

	doc := render(t, holders, changed)
	if *update {
		if err := os.WriteFile(gatewayDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(gatewayDoc); err != nil || string(have) != doc {
		t.Errorf("%s differs from the table and the tests (%v); run go test ./gatewaytest -run GatewayDoc -update",
			gatewayDoc, err)
	}
}

// check returns the mistake in a row, or "". fields are those that change the
// statement.
func (s statement) check(tests, fields []string) string {
	inferred := s.evidence == "g"
	switch {
	case s.words == "" || sections[s.section()] == "":
		return "no words, or an unknown section"
	case s.evidence == "" && s.number != "EVENT-17":
		return "no evidence"
	case s.status == notImitated && s.note == "":
		return "not imitated, without a reason"
	case s.status == held && inferred, s.status == assumed && !inferred:
		return fmt.Sprintf("%s, with the evidence %q", s.status, s.evidence)
	case s.status == assumed && len(fields) == 0 && s.note == "":
		return "assumed, without a field of Assumptions that changes it and without a reason why there is none"
	case len(fields) > 0 && !strings.Contains(s.evidence, "g") && s.note == "":
		return "not inferred, but " + strings.Join(fields, ", ") + " changes it"
	case s.status != notImitated && len(tests) == 0:
		return "no test"
	}
	return ""
}

// section returns the letters of the number.
func (s statement) section() string { return s.number[:strings.LastIndex(s.number, "-")] }

// render returns the text of docs/gateway.md.
func render(t *testing.T, holders, changed map[string][]string) string {
	t.Helper()
	part := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	count := make(map[status]int)
	var table strings.Builder
	section := ""
	for _, s := range statements {
		count[s.status]++
		if next := s.section(); next != section {
			section = next
			fmt.Fprintf(&table, "\n### G-%s: %s\n\n| | In AWS | Evidence | Here | Held by |\n|---|---|---|---|---|\n",
				section, sections[section])
		}
		slices.Sort(holders[s.number])
		fmt.Fprintf(&table, "| G-%s | %s | %s | %s | %s |\n", s.number, s.words, s.evidenceWords(),
			s.here(changed[s.number]), strings.Join(holders[s.number], ", "))
	}
	counts := fmt.Sprintf("%d statements: %d held, %d assumed, %d not imitated.\n", len(statements), count[held],
		count[assumed], count[notImitated])
	return part("gateway-head.md") + "\n" + counts + table.String() + "\n" + part("gateway-tail.md")
}

func (s statement) evidenceWords() string {
	var words []string
	for _, letter := range []byte(s.evidence) {
		words = append(words, evidences[letter])
	}
	return strings.Join(words, ", ")
}

// here is the status with the note and the fields that change the statement.
func (s statement) here(fields []string) string {
	words := string(s.status)
	if s.note != "" {
		words += ": " + s.note
	}
	if len(fields) > 0 {
		words += "; changed by " + strings.Join(fields, ", ")
	}
	return words
}
