package vtl

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
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
		if p := c.pattern(`^(?:`+c.textOf(0)+`)$`, text); p != nil {
			return p.MatchString(text)
		}
	case c.is("replaceAll", 2):
		return c.replacePattern(text, false)
	case c.is("replaceFirst", 2):
		return c.replacePattern(text, true)
	case c.is("split", 1):
		return c.split(text)
	}
	return nil
}

// pattern is a compiled regular expression, with the size of its program.
type pattern struct {
	*regexp.Regexp
	size int
}

// pattern compiles a regular expression for a text. It returns nil after a failure.
func (c *call) pattern(expression, text string) *pattern {
	p := c.patterns[expression]
	if p == nil {
		if p = c.compile(expression); p == nil {
			return nil
		}
		if c.patterns == nil {
			c.patterns = map[string]*pattern{}
		}
		c.patterns[expression] = p
	}
	if !c.spend(len(text) * p.size) { // at worst
		return nil
	}
	return p
}

func (c *call) compile(expression string) *pattern {
	if len(expression) > maxPattern {
		c.fail("%s: a regular expression of more than %d bytes", c.name, maxPattern)
		return nil
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		c.fail("%s: %v", c.name, err)
		return nil
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || !c.spend(patternSteps*len(program.Inst)) {
		return nil
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		c.fail("%s: %v", c.name, err)
		return nil
	}
	return &pattern{compiled, len(program.Inst)}
}

// find returns all matches in a text, or the first.
func (c *call) find(p *pattern, text string, first bool) [][]int {
	if first {
		return p.FindAllStringSubmatchIndex(text, 1)
	}
	started := time.Now()
	for n := 2; ; n *= 2 {
		matches := p.FindAllStringSubmatchIndex(text, n)
		if len(matches) < n {
			return matches
		}
		if time.Since(started) > maxPatternTime {
			c.fail("%s: the regular expression takes too long", c.name)
			return nil
		}
	}
}

// replacePattern replaces the first match, or all.
func (c *call) replacePattern(text string, first bool) value {
	p := c.pattern(c.textOf(0), text)
	if p == nil {
		return nil
	}
	with := goReplacement(c.textOf(1))
	var b strings.Builder
	done := 0
	for _, match := range c.find(p, text, first) {
		c.write(&b, text[done:match[0]])
		c.write(&b, string(p.ExpandString(nil, with, text, match)))
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
// are left out, and so is an empty match at the beginning.
func (c *call) split(text string) value {
	p := c.pattern(c.textOf(0), text)
	if p == nil {
		return nil
	}
	list, done := &List{}, 0
	for _, match := range c.find(p, text, false) {
		if match[1] > 0 {
			c.add(list, text[done:match[0]])
			done = match[1]
		}
	}
	c.add(list, text[done:])
	for len(list.items) > 0 && list.items[len(list.items)-1] == "" {
		list.items = list.items[:len(list.items)-1]
	}
	return list
}
