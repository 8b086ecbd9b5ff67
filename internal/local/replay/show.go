package replay

import (
	"strings"
	"unicode/utf8"
)

const (
	// maxShown is the most bytes that are shown of a value: a line of a terminal.
	maxShown = 100

	// shownBefore is the most bytes that are shown before the first one that differs.
	shownBefore = 40
)

// around returns two values as a difference shows them: in one line each, and of long ones
// the part around the first byte that differs.
func around(got, recorded string) (string, string) {
	got, recorded = oneLine(got), oneLine(recorded)
	if max(len(got), len(recorded)) <= maxShown {
		return got, recorded
	}
	same := 0
	for same < min(len(got), len(recorded)) && got[same] == recorded[same] {
		same++
	}
	from := max(0, same-shownBefore)
	return part(got, from), part(recorded, from)
}

// clip returns the start of a text, in one line.
func clip(text string) string { return part(oneLine(text), 0) }

// part returns the part of a line that begins about there.
func part(line string, from int) string {
	for from > 0 && from < len(line) && !utf8.RuneStart(line[from]) {
		from--
	}
	shown := line[min(from, len(line)):]
	if len(shown) > maxShown {
		shown = strings.ToValidUTF8(shown[:maxShown], "") + "…"
	}
	if from > 0 {
		shown = "…" + shown
	}
	return shown
}

var lineBreaks = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\x1b", `\x1b`)

// oneLine returns a text in one line of a terminal.
func oneLine(text string) string { return lineBreaks.Replace(text) }
