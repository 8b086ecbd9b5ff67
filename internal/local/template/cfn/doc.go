// Package cfn evaluates CloudFormation and SAM templates without AWS: parameters,
// conditions and intrinsic functions, in YAML or JSON, in the short or the long form.
//
// [Parse] reads a template, and [New] makes a [Stack] of it with the values of its
// parameters. Values are evaluated only when they are used. Parts that are not used,
// such as the policies of a role, may contain anything. A value that is used but
// cannot be evaluated locally is a [Problem] with its place in the file. The stack
// collects all problems, and [Stack.Err] returns them together.
//
// Each value is evaluated once, and what all functions make is limited, as are the
// template and its sections: a template takes less than a second, whatever is in it.
//
// # Local values
//
// Ref and Fn::GetAtt of a resource give names and ARNs in the documented shapes. The
// name is the one in the template, or else the logical id. The pseudo parameters have
// default values, which [Options].Parameters may replace.
//
// # Where it differs from AWS
//
//   - Rules are not checked. Transforms do not run, except for SAM's and
//     AWS::LanguageExtensions: [Stack.Notes] has a note.
//   - Values of Fn::ImportValue and of dynamic references are those in [Options].Imports.
//     Fn::Transform and parameters that name an entry in Systems Manager have no value.
//   - A parameter without a value is a problem only where it is used.
//   - Aliases and merge keys of YAML are expanded, with a note. CloudFormation refuses
//     them, but SAM expands them first.
//
// A Stack is for one goroutine.
//
// The language:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-reference.html
package cfn
