package vtl

import (
	"slices"
	"strings"
)

// refused are the directives of Velocity that are not supported.
var refused = []string{"macro", "parse", "include", "evaluate"}

// directive reads what a # begins. An ending is returned, everything else becomes a
// node or stays text.
func (b *blockReader) directive() ending {
	start := b.at
	switch {
	case b.skip("##"):
		b.comment(start, "\n")
		return ending{}
	case b.skip("#*"):
		b.comment(start, "*#")
		return ending{}
	case b.skip("#[["):
		b.raw(start)
		return ending{}
	}
	b.at++
	braced := b.skip("{")
	name := b.name()
	if braced && !b.skip("}") || name == "" {
		b.at = start + 1 // text
		return ending{}
	}
	return b.named(start, name)
}

// named reads the rest of a directive with a name.
func (b *blockReader) named(start int, name string) ending {
	switch name {
	case "end", "else":
		b.endLine(start)
		return ending{name: name, at: start}
	case "elseif":
		condition := b.condition()
		b.endLine(start)
		return ending{name: name, at: start, condition: condition}
	case "set":
		n := b.set()
		b.endLine(start)
		b.nodes = append(b.nodes, n)
	case "if":
		b.nodes = append(b.nodes, b.ifBlock(start))
	case "foreach":
		b.nodes = append(b.nodes, b.foreach(start))
	case "define":
		b.nodes = append(b.nodes, b.define(start))
	case "break", "stop":
		b.endLine(start)
		b.nodes = append(b.nodes, jump(name))
	default:
		if slices.Contains(refused, name) {
			b.fail(start, "#%s is not supported", name)
		}
	}
	return ending{}
}

// endLine ends the head of a directive that begins at start. As in Velocity 1.7, the
// line break after it is not written. If the directive begins its line, neither is its
// indentation.
func (b *blockReader) endLine(start int) {
	rest := strings.TrimLeft(b.rest(), " \t")
	line := strings.TrimPrefix(strings.TrimPrefix(rest, "\r"), "\n")
	if rest != "" && len(line) == len(rest) {
		b.flush(start)
		return
	}
	b.at = len(b.text) - len(line)
	indent := len(strings.TrimRight(b.text[:start], " \t"))
	if indent >= b.literal && (indent == 0 || b.text[indent-1] == '\n') {
		start = indent
	}
	b.flush(start)
}

// comment skips to the end of a comment. One to the end of the line may end with the
// template.
func (b *blockReader) comment(start int, closing string) {
	text, _, ok := strings.Cut(b.rest(), closing)
	if !ok && closing != "\n" {
		b.fail(start, "comment without %s", closing)
	}
	b.at = min(b.at+len(text)+len(closing), len(b.text))
	b.flush(start)
}

// raw reads text up to ]]#, which is not parsed.
func (b *blockReader) raw(start int) {
	text, _, ok := strings.Cut(b.rest(), "]]#")
	if !ok {
		b.fail(start, "#[[ without ]]#")
		return
	}
	b.at += len(text) + len("]]#")
	b.add(start, literal(text))
}

// condition reads an expression in parentheses.
func (p *parser) condition() expression {
	p.expect("(", "before a condition")
	e := p.expression()
	p.expect(")", "after the condition")
	return e
}

// set reads the head of #set.
func (p *parser) set() node {
	p.expect("(", "after #set")
	target := p.target()
	p.expect("=", "after the variable of #set")
	e := p.expression()
	p.expect(")", "at the end of #set")
	return &set{target: target, value: e}
}

// target reads a reference that gets a value.
func (p *parser) target() *reference {
	p.blanks()
	start := p.at
	r := p.reference()
	switch {
	case r == nil:
		p.fail(start, "expected a variable such as $name")
		return &reference{}
	case slices.Contains(rootNames, r.name):
		p.fail(start, "$%s cannot be changed", r.name)
	case len(r.steps) > 0 && r.steps[len(r.steps)-1].kind == stepMethod:
		p.fail(start, "a method cannot get a value")
	}
	return r
}

// ifBlock reads an #if up to its #end.
func (b *blockReader) ifBlock(start int) node {
	var n branch
	end := ending{name: "if", at: start, condition: b.condition()}
	b.endLine(start)
	for end.name != "end" && b.err == nil {
		this := end
		var body []node
		body, end = b.block()
		n = append(n, branchPart{condition: this.condition, body: body})
		switch {
		case end.name == "":
			b.fail(start, "#if without #end")
		case this.name == "else" && end.name != "end":
			b.fail(end.at, "#%s after #else", end.name)
		}
	}
	b.literal = b.at
	return n
}

// body reads a block that only #end may end.
func (b *blockReader) body(start int, name string) []node {
	b.endLine(start)
	nodes, end := b.block()
	switch end.name {
	case "":
		b.fail(start, "#%s without #end", name)
	case "else", "elseif":
		b.fail(end.at, "#%s without #if", end.name)
	}
	b.literal = b.at
	return nodes
}

func (b *blockReader) foreach(start int) node {
	b.expect("(", "after #foreach")
	target := b.variable("#foreach")
	b.blanks()
	if b.name() != "in" {
		b.fail(b.at, `expected "in" after the variable of #foreach`)
	}
	list := b.expression()
	b.expect(")", "at the end of #foreach")
	return &foreach{at: start, name: target, list: list, body: b.body(start, "foreach")}
}

func (b *blockReader) define(start int) node {
	b.expect("(", "after #define")
	name := b.variable("#define")
	b.expect(")", "after the variable of #define")
	return &set{target: &reference{name: name}, value: &block{at: start, body: b.body(start, "define")}}
}

// variable reads the name of the variable of a directive.
func (p *parser) variable(directive string) string {
	p.blanks()
	start := p.at
	r := p.target()
	if len(r.steps) > 0 {
		p.fail(start, "the variable of %s has no properties", directive)
	}
	return r.name
}
