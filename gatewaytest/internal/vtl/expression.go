package vtl

import (
	"encoding/json"
	"strings"
)

// levels are the binary operators, the weakest first. Each has a second name.
var levels = [][]operator{
	{{"||", "or"}},
	{{"&&", "and"}},
	{{"==", "eq"}, {"!=", "ne"}},
	{{"<=", "le"}, {">=", "ge"}, {"<", "lt"}, {">", "gt"}},
	{{"+", ""}, {"-", ""}},
	{{"*", ""}, {"/", ""}, {"%", ""}},
}

type operator struct{ sign, word string }

func (p *parser) expression() expression {
	defer func(depth int) { p.depth = depth }(p.depth)
	if !p.deeper() {
		return constant{}
	}
	return p.binary(0)
}

// binary reads operands with the operators of a level between them.
func (p *parser) binary(level int) expression {
	if level == len(levels) {
		return p.unary()
	}
	left := p.binary(level + 1)
	for p.err == nil {
		p.blanks()
		at := p.at
		sign := p.operator(levels[level])
		if sign == "" {
			break
		}
		left = &operation{at: at, sign: sign, left: left, right: p.binary(level + 1)}
	}
	return left
}

// operator reads one of the operators and returns its sign, or "".
func (p *parser) operator(operators []operator) string {
	for _, o := range operators {
		if p.skip(o.sign) || o.word != "" && p.word(o.word) {
			return o.sign
		}
	}
	return ""
}

// word reads a word if it comes next as a whole.
func (p *parser) word(word string) bool {
	start := p.at
	if p.name() == word {
		return true
	}
	p.at = start
	return false
}

func (p *parser) unary() expression {
	defer func(depth int) { p.depth = depth }(p.depth)
	if p.blanks(); !p.deeper() {
		return constant{}
	}
	at := p.at
	switch {
	case p.skip("!"), p.word("not"):
		return &not{p.unary()}
	case p.has("-") && !(p.at+1 < len(p.text) && isDigit(p.text[p.at+1])) && p.skip("-"):
		return &operation{at: at, sign: "-", left: constant{int64(0)}, right: p.unary()}
	}
	return p.primary()
}

// primary reads a value without operators around it.
func (p *parser) primary() expression {
	start := p.at
	switch {
	case p.has("$"):
		if r := p.reference(); r != nil {
			return r
		}
	case p.has("'"), p.has(`"`):
		return p.quoted()
	case p.has("["):
		return p.listOrRange()
	case p.has("{"):
		return p.mapping()
	case p.skip("("):
		e := p.expression()
		p.expect(")", "after an expression")
		return e
	case p.word("true"):
		return constant{true}
	case p.word("false"):
		return constant{false}
	case p.word("null"):
		return constant{}
	default:
		if text := p.number(); text != "" {
			return number(text)
		}
	}
	p.fail(start, "expected a value")
	return constant{}
}

// number reads a number. 0..5 is the number 0 of a range.
func (p *parser) number() string {
	start := p.at
	p.skip("-")
	digits := func() bool {
		from := p.at
		for p.at < len(p.text) && isDigit(p.text[p.at]) {
			p.at++
		}
		return p.at > from
	}
	if !digits() {
		p.at = start
		return ""
	}
	if whole := p.at; p.skip(".") && !digits() {
		p.at = whole
	}
	return p.text[start:p.at]
}

// number returns the constant of a number as in a template.
func number(text string) constant {
	v, _ := toNumber(json.Number(text)) // nil if it is too large, as in Velocity
	return constant{v}
}

// quoted reads a text in quotes. In double quotes, it may contain references and
// directives. A backslash stays, and so does what follows it.
func (p *parser) quoted() expression {
	start, quote := p.at, p.text[p.at]
	p.at++
	for p.at < len(p.text) && p.text[p.at] != quote {
		if p.text[p.at] == '\\' && p.at+1 < len(p.text) {
			p.at++
		}
		p.at++
	}
	if p.at >= len(p.text) {
		p.fail(start, "text without a closing %c", quote)
		return constant{}
	}
	text := p.text[start+1 : p.at]
	p.at++
	if quote == '\'' || !strings.ContainsAny(text, "$#") {
		return constant{text}
	}
	inner := &parser{text: p.text[:p.at-1], at: start + 1, depth: p.depth}
	nodes, end := inner.block()
	if end.name != "" {
		inner.fail(end.at, "#%s without #if, #foreach or #define", end.name)
	}
	if inner.err != nil && p.err == nil {
		p.err, p.at = inner.err, len(p.text)
	}
	if len(nodes) == 1 {
		if whole, ok := nodes[0].(literal); ok { // such as a JSONPath
			return constant{string(whole)}
		}
	}
	return interpolated(nodes)
}

// arguments reads the arguments of a method.
func (p *parser) arguments() []expression {
	p.at++
	if p.blanks(); p.skip(")") {
		return nil
	}
	return append([]expression{p.expression()}, p.more(")")...)
}

// more reads the rest of a list after its first value.
func (p *parser) more(closing string) (items []expression) {
	for p.blanks(); p.skip(","); p.blanks() {
		items = append(items, p.expression())
	}
	p.expect(closing, "after the last value")
	return items
}

// listOrRange reads [a, b, c] or [first..last].
func (p *parser) listOrRange() expression {
	start := p.at
	p.at++
	if p.blanks(); p.skip("]") {
		return &listOf{}
	}
	first := p.expression()
	if p.blanks(); p.skip("..") {
		last := p.expression()
		p.expect("]", "at the end of a range")
		return &rangeOf{at: start, first: first, last: last}
	}
	return &listOf{items: append([]expression{first}, p.more("]")...)}
}

// mapping reads {"key": value, …}.
func (p *parser) mapping() expression {
	p.at++
	m := &mapOf{}
	if p.blanks(); p.skip("}") {
		return m
	}
	for p.err == nil {
		m.keys = append(m.keys, p.key())
		p.expect(":", "after the key of a map")
		m.values = append(m.values, p.expression())
		if p.blanks(); !p.skip(",") {
			break
		}
	}
	p.expect("}", "after the last value of a map")
	return m
}

// key reads the key of a map: a name or a value.
func (p *parser) key() expression {
	p.blanks()
	if name := p.name(); name != "" {
		return constant{name}
	}
	return p.expression()
}
