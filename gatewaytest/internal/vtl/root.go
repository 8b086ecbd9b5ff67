package vtl

// The values of $input and $util. Only their methods can be used.
type (
	inputRoot struct{}
	utilRoot  struct{}
)

// variable returns the value of a variable.
func (r *renderer) variable(name string) value {
	if v, ok := r.variables[name]; ok {
		return v
	}
	var v value
	switch name {
	case "input":
		v = inputRoot{}
	case "util":
		v = utilRoot{}
	case "context":
		v = r.scope.Context()
	case "stageVariables":
		v = r.scope.StageVariables()
	default:
		return nil
	}
	r.variables[name] = v
	return v
}

// eval follows the steps of a reference. What is missing has no value.
func (e *reference) eval(r *renderer) value {
	r.at = e.at
	v := r.variable(e.name)
	for _, s := range e.steps {
		if v == nil || !r.spend(1) {
			return nil
		}
		v = r.follower(v, s)
		r.at = e.at
	}
	return v
}

// follower returns the value to which a step leads.
func (r *renderer) follower(v value, s step) value {
	if s.kind == stepMethod {
		return r.call(v, s)
	}
	switch v := v.(type) {
	case inputRoot: // the parser allows only body
		return r.scope.Body
	case *Map:
		return v.values[r.stepKey(s)]
	case *List:
		if i, ok := r.index(v, s); ok {
			return v.items[i]
		}
	}
	return nil
}

// call calls a method.
func (r *renderer) call(v value, s step) value {
	arguments := make([]value, len(s.arguments))
	for i, a := range s.arguments {
		arguments[i] = a.eval(r)
	}
	if r.err != nil {
		return nil
	}
	r.at = s.at
	if _, ok := v.(utilRoot); ok {
		return utilFunctions[s.name](r, arguments[0])
	}
	if _, ok := v.(inputRoot); ok {
		return r.callInput(s.name, arguments)
	}
	if b, ok := v.(*block); ok {
		v = r.renderBlock(b)
	}
	c := &call{renderer: r, name: s.name, arguments: arguments}
	result := c.on(v)
	if !c.known {
		r.fail("%s has no method %s with %d arguments", kindOf(v), s.name, len(arguments))
	}
	if text, ok := result.(string); ok {
		return r.limited(text)
	}
	return result
}

// kindOf names the kind of a value in an error.
func kindOf(v value) string {
	switch v.(type) {
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case *List:
		return "a list"
	case *Map:
		return "a map"
	}
	return "a number"
}

// callInput calls a method of $input.
func (r *renderer) callInput(name string, arguments []value) value {
	if name == "params" {
		return r.params(arguments)
	}
	text := r.text(arguments[0])
	if !r.spend(utilSteps * len(text)) {
		return nil
	}
	path, err := parsePath(text)
	if err != nil {
		r.fail("JSONPath %q: %v", text, err)
		return nil
	}
	if !r.decoded {
		r.decoded = true
		r.spend(utilSteps * len(r.scope.Body))
		r.body, _ = Decode(r.scope.Body) // nil: no path leads to a value
	}
	v := r.follow(path, r.body)
	switch {
	case name == "path":
		return v
	case v == nil && !r.scope.MissingJSONIsNull:
		return `""`
	}
	return r.json(v)
}

// params returns all parameters, or the one with a name: of the path, of the query
// string, or a header.
func (r *renderer) params(arguments []value) value {
	if r.inputParams == nil {
		r.inputParams = r.scope.Params()
	}
	all := r.inputParams
	if len(arguments) == 0 {
		return all
	}
	name := r.text(arguments[0])
	for _, kind := range all.list().items {
		if found, ok := kind.(*Map); ok && found.Get(name) != nil {
			return found.Get(name)
		}
	}
	return nil
}
