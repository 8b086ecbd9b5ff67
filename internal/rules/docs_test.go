package rules

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

const (
	// maxReadme is the size of a README that is read in two minutes, in bytes.
	maxReadme = 6 << 10
	// maxGoLine is in characters, a tab counted as one.
	maxGoLine = 120
	// maxMarkdownLine is in characters: two columns of text on a screen.
	maxMarkdownLine = 100
)

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// markdown returns the names of all Markdown files, from the root.
func markdown(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != root {
			hidden := strings.HasPrefix(name, ".") && name != ".github"
			if hidden || name == "node_modules" || name == "build" {
				return filepath.SkipDir
			}
		}
		if path.Ext(name) == ".md" {
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 20 {
		t.Fatalf("found only %d Markdown files", len(names))
	}
	return names
}

// markdownLine is one line of a Markdown file.
type markdownLine struct {
	number int
	text   string
	inCode bool // in a fenced block, its fences included
}

func markdownLines(text string) []markdownLine {
	var lines []markdownLine
	inCode := false
	for i, line := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		lines = append(lines, markdownLine{i + 1, line, inCode || fence})
		if fence {
			inCode = !inCode
		}
	}
	return lines
}

func (l markdownLine) isRow() bool { return strings.HasPrefix(l.text, "|") }

// isPart reports whether a file is a part that a test puts into docs/gateway.md.
func isPart(name string) bool { return strings.HasPrefix(name, "gatewaytest/testdata/") }

var codeSpan = regexp.MustCompile("`[^`]*`")

// prose returns the text outside fenced blocks.
func prose(text string) string {
	var out strings.Builder
	for _, line := range markdownLines(text) {
		if !line.inCode {
			out.WriteString(line.text)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func TestReadmeSize(t *testing.T) {
	if n := len(read(t, "README.md")); n > maxReadme {
		t.Errorf("README.md has %d bytes, want at most %d", n, maxReadme)
	}
}

// TestReadmeNamesTheGoVersion: the oldest Go is the one of go.mod.
func TestReadmeNamesTheGoVersion(t *testing.T) {
	m := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	if m == nil {
		t.Fatal("go.mod has no line go")
	}
	if want := "You need Go " + m[1] + " or newer"; !strings.Contains(read(t, "README.md"), want) {
		t.Errorf("README.md does not say %q", want)
	}
}

// protocolMessage matches a line of a conversation: JSON, perhaps behind the mark of
// wscat. Such lines are compared byte for byte, so they cannot be wrapped.
var protocolMessage = regexp.MustCompile(`^(< )?\{"`)

// TestTablesAreWhole: each row of a table has the cells of its head.
func TestTablesAreWhole(t *testing.T) {
	for _, name := range markdown(t) {
		want := 0
		for _, line := range markdownLines(read(t, name)) {
			if !line.isRow() || line.inCode {
				want = 0
				continue
			}
			text := strings.ReplaceAll(codeSpan.ReplaceAllString(line.text, "code"), `\|`, "")
			if n := strings.Count(text, "|"); want == 0 {
				want = n
			} else if n != want {
				t.Errorf("%s:%d: the row has %d cells, want %d", name, line.number, n-1, want-1)
			}
		}
	}
}

// TestMarkdownLineLength: prose and tables fit side by side with code. Exceptions
// are messages and lines with nothing but a URL.
func TestMarkdownLineLength(t *testing.T) {
	lonelyURL := regexp.MustCompile(`^\s*<?https://\S+$`)
	for _, name := range markdown(t) {
		for _, line := range markdownLines(read(t, name)) {
			n := utf8.RuneCountInString(line.text)
			switch {
			case n <= maxMarkdownLine || lonelyURL.MatchString(line.text):
			case line.inCode && protocolMessage.MatchString(line.text):
			case line.isRow() && (name == "docs/gateway.md" || isPart(name)): // a row for each statement
			default:
				t.Errorf("%s:%d has %d characters, want at most %d", name, line.number, n, maxMarkdownLine)
			}
		}
	}
}

// TestGoLineLength: code fits beside a diff or a document.
func TestGoLineLength(t *testing.T) {
	for _, s := range sources(t) {
		long, first := 0, 0
		for i, line := range strings.Split(read(t, s.name), "\n") {
			if utf8.RuneCountInString(line) <= maxGoLine || strings.HasPrefix(line, "// https://") {
				continue // an address cannot be broken
			}
			if long++; long == 1 {
				first = i + 1
			}
		}
		if long > 0 {
			t.Errorf("%s:%d: %d lines from here on have more than %d characters", s.name, first, long, maxGoLine)
		}
	}
}

// anchors returns the anchors that GitHub makes of the headings of a text.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for line := range strings.Lines(prose(text)) {
		marks, heading, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.Trim(marks, "#") != "" || marks == "" {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, heading)
		unique := anchor
		for n := 1; found[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", anchor, n)
		}
		found[unique] = true
	}
	return found
}

// TestMarkdownLinks: each relative link leads to a file, and each #anchor to a
// heading of it.
func TestMarkdownLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	checked := 0
	for _, name := range markdown(t) {
		if isPart(name) {
			continue // its links are checked in docs/gateway.md
		}
		text := codeSpan.ReplaceAllString(prose(read(t, name)), "code")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads to no file", name, m[1])
				continue
			}
			if anchor != "" && !anchors(read(t, target))[anchor] {
				t.Errorf("%s: the link %s leads to no heading", name, m[1])
			}
		}
	}
	if checked < 50 {
		t.Errorf("found only %d relative links", checked)
	}
}

// TestIndexesNameEveryDocument: docs/README.md and docs/decisions/README.md link
// to each file beside them.
func TestIndexesNameEveryDocument(t *testing.T) {
	looked := 0
	for _, name := range markdown(t) {
		dir, base := path.Split(name)
		if dir != "docs/" && dir != "docs/decisions/" || base == "README.md" {
			continue
		}
		looked++
		if !strings.Contains(read(t, dir+"README.md"), "]("+base+")") {
			t.Errorf("%sREADME.md does not link to %s", dir, base)
		}
	}
	if looked < 20 {
		t.Errorf("found %d documents only", looked)
	}
}
