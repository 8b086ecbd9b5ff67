package vtl

import (
	"slices"
	"strings"
)

// reference is a variable and what follows it, such as $list[0].name.
type reference struct {
	at    int
	text  string // as in the template
	quiet bool   // $!…
	name  string
	steps []step
}

type stepKind int

const (
	stepProperty stepKind = iota
	stepMethod
	stepIndex
)

// step is .name, .name(arguments) or [index].
type step struct {
	kind      stepKind
	at        int
	name      string
	arguments []expression // of a method; the index
}

// rootNames are the variables that a template cannot change.
var rootNames = []string{"input", "util", "context", "stageVariables", "foreach"}

// reference reads a reference. It returns nil and skips the dollar sign if what
// follows is no name.
func (p *parser) reference() *reference {
	r := &reference{at: p.at}
	if !p.skip("$") {
		return nil
	}
	next := p.at
	r.quiet = p.skip("!")
	braced := p.skip("{")
	if r.name = p.name(); r.name == "" {
		p.at = next
		return nil
	}
	for p.err == nil && p.step(r) {
	}
	if braced && !p.skip("}") {
		p.fail(r.at, "${ without }")
	}
	r.text = p.text[r.at:p.at]
	p.checkRoot(r)
	return r
}

// step reads the next step of a reference, if there is one.
func (p *parser) step(r *reference) bool {
	s := step{at: p.at}
	switch {
	case p.skip("."):
		if s.name = p.name(); s.name == "" {
			p.at = s.at // the end of a sentence
			return false
		}
		if p.has("(") {
			s.kind, s.arguments = stepMethod, p.arguments()
		}
	case p.has("[") && p.at+1 < len(p.text) && strings.IndexByte(`$'"-0123456789`, p.text[p.at+1]) >= 0:
		p.at++
		s.kind, s.arguments = stepIndex, []expression{p.expression()}
		p.expect("]", "after an index")
	default:
		return false
	}
	r.steps = append(r.steps, s)
	return true
}

// checkRoot checks what a template may ask of $input and $util.
func (p *parser) checkRoot(r *reference) {
	if p.err != nil || r.name != "input" && r.name != "util" {
		return
	}
	if len(r.steps) == 0 {
		p.fail(r.at, "$%s alone has no text", r.name)
		return
	}
	s := r.steps[0]
	switch {
	case r.name == "util" && (s.kind != stepMethod || utilFunctions[s.name] == nil):
		p.fail(s.at, "$util has no function %s", s.name)
	case r.name == "util" && len(s.arguments) != 1:
		p.fail(s.at, "$util.%s needs one argument", s.name)
	case r.name == "util", s.kind == stepProperty && s.name == "body":
	case s.kind != stepMethod || !slices.Contains([]string{"json", "path", "params"}, s.name):
		p.fail(s.at, "$input has only body, json(PATH), path(PATH), params() and params(NAME)")
	case len(s.arguments) > 1, len(s.arguments) == 0 && s.name != "params":
		p.fail(s.at, "$input.%s needs one argument", s.name)
	case s.name != "params":
		p.checkPath(s)
	}
}

// checkPath checks a JSONPath that is written in the template.
func (p *parser) checkPath(s step) {
	if text, ok := s.arguments[0].(constant); ok {
		path, isText := text.value.(string)
		if !isText {
			p.fail(s.at, "the JSONPath is not a text")
		} else if _, err := parsePath(path); err != nil {
			p.fail(s.at, "JSONPath %q: %v", path, err)
		}
	}
}
