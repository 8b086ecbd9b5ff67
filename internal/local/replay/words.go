package replay

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Answers in words, after "pretty on".
var (
	// wordsVersion matches the version in a line, and what it is of.
	wordsVersion = regexp.MustCompile(`(?m)^(\S+)(.*\(version )([0-9]+)\)`)

	// whyVersion matches a version in an answer to why. Its first word is what it is of.
	whyVersion = regexp.MustCompile(`\bv([0-9]+)\b`)

	// wordsTime matches what is different each time: days with times, times, and durations.
	wordsTime = regexp.MustCompile(`(?:\d{4}-\d\d-\d\d )?\b\d\d:\d\d:\d\d(?:\.\d{3})?\b|` +
		`\b[0-9.]+ ms\b|\b(?:\d+h)?(?:\d+m)?[0-9.]+s\b`)

	// wordsError matches an error. Its code counts, the rest is for people.
	wordsError = regexp.MustCompile(`(?s)^(error [a-z_]+): .*`)

	blanks = regexp.MustCompile(` +`) // columns are as wide as their times
)

// matchWords reports whether two answers in words are alike. cart is the topic of the
// client's cart.
func (v offsets) matchWords(recorded, got, cart string) bool {
	if plainWords(recorded) != plainWords(got) {
		return false
	}
	theirs := wordsVersion.FindAllStringSubmatch(got, -1)
	for i, m := range wordsVersion.FindAllStringSubmatch(recorded, -1) {
		if !v.match(wordsTopic(m[1], cart), number(json.Number(m[3])), number(json.Number(theirs[i][3]))) {
			return false
		}
	}
	first, _, _ := strings.Cut(recorded, " ")
	theirs = whyVersion.FindAllStringSubmatch(got, -1)
	for i, m := range whyVersion.FindAllStringSubmatch(recorded, -1) {
		if !v.match(wordsTopic(first, cart), number(json.Number(m[1])), number(json.Number(theirs[i][1]))) {
			return false
		}
	}
	return true
}

// plainWords returns an answer without what is different each time.
func plainWords(answer string) string {
	answer = wordsError.ReplaceAllString(answer, "$1")
	answer = wordsVersion.ReplaceAllString(answer, "$1$2)")
	answer = whyVersion.ReplaceAllString(answer, "v")
	return blanks.ReplaceAllString(wordsTime.ReplaceAllString(answer, "…"), " ")
}

// differentWords returns two answers that differ as people compare them: without what may
// differ, unless only versions do.
func differentWords(got, recorded string) (string, string) {
	if g, r := plainWords(got), plainWords(recorded); g != r {
		return g, r
	}
	return got, recorded
}

// wordsTopic returns the topic of the first word of a line.
func wordsTopic(word, cart string) string {
	switch word {
	case "cart", "ok", "ok:", "ok,":
		return cart
	}
	return word
}
