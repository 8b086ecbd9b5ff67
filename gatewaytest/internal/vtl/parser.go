package vtl

import "strings"

// parser reads a template. After a mistake it is at the end of the text, so that
// every loop ends.
type parser struct {
	text  string // up to the end of what it reads
	at    int
	depth int
	err   error
}

func (p *parser) fail(at int, format string, args ...any) {
	if p.err == nil {
		p.err = errorAt(p.text, at, format, args...)
	}
	p.at = len(p.text)
}

// deeper counts a level of nesting. It reports false if there are too many.
func (p *parser) deeper() bool {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.at, "nested too deep, at most %d levels", maxNesting)
	}
	return p.err == nil
}

func (p *parser) rest() string { return p.text[p.at:] }

func (p *parser) has(prefix string) bool { return strings.HasPrefix(p.rest(), prefix) }

// skip reads a text if it comes next.
func (p *parser) skip(text string) bool {
	if !p.has(text) {
		return false
	}
	p.at += len(text)
	return true
}

// expect reads a text that must come next, after blanks.
func (p *parser) expect(text, after string) {
	p.blanks()
	if !p.skip(text) {
		p.fail(p.at, "expected %q %s", text, after)
	}
}

// blanks skips white space.
func (p *parser) blanks() {
	p.at = len(p.text) - len(strings.TrimLeft(p.rest(), " \t\r\n"))
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// name reads a name, or returns "". Velocity's names may contain hyphens.
func (p *parser) name() string {
	start := p.at
	for p.at < len(p.text) && (isLetter(p.text[p.at]) ||
		p.at > start && (isDigit(p.text[p.at]) || p.text[p.at] == '-')) {
		p.at++
	}
	return p.text[start:p.at]
}

// ending is the directive that ends a block: end, else or elseif. Its name is ""
// at the end of the template.
type ending struct {
	name      string
	at        int
	condition expression // of elseif
}

// block reads text, references and directives up to an ending.
func (p *parser) block() ([]node, ending) {
	defer func(depth int) { p.depth = depth }(p.depth)
	if !p.deeper() {
		return nil, ending{}
	}
	b := &blockReader{parser: p, literal: p.at}
	for p.at < len(p.text) {
		start := p.at
		switch p.text[p.at] {
		case '$':
			if r := p.reference(); r != nil {
				b.add(start, &output{r})
			}
		case '\\':
			b.escape()
		case '#':
			if end := b.directive(); end.name != "" {
				return b.nodes, end
			}
		default:
			p.at++
		}
	}
	b.flush(len(p.text))
	return b.nodes, ending{}
}

// blockReader collects the nodes of a block.
type blockReader struct {
	*parser
	nodes   []node
	literal int // where the text begins that is not in a node yet
}

// flush makes a node of the text before an offset.
func (b *blockReader) flush(end int) {
	if b.err == nil && end > b.literal {
		b.nodes = append(b.nodes, literal(b.text[b.literal:end]))
	}
	b.literal = b.at
}

// add adds the node that begins at start and ends here.
func (b *blockReader) add(start int, n node) {
	b.flush(start)
	b.nodes = append(b.nodes, n)
}

// escape reads a backslash. Before a reference or a directive it makes that one
// text.
func (b *blockReader) escape() {
	start := b.at
	b.at++
	if b.at == len(b.text) || b.text[b.at] != '$' && b.text[b.at] != '#' {
		return
	}
	marker := b.at
	b.at++
	b.skip("!")
	b.skip("{")
	if b.name() != "" {
		b.flush(start)
		b.literal = marker
	}
}
