package vtl

import (
	"regexp"
	"strings"
)

// replace replaces a text everywhere.
func (c *call) replace(text string) value {
	old, with := c.textOf(0), c.textOf(1)
	if size := len(text) + strings.Count(text, old)*len(with); size > maxOutput {
		c.fail("%s makes more than %d bytes", c.name, maxOutput)
		return nil
	}
	return strings.ReplaceAll(text, old, with)
}

// onPattern calls a method with a regular expression. The expressions are Go's:
// those of Java with lookaround or back references are refused.
func (c *call) onPattern(text string) value {
	switch {
	case c.is("matches", 1):
		if pattern := c.pattern(`^(?:`+c.textOf(0)+`)$`, text); pattern != nil {
			return pattern.MatchString(text)
		}
	case c.is("replaceAll", 2):
		return c.replacePattern(text, -1)
	case c.is("replaceFirst", 2):
		return c.replacePattern(text, 1)
	case c.is("split", 1):
		return c.split(text)
	}
	return nil
}

const (
	maxPattern   = 1000   // bytes of a regular expression
	patternSteps = 30_000 // to compile one
)

// pattern compiles a regular expression for a text. It returns nil after a failure.
func (c *call) pattern(expression, text string) *regexp.Regexp {
	pattern := c.patterns[expression]
	switch {
	case len(expression) > maxPattern:
		c.fail("%s: a regular expression of more than %d bytes", c.name, maxPattern)
		return nil
	case !c.spend(len(text) * (1 + len(expression)/10)):
		return nil
	case pattern != nil:
		return pattern
	case !c.spend(patternSteps):
		return nil
	}
	pattern, err := regexp.Compile(expression)
	if err != nil {
		c.fail("%s: %v", c.name, err)
		return nil
	}
	if c.patterns == nil {
		c.patterns = map[string]*regexp.Regexp{}
	}
	c.patterns[expression] = pattern
	return pattern
}

// replacePattern replaces the first n matches, or all if n is negative.
func (c *call) replacePattern(text string, n int) value {
	pattern := c.pattern(c.textOf(0), text)
	if pattern == nil {
		return nil
	}
	with := goReplacement(c.textOf(1))
	var b strings.Builder
	done := 0
	for _, match := range pattern.FindAllStringSubmatchIndex(text, n) {
		c.write(&b, text[done:match[0]])
		c.write(&b, string(pattern.ExpandString(nil, with, text, match)))
		if done = match[1]; c.err != nil {
			return nil
		}
	}
	c.write(&b, text[done:])
	return b.String()
}

// goReplacement returns a replacement of Java as one of Go: in Java, a backslash
// makes the next character literal, and $1 needs no braces.
func goReplacement(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteString(strings.ReplaceAll(text[i:i+1], "$", "$$"))
		case c == '$' && i+1 < len(text) && isDigit(text[i+1]):
			i++
			b.WriteString("${" + text[i:i+1] + "}")
		case c == '$':
			b.WriteString("$$")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// split splits a text at a regular expression. As in Java, empty texts at the end
// are left out.
func (c *call) split(text string) value {
	pattern := c.pattern(c.textOf(0), text)
	if pattern == nil {
		return nil
	}
	list := &List{}
	for _, part := range pattern.Split(text, -1) {
		list.items = append(list.items, part)
	}
	for len(list.items) > 0 && list.items[len(list.items)-1] == "" {
		list.items = list.items[:len(list.items)-1]
	}
	c.spend(len(list.items))
	return list
}
