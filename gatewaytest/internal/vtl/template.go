package vtl

import (
	"fmt"
	"strings"
)

// Template is a parsed mapping template.
type Template struct {
	source string
	nodes  []node
}

// Scope holds the values that the references of a template stand for.
type Scope struct {
	// Body is $input.body: the message, or the integration response.
	Body string

	// Params, Context and StageVariables return $input.params(), $context and
	// $stageVariables. Each is called at most once.
	Params, Context, StageVariables func() *Map

	// UndefinedAsWritten writes a reference without a value as it is in the template.
	// Otherwise it writes nothing.
	UndefinedAsWritten bool

	// EmptyTextIsTrue makes "" true in a condition.
	EmptyTextIsTrue bool

	// SetSkipsNothing leaves a variable as it is if #set gives it nothing.
	SetSkipsNothing bool

	// NothingIsNotEmpty makes nothing and "" different in a comparison.
	NothingIsNotEmpty bool

	// LongLoopsFail makes a #foreach fail that would run too often. Otherwise it ends.
	LongLoopsFail bool

	// MissingJSONIsNull makes $input.json return null where there is no value, instead of
	// "" in quotes.
	MissingJSONIsNull bool

	// BadEncodingFails makes $util.urlDecode and $util.base64Decode fail for a text that
	// is not encoded. Otherwise they return "".
	BadEncodingFails bool

	// EscapesLess makes $util.escapeJavaScript leave slashes, and what is not ASCII, as
	// they are.
	EscapesLess bool
}

// Error is a mistake in a template. Line and Column count from 1; Column counts
// bytes.
type Error struct {
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// errorAt returns the error at an offset of a template.
func errorAt(source string, offset int, format string, args ...any) *Error {
	before := source[:offset]
	return &Error{
		Line:    strings.Count(before, "\n") + 1,
		Column:  offset - strings.LastIndexByte(before, '\n'),
		Message: fmt.Sprintf(format, args...),
	}
}

// Parse reads a template. The error is an *Error at its first mistake.
func Parse(source string) (*Template, error) {
	if len(source) > MaxTemplate {
		return nil, errorAt(source, 0, "%d bytes, at most %d", len(source), MaxTemplate)
	}
	p := &parser{text: source}
	nodes, end := p.block()
	if end.name != "" {
		p.fail(end.at, "#%s without #if, #foreach or #define", end.name)
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Template{source: source, nodes: nodes}, nil
}

// Render writes the template. The error is an *Error.
func (t *Template) Render(scope Scope) (string, error) {
	r := &renderer{source: t.source, scope: scope, variables: map[string]value{}, work: maxWork}
	var b strings.Builder
	r.renderAll(&b, t.nodes)
	if r.err != nil {
		return "", r.err
	}
	return b.String(), nil
}
