package template

import (
	"fmt"
	"strings"
)

// maxEdits is how many letters a mistyped name may differ in. Our own choice.
const maxEdits = 3

// hint is what a name may be meant to be: one of names that is like it, or all
// of them.
func hint(name string, names []string) string {
	best, edits := "", maxEdits+1
	for _, candidate := range names {
		if n := distance(strings.ToLower(name), strings.ToLower(candidate)); n < edits {
			best, edits = candidate, n
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(names) > 0:
		return "; there are " + strings.Join(names, ", ")
	}
	return ""
}

// distance is how many letters must be inserted, deleted or replaced to make b
// of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
