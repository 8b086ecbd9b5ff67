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

// The defaults of Lambda.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
const (
	defaultTimeout = 3   // seconds
	defaultMemory  = 128 // MB
)

// Function is a function that the API invokes.
type Function struct {
	// ID is the logical id, or the name of a function that is not in the template.
	ID string

	// Name and ARN are for the environment of the function.
	Name, ARN string

	// Region, Stage and APIHost are those of the API in AWS. APIHost is its default host
	// name.
	Region, Stage, APIHost string

	// InTemplate is false for a function of another stack.
	InTemplate bool

	// Pos is the place of the function in the template, or of the reference to it.
	Pos cfn.Pos

	// Folder has the code of the function. It is empty if the code is not a local
	// folder.
	Folder string

	// Inline is the code of a function that has it in the template.
	Inline string

	// Handler and Runtime are the properties in the template.
	Handler, Runtime string

	// Timeout limits an invocation. Memory is in MB.
	Timeout time.Duration
	Memory  int

	variables cfn.Value
}

// Environment returns the variables of the function in the template as
// "NAME=value", in the order of the template. It leaves out the variables in given,
// for which the caller has values, and does not evaluate them. Those whose values only AWS
// knows are in unknown, by name, and get a note. If Options.Handler calls it, a mistake in a
// variable is a problem of the template; later it is none.
func (f *Function) Environment(given map[string]string) (known, unknown []string) {
	if !f.InTemplate {
		return nil, nil
	}
	for _, v := range f.variables.Fields() {
		if _, ok := given[v.Name]; ok || !v.Value.Exists() {
			continue
		}
		text, ok := v.Value.Try()
		if !ok {
			v.Value.Note("%s of %s is not set: only AWS knows its value; set it with -env %s.%s=VALUE", v.Name, f.ID, f.ID,
				v.Name)
			unknown = append(unknown, v.Name)
			continue
		}
		known = append(known, v.Name+"="+text)
	}
	return known, unknown
}

var (
	// invocation matches the URI with which API Gateway invokes a function.
	invocation = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]*:lambda:path/[^/]+/functions/(.+)/invocations$`)

	// functionARN matches the ARN or the name of a function, with or without a
	// qualifier.
	functionARN = regexp.MustCompile(`^(?:arn:[^:]+:lambda:[^:]*:[^:]*:function:)?([A-Za-z0-9_-]+)(?::[A-Za-z0-9_$-]+)?$`)
)

// function returns the handler behind a URI of a resource, or nil after a problem.
// Without credentials, API Gateway needs a permission to invoke it.
func (b *builder) function(r *cfn.Resource, uri, credentials cfn.Value) lambda.Handler {
	text, ok := b.withStageVariables(uri)
	if !ok {
		return nil
	}
	m := invocation.FindStringSubmatch(text)
	switch {
	case m != nil:
		text = m[1]
	case strings.HasPrefix(text, "arn:") && functionARN.MatchString(text):
		b.Note(uri.Pos(), "the ARN of a function in place of a URI: AWS documents "+
			"arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations")
	default:
		uri.Problem("%q does not invoke a function; write "+
			"arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations", text)
		return nil
	}
	f := b.handler(uri, text)
	if f == nil {
		return nil
	}
	f.needsPermission = f.needsPermission || !r.Generated && !credentials.Exists()
	return f.handler
}

// handler returns the function with this ARN and its handler.
func (b *builder) handler(uri cfn.Value, arn string) *invokedFunction {
	m := functionARN.FindStringSubmatch(arn)
	if m == nil {
		uri.Problem("%q is not a function", arn)
		return nil
	}
	f := b.findFunction(m[1], uri.Pos())
	known := b.functions[f.ID]
	if known == nil {
		f.Region, f.Stage, f.APIHost = b.Pseudo("AWS::Region"), b.result.API.Stage, b.result.Host
		known = &invokedFunction{Function: *f}
		b.functions[f.ID] = known
		var err error
		if known.handler, err = b.options.Handler(f); err != nil {
			b.Problem(f.Pos, "%v", err)
		}
	}
	return known
}

// invokedFunction is a function and its handler.
type invokedFunction struct {
	Function
	handler         lambda.Handler
	needsPermission bool
}

// findFunction returns the function with this name, in the template or not.
func (b *builder) findFunction(name string, pos cfn.Pos) *Function {
	i := slices.IndexFunc(b.resources, func(r *cfn.Resource) bool {
		return (r.Type == typeFunction || r.Type == typeSAMFunction) && r.Name() == name
	})
	if i < 0 {
		return &Function{ID: name, Name: name, Pos: pos, ARN: b.arn(name)} // of another stack
	}
	r := b.resources[i]
	f := &Function{
		ID: r.ID, Name: name, ARN: b.arn(name), InTemplate: true, Pos: r.Pos, Handler: r.Property("Handler").Text(),
		Runtime:   r.Property("Runtime").Text(),
		Timeout:   time.Duration(r.Property("Timeout").Int(defaultTimeout)) * time.Second,
		Memory:    r.Property("MemorySize").Int(defaultMemory),
		variables: r.Property("Environment", "Variables"),
	}
	code, inline := r.Property("CodeUri"), r.Property("InlineCode")
	if r.Type == typeFunction {
		code, inline = r.Property("Code"), r.Property("Code", "ZipFile")
	}
	f.Inline, _ = inline.Try()
	if asset := r.Metadata("aws:asset:path"); asset.IsText() {
		code = asset // CDK: Code has the place in S3
	}
	if code.IsText() && !strings.Contains(code.Text(), "://") {
		f.Folder = filepath.FromSlash(code.Text())
		if !filepath.IsAbs(f.Folder) {
			f.Folder = filepath.Join(filepath.Dir(b.file), f.Folder)
		}
	}
	return f
}

func (b *builder) arn(name string) string {
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", b.Pseudo("AWS::Partition"), b.Pseudo("AWS::Region"),
		b.Pseudo("AWS::AccountId"), name)
}
