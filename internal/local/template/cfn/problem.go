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

// Problems are all mistakes in a template, in the order of the file.
type Problems []Problem

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Problem records a mistake. The same mistake is recorded once.
func (s *Stack) Problem(pos Pos, format string, args ...any) {
	p := Problem{pos, fmt.Sprintf(format, args...)}
	if !slices.Contains(s.problems, p) {
		s.problems = append(s.problems, p)
	}
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
