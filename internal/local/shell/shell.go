// Package shell writes commands that a person pastes into a POSIX shell.
package shell

import (
	"regexp"
	"strings"
)

// plain matches text that means itself behind a command.
var plain = regexp.MustCompile(`^[A-Za-z0-9_:/.,@%+-][A-Za-z0-9_:/.,@%+=-]*$`)

// Word returns a text as one word. As a command, a name with an equals sign is an assignment.
func Word(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return `'` + strings.ReplaceAll(text, `'`, `'\''`) + `'`
}

// Words returns each text as one word, with spaces between them.
func Words(texts []string) string {
	words := make([]string, len(texts))
	for i, text := range texts {
		words[i] = Word(text)
	}
	return strings.Join(words, " ")
}
