package cfn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a template. Line and Column count from 1. Both are 0 for a
// place outside of a file, such as the command line.
type Pos struct {
	File         string
	Line, Column int
}

// String returns file:line:column, or only the file if there is no line.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is a mistake in a template and its place.
type Problem struct {
	Pos  Pos
	Text string
}

// Error returns the place and the text.
func (p Problem) Error() string { return p.Pos.String() + ": " + p.Text }

// Problems are mistakes in a template, in the order of the file: all of them, or
// [MaxProblems] and one if there are more.
type Problems []Problem

const (
	// MaxProblems is how many problems are reported together. Nobody reads more, and a
	// template that is something else has one in each line.
	MaxProblems = 100
	// maxText is the length of the longest text of a problem, in bytes. A text may quote
	// the template.
	maxText = 1000
)

// Error returns one line for each problem, for at most [MaxProblems].
func (ps Problems) Error() string {
	var lines []string
	for _, p := range ps[:min(len(ps), MaxProblems)] {
		lines = append(lines, p.Error())
	}
	if len(ps) > MaxProblems {
		lines = append(lines, "and there are more problems")
	}
	return strings.Join(lines, "\n")
}

// add records a mistake. The same mistake is recorded once.
func (ps *Problems) add(pos Pos, format string, args ...any) {
	if len(*ps) > MaxProblems {
		return
	}
	p := Problem{pos, fmt.Sprintf(format, args...)}
	if len(p.Text) > maxText {
		p.Text = strings.ToValidUTF8(p.Text[:maxText], "") + "…"
	}
	if !slices.Contains(*ps, p) {
		*ps = append(*ps, p)
	}
}

// Problem records a mistake. The same mistake is recorded once.
func (s *Stack) Problem(pos Pos, format string, args ...any) { s.problems.add(pos, format, args...) }

// Note records something that is not a mistake, but that a reader of the template should
// know. The same note is recorded once, and at most [MaxProblems] are.
func (s *Stack) Note(pos Pos, format string, args ...any) { s.notes.add(pos, format, args...) }

// Notes returns the notes so far. Those of the template itself are the first.
func (s *Stack) Notes() []string {
	var lines []string
	for _, note := range s.notes[:min(len(s.notes), MaxProblems)] {
		lines = append(lines, note.Error())
	}
	return lines
}

// Err returns all problems so far as [Problems], or nil.
func (s *Stack) Err() error {
	if len(s.problems) == 0 {
		return nil
	}
	sorted := slices.Clone(s.problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return sorted
}
