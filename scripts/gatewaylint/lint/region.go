package lint

import (
	"go/ast"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// kind is the type of the event that some code runs for.
type kind int

const (
	unknown kind = iota
	connect
	disconnect
	message
)

// region is what is known of the events that some code runs for.
type region struct {
	kind kind
	keys []string // of routes for messages; none if not known
}

// regionOf returns the region of a route key or an event type.
func regionOf(text string) region {
	switch text {
	case "$connect", "CONNECT":
		return region{kind: connect}
	case "$disconnect", "DISCONNECT":
		return region{kind: disconnect}
	case "MESSAGE":
		return region{kind: message}
	}
	return region{kind: message, keys: []string{text}}
}

// join returns what two regions have in common, for code that runs for both.
func (r region) join(o region) region {
	if r.kind != o.kind {
		return region{}
	}
	if len(r.keys) == 0 || len(o.keys) == 0 {
		return region{kind: r.kind}
	}
	return region{r.kind, append(slices.Clip(r.keys), o.keys...)}
}

// joinKeys returns the region of code that runs for several routes.
func joinKeys(keys []string) region {
	sum := regionOf(keys[0])
	for _, key := range keys[1:] {
		sum = sum.join(regionOf(key))
	}
	return sum
}

// isHandler reports whether a unit gets an event and returns a response.
func (p *program) isHandler(u *unit) bool {
	return u.typ.Results != nil && p.has(u.typ.Params, isEvent) && p.has(u.typ.Results, isResponse)
}

func (p *program) has(list *ast.FieldList, is func(types.Type) bool) bool {
	return slices.ContainsFunc(list.List, func(f *ast.Field) bool { return is(p.info.TypeOf(f.Type)) })
}

// base returns the region of a handler as a whole: from the map that registers
// it, from the template, from its name, or from the fact that it reads a body.
func (p *program) base(u *unit) region {
	if keys := p.routeKeys(u); len(keys) > 0 {
		return joinKeys(keys)
	}
	if len(p.routes) > 0 {
		var keys []string
		for _, r := range p.routes {
			keys = append(keys, r.key)
		}
		if r := joinKeys(keys); r.kind != unknown {
			return r
		}
	}
	if k := kindOfName(u.name()); k != unknown {
		return region{kind: k}
	}
	if generalNames.MatchString(u.name()) {
		if k := kindOfName(filepath.Base(p.dir)); k != unknown {
			return region{kind: k}
		}
	}
	if p.readsBody(u) && !p.branches(u) {
		return region{kind: message} // other events have no body
	}
	return region{}
}

// generalNames are names of handlers that say nothing. Their folder may.
var generalNames = regexp.MustCompile(`(?i)^(|main|run|handler?|handlerequest|lambdahandler|handlefunc)$`)

// kindOfName guesses the events of a handler from its name or folder.
func kindOfName(name string) kind {
	name = strings.ToLower(name)
	for _, other := range []string{"connection", "connected", "reconnect"} {
		name = strings.ReplaceAll(name, other, "")
	}
	switch {
	case strings.Contains(name, "disconnect"):
		return disconnect
	case strings.Contains(name, "connect"):
		return connect
	case strings.Contains(name, "message"):
		return message
	}
	return unknown
}

// readsBody reports whether a unit reads the body of an event.
func (p *program) readsBody(u *unit) bool {
	return contains(u.body, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		return ok && s.Sel.Name == "Body" && isEvent(p.info.TypeOf(s.X))
	})
}

// branches reports whether a unit reads the route key or the type of an event.
func (p *program) branches(u *unit) bool {
	return contains(u.body, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		return ok && p.deriveField(s).route
	})
}

// contains reports whether a tree has a node of some kind.
func contains(root ast.Node, is func(ast.Node) bool) bool {
	found := false
	ast.Inspect(root, func(n ast.Node) bool {
		found = found || n != nil && is(n)
		return !found
	})
	return found
}

// place is where a node is.
type place struct {
	unit   *unit
	region region
}

// walk visits each node of each handler, and of the functions of this package
// that it calls, with the events that the node runs for.
func (p *program) walk(visit func(ast.Node, place)) {
	for _, u := range p.ordered {
		if p.isHandler(u) {
			w := walker{p: p, visit: visit, place: place{u, p.base(u)}, path: []*unit{u}}
			ast.Walk(w, u.body)
		}
	}
}

// walker is an ast.Visitor with what is known where it is.
type walker struct {
	p     *program
	visit func(ast.Node, place)
	place place
	path  []*unit // of calls
}

// maxCalls is how many calls away from a handler the rules look.
const maxCalls = 3

// Visit implements ast.Visitor.
func (w walker) Visit(n ast.Node) ast.Visitor {
	if n == nil {
		return nil
	}
	w.visit(n, w.place)
	switch n := n.(type) {
	case *ast.FuncLit:
		if w.p.isHandlerLiteral(n, w.place.unit) {
			return nil
		}
	case *ast.CallExpr:
		w.enter(n)
	case *ast.IfStmt:
		w.branch(n)
		return nil
	case *ast.BlockStmt:
		w.statements(n.List)
		return nil
	case *ast.SwitchStmt:
		w.cases(n)
		return nil
	}
	return w
}

// isHandlerLiteral reports whether a literal is a handler other than where the
// walk is. It is walked by itself.
func (p *program) isHandlerLiteral(lit *ast.FuncLit, where *unit) bool {
	for u, l := range p.literal {
		if l == lit {
			return u != where && p.isHandler(u)
		}
	}
	return false
}

// enter walks the function that is called.
func (w walker) enter(call *ast.CallExpr) {
	target := w.p.target(call)
	if target == nil || len(w.path) > maxCalls || slices.Contains(w.path, target) {
		return
	}
	next := w
	next.path = append(slices.Clip(w.path), target)
	next.place.unit = target
	if keys := w.p.routeKeys(target); w.place.region.kind == unknown && len(keys) > 0 {
		next.place.region = joinKeys(keys)
	}
	ast.Walk(next, target.body)
}

// in returns a walker that knows more, if r does.
func (w walker) in(r region) walker {
	if r.kind != unknown {
		w.place.region = r
	}
	return w
}

func (w walker) cases(n *ast.SwitchStmt) {
	if n.Init != nil {
		ast.Walk(w, n.Init)
	}
	if n.Tag != nil {
		ast.Walk(w, n.Tag)
	}
	found := map[kind]bool{}
	var fallback *ast.CaseClause
	for _, s := range n.Body.List {
		clause := s.(*ast.CaseClause)
		if clause.List == nil {
			fallback = clause
			continue
		}
		r := w.clause(n.Tag, clause)
		found[r.kind] = true
		walkAll(w.in(r), clause)
	}
	if fallback != nil {
		r := region{}
		if found[connect] && found[disconnect] {
			r.kind = message
		}
		walkAll(w.in(r), fallback)
	}
}

// clause returns the region of a case.
func (w walker) clause(tag ast.Expr, clause *ast.CaseClause) region {
	var keys []string
	for _, e := range clause.List {
		text, ok := constText(w.p.info, e)
		switch {
		case tag == nil && len(clause.List) == 1:
			holds, _ := w.condition(e)
			return holds
		case tag == nil || !ok || !w.p.derive(w.place.unit, tag).route:
			return region{}
		}
		keys = append(keys, text)
	}
	return joinKeys(keys)
}

func walkAll(w walker, clause *ast.CaseClause) {
	for _, e := range clause.List {
		ast.Walk(w, e)
	}
	w.statements(clause.Body)
}
