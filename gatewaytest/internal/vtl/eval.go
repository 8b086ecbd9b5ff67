package vtl

import (
	"cmp"
	"math"
	"strings"
)

// expression is a part of a template that has a value.
type expression interface {
	eval(r *renderer) value
}

type (
	constant struct{ value value }

	// interpolated is text in double quotes.
	interpolated []node

	// block is what #define keeps. It is rendered each time that it is written.
	block struct {
		at   int
		body []node
	}

	listOf  struct{ items []expression }
	mapOf   struct{ keys, values []expression }
	rangeOf struct {
		at          int
		first, last expression
	}

	not       struct{ operand expression }
	operation struct {
		at          int
		sign        string
		left, right expression
	}
)

func (e constant) eval(*renderer) value { return e.value }

func (e *block) eval(*renderer) value { return e }

func (e interpolated) eval(r *renderer) value {
	var b strings.Builder
	r.renderAll(&b, e)
	return b.String()
}

func (e *listOf) eval(r *renderer) value {
	list := &List{}
	for _, item := range e.items {
		r.add(list, item.eval(r))
	}
	return list
}

func (e *mapOf) eval(r *renderer) value {
	m := NewMap()
	for i, key := range e.keys {
		r.spend(1)
		m.Put(r.text(key.eval(r)), e.values[i].eval(r))
	}
	return m
}

// eval returns the list of the numbers of a range, which may run downwards.
func (e *rangeOf) eval(r *renderer) value {
	first, isFirst := integer(e.first.eval(r))
	last, isLast := integer(e.last.eval(r))
	if !isFirst || !isLast {
		return nil
	}
	r.at = e.at
	step := int64(cmp.Compare(last, first))
	list := &List{items: []value{first}}
	for n := first; n != last && r.err == nil; {
		n += step
		r.add(list, n)
	}
	return list
}

func integer(v value) (int64, bool) {
	number, _ := toNumber(v)
	n, ok := number.(int64)
	return n, ok
}

func (e *not) eval(r *renderer) value { return !r.truth(e.operand.eval(r)) }

func (e *operation) eval(r *renderer) value {
	if !r.spend(1) {
		return nil
	}
	left := e.left.eval(r)
	switch e.sign {
	case "&&":
		return r.truth(left) && r.truth(e.right.eval(r))
	case "||":
		return r.truth(left) || r.truth(e.right.eval(r))
	}
	right := e.right.eval(r)
	r.at = e.at
	switch e.sign {
	case "==":
		return r.equal(left, right)
	case "!=":
		return !r.equal(left, right)
	case "<", "<=", ">", ">=":
		return less(e.sign, left, right)
	case "+":
		if isText(left) || isText(right) {
			return r.concat(left, right)
		}
	}
	return calculate(e.sign, left, right)
}

func isText(v value) bool {
	_, ok := v.(string)
	return ok
}

func (r *renderer) concat(values ...value) string {
	var b strings.Builder
	for _, v := range values {
		r.write(&b, r.text(v))
	}
	return b.String()
}

// equal compares numbers by value, and everything else by its text, as Velocity does
// for values of different types. Nothing has an empty text.
func (r *renderer) equal(a, b value) bool {
	if r.scope.NothingIsNotEmpty && (a == nil || b == nil) {
		return a == nil && b == nil
	}
	x, isNumber := toNumber(a)
	if y, ok := toNumber(b); ok && isNumber {
		return compare(x, y) == 0
	}
	return r.text(a) == r.text(b)
}

// less compares numbers. With anything else the result is false.
func less(sign string, a, b value) bool {
	x, isX := toNumber(a)
	y, isY := toNumber(b)
	if !isX || !isY {
		return false
	}
	order := compare(x, y)
	switch sign {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// compare compares two results of toNumber.
func compare(a, b value) int {
	x, isX := a.(int64)
	y, isY := b.(int64)
	if isX && isY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(toFloat(a), toFloat(b))
}

func toFloat(v value) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	f, _ := v.(float64)
	return f
}

// calculate returns the result of + - * / %. As in Velocity 1.7 it is nothing if an
// operand is no number, and for a division by zero.
func calculate(sign string, a, b value) value {
	x, isX := toNumber(a)
	y, isY := toNumber(b)
	if !isX || !isY {
		return nil
	}
	m, isM := x.(int64)
	n, isN := y.(int64)
	if isM && isN {
		return calculateWhole(sign, m, n)
	}
	f, g := toFloat(x), toFloat(y)
	switch {
	case sign == "+":
		return f + g
	case sign == "-":
		return f - g
	case sign == "*":
		return f * g
	case g == 0:
		return nil
	case sign == "/":
		return f / g
	}
	return math.Mod(f, g)
}

func calculateWhole(sign string, m, n int64) value {
	switch {
	case sign == "+":
		return m + n
	case sign == "-":
		return m - n
	case sign == "*":
		return m * n
	case n == 0:
		return nil
	case sign == "/":
		return m / n
	}
	return m % n
}
