package vtl

import (
	"slices"
	"strings"
)

// renderer renders a template once. After a failure every step returns at once.
type renderer struct {
	source      string
	scope       Scope
	variables   map[string]value // by name, with those of the scope that were used
	body        value            // of the scope, decoded
	decoded     bool
	inputParams *Map // of the scope; nil: not used yet
	at          int  // of the reference or operation that is evaluated
	work        int  // what is left of maxWork
	blocks      int  // of #define that are being rendered
	jump        jump // that ends the loop, or the template
	patterns    map[string]*pattern
	err         *Error
}

// fail ends rendering with an error at the place of what is evaluated.
func (r *renderer) fail(format string, args ...any) {
	if r.err == nil {
		r.err = errorAt(r.source, r.at, format, args...)
	}
}

// ended reports whether nothing more is to be rendered.
func (r *renderer) ended() bool { return r.err != nil || r.jump != "" }

// spend counts steps. It reports false if there were too many.
func (r *renderer) spend(steps int) bool {
	if r.work -= steps; r.work < 0 {
		r.fail("the template takes too many steps")
	}
	return r.err == nil
}

// write adds text to an output.
func (r *renderer) write(b *strings.Builder, text string) {
	switch {
	case !r.spend(1 + len(text)):
	case b.Len()+len(text) > maxOutput:
		r.fail("the template writes more than %d bytes", maxOutput)
	default:
		b.WriteString(text)
	}
}

// limited counts a text that a function has made. It returns "" if it is too long.
func (r *renderer) limited(text string) string {
	if len(text) > maxOutput {
		r.fail("a text of more than %d bytes", maxOutput)
	}
	if !r.spend(len(text)) {
		return ""
	}
	return text
}

func (r *renderer) renderAll(b *strings.Builder, nodes []node) {
	for _, n := range nodes {
		if r.ended() || !r.spend(1) {
			return
		}
		n.render(r, b)
	}
}

// renderBlock renders a block of #define.
func (r *renderer) renderBlock(n *block) string {
	if r.blocks++; r.blocks > maxBlocks {
		r.fail("blocks of #define use each other more than %d deep", maxBlocks)
	}
	var b strings.Builder
	r.renderAll(&b, n.body)
	r.blocks--
	return b.String()
}

// assign sets a variable, or a part of a value.
func (r *renderer) assign(target *reference, v value) {
	r.at = target.at
	if v == nil && r.scope.SetSkipsNothing {
		return
	}
	if len(target.steps) == 0 {
		r.variables[target.name] = v
		return
	}
	last := target.steps[len(target.steps)-1]
	whole := *target
	whole.steps = target.steps[:len(target.steps)-1]
	switch whole := whole.eval(r).(type) {
	case *Map:
		r.put(whole, r.stepKey(last), v)
	case *List:
		if i, ok := r.index(whole, last); ok {
			whole.items[i] = v
			return
		}
		r.fail("the list has no such item")
	default:
		r.fail("%s is no map and no list", target.text)
	}
}

// put sets the value of a key of a map.
func (r *renderer) put(m *Map, key string, v value) {
	if len(m.keys) >= maxItems {
		r.fail("a map of more than %d keys", maxItems)
		return
	}
	m.Put(key, v)
}

// add appends values to a list.
func (r *renderer) add(list *List, items ...value) {
	switch {
	case !r.spend(itemSteps * len(items)):
	case len(list.items)+len(items) > maxItems:
		r.fail("a list of more than %d items", maxItems)
	default:
		list.items = append(list.items, items...)
	}
}

// stepKey returns the key of a map that a step names.
func (r *renderer) stepKey(s step) string {
	if s.kind == stepProperty {
		return s.name
	}
	return r.text(s.arguments[0].eval(r))
}

// index returns the index of a list that a step names. Negative ones count from the
// end.
func (r *renderer) index(list *List, s step) (int, bool) {
	if s.kind != stepIndex {
		return 0, false
	}
	v, _ := toNumber(s.arguments[0].eval(r))
	return itemIndex(list, v)
}

func itemIndex(list *List, v value) (int, bool) {
	n, ok := v.(int64)
	if n < 0 {
		n += int64(len(list.items))
	}
	return int(n), ok && n >= 0 && n < int64(len(list.items))
}

// items returns what #foreach runs through: the items of a list, or the values of a
// map.
func (r *renderer) items(v value) []value {
	all := children(v)
	if !r.spend(itemSteps * len(all)) {
		return nil
	}
	return slices.Clone(all) // the body may change the list
}

// truth reports whether a value is true as a condition: all values are, except false,
// nothing, and the empty text.
func (r *renderer) truth(v value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != "" || r.scope.EmptyTextIsTrue
	}
	return true
}
