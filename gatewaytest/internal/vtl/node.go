package vtl

import "strings"

// node is a part of a template that writes text.
type node interface {
	render(r *renderer, b *strings.Builder)
}

type (
	// literal is text.
	literal string

	// output is a reference in the text.
	output struct{ *reference }

	// set is #set, or #define.
	set struct {
		target *reference
		value  expression
	}

	// branch is #if with its parts. The condition of #else is nil.
	branch     []branchPart
	branchPart struct {
		condition expression
		body      []node
	}

	// foreach is #foreach.
	foreach struct {
		at   int
		name string
		list expression
		body []node
	}

	// jump is #break or #stop.
	jump string
)

func (n literal) render(r *renderer, b *strings.Builder) { r.write(b, string(n)) }

func (n output) render(r *renderer, b *strings.Builder) {
	v := n.eval(r)
	if v == nil && r.scope.UndefinedAsWritten && !n.quiet {
		r.write(b, n.text)
		return
	}
	r.write(b, r.text(v))
}

func (n *set) render(r *renderer, _ *strings.Builder) {
	r.assign(n.target, n.value.eval(r))
}

func (n branch) render(r *renderer, b *strings.Builder) {
	for _, part := range n {
		if part.condition == nil || r.truth(part.condition.eval(r)) {
			r.renderAll(b, part.body)
			return
		}
	}
}

func (n jump) render(r *renderer, _ *strings.Builder) {
	r.jump = n
}

func (n *foreach) render(r *renderer, b *strings.Builder) {
	items := r.items(n.list.eval(r))
	outer := map[string]value{}
	for _, name := range []string{n.name, "foreach", "velocityCount"} {
		outer[name] = r.variables[name]
	}
	if r.scope.LongLoopsFail && len(items) > maxIterations {
		r.at = n.at
		r.fail("a #foreach of more than %d items", maxIterations)
		return
	}
	for i, item := range items[:min(len(items), maxIterations)] {
		if !r.spend(iterationSteps) {
			return
		}
		r.variables[n.name] = item
		r.variables["velocityCount"] = int64(i + 1)
		r.variables["foreach"] = loop(i, len(items), outer["foreach"])
		r.renderAll(b, n.body)
		if r.jump == "break" {
			r.jump = ""
			break
		}
		if r.ended() {
			break
		}
	}
	for name, v := range outer {
		r.variables[name] = v
	}
}

// loop returns $foreach for an iteration.
func loop(index, length int, outer value) *Map {
	m := NewMap()
	m.Put("index", int64(index))
	m.Put("count", int64(index+1))
	m.Put("hasNext", index+1 < length)
	m.Put("first", index == 0)
	m.Put("last", index+1 == length)
	m.Put("parent", outer)
	return m
}
