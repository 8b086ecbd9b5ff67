package samapi

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// The types of functions.
const (
	typeFunction    = "AWS::Lambda::Function"
	typeSAMFunction = "AWS::Serverless::Function"
)

// What Lambda takes where a function says nothing.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
const (
	defaultTimeout = 3   // seconds
	defaultMemory  = 128 // MB
)

// Function is a function that the API invokes.
type Function struct {
	// ID is the logical id; for a function outside of the template its name.
	ID string

	// Name and ARN are what the function itself is told.
	Name, ARN string

	// Region and Stage are where the API would be in AWS, APIHost its default host name
	// there.
	Region, Stage, APIHost string

	// InTemplate is false for a function that another stack makes.
	InTemplate bool

	// Pos is where the function is in the template, or is referred to.
	Pos cfn.Pos

	// Folder has the function's code. Empty: the code is not beside the template.
	Folder string

	// Handler and Runtime are as in the template.
	Handler, Runtime string

	// Timeout ends an invocation. Memory is in MB.
	Timeout time.Duration
	Memory  int

	variables cfn.Value
}

// Environment are the function's variables from the template as "NAME=value", in its
// order. Those in given are left out and not evaluated: the caller has values for
// them. It is for Options.Handler: what is wrong with a variable is a problem of the
// template.
func (f *Function) Environment(given map[string]string) []string {
	if !f.InTemplate {
		return nil
	}
	var list []string
	for _, v := range f.variables.Fields() {
		if _, ok := given[v.Name]; ok || !v.Value.Exists() {
			continue
		}
		text := v.Value.Text()
		if strings.Contains(text, "{{resolve:") {
			v.Value.Problem("%s of %s is a dynamic reference, which a desk cannot resolve; -env %s.%s=VALUE gives a value for it", v.Name, f.ID, f.ID, v.Name)
		}
		list = append(list, v.Name+"="+text)
	}
	return list
}

var (
	// invocation is the URI by which API Gateway invokes a function.
	invocation = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]*:lambda:path/[^/]+/functions/(.+)/invocations$`)

	// functionARN is a function's ARN, or its name, with or without a qualifier.
	functionARN = regexp.MustCompile(`^(?:arn:[^:]+:lambda:[^:]*:[^:]*:function:)?([A-Za-z0-9_-]+)(?::[A-Za-z0-9_$-]+)?$`)
)

// function is the handler behind a URI, nil after a problem.
func (b *builder) function(uri cfn.Value) lambda.Handler {
	text, ok := b.withStageVariables(uri)
	if !ok {
		return nil
	}
	if functionARN.MatchString(text) {
		uri.Problem("the ARN of a function alone is no URI for a WebSocket API; it is arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations")
		return nil
	}
	m := invocation.FindStringSubmatch(text)
	if m == nil {
		uri.Problem("%q does not invoke a function", text)
		return nil
	}
	return b.handler(uri, m[1])
}

// handler is the handler of a function by its ARN.
func (b *builder) handler(at cfn.Value, arn string) lambda.Handler {
	m := functionARN.FindStringSubmatch(arn)
	if m == nil {
		at.Problem("%q is no function", arn)
		return nil
	}
	f := b.findFunction(m[1], at.Pos())
	known := b.functions[f.ID]
	if known == nil {
		f.Region, f.Stage, f.APIHost = b.Pseudo("AWS::Region"), b.result.API.Stage, b.result.Host
		known = &invoked{Function: *f}
		b.functions[f.ID] = known
		var err error
		if known.handler, err = b.options.Handler(f); err != nil {
			b.Problem(f.Pos, "%v", err)
		}
	}
	return known.handler
}

// invoked is a function and what runs it.
type invoked struct {
	Function
	handler lambda.Handler
}

// findFunction is the function of that name, made by the template or not.
func (b *builder) findFunction(name string, at cfn.Pos) *Function {
	i := slices.IndexFunc(b.resources, func(r *cfn.Resource) bool {
		return (r.Type == typeFunction || r.Type == typeSAMFunction) && r.Name() == name
	})
	if i < 0 {
		return &Function{ID: name, Name: name, Pos: at, ARN: b.arn(name)} // of another stack
	}
	r := b.resources[i]
	f := &Function{
		ID: r.ID, Name: name, ARN: b.arn(name), InTemplate: true, Pos: r.Pos, Handler: r.Property("Handler").Text(),
		Runtime:   r.Property("Runtime").Text(),
		Timeout:   time.Duration(r.Property("Timeout").Int(defaultTimeout)) * time.Second,
		Memory:    r.Property("MemorySize").Int(defaultMemory),
		variables: r.Property("Environment", "Variables"),
	}
	code := r.Property("CodeUri")
	if r.Type == typeFunction {
		code = r.Property("Code")
	}
	if code.IsText() && !strings.Contains(code.Text(), "://") {
		f.Folder = filepath.Join(filepath.Dir(b.file), filepath.FromSlash(code.Text()))
	}
	return f
}

func (b *builder) arn(name string) string {
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", b.Pseudo("AWS::Partition"), b.Pseudo("AWS::Region"),
		b.Pseudo("AWS::AccountId"), name)
}
