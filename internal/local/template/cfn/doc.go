// Package cfn evaluates CloudFormation and SAM templates without AWS: parameters,
// conditions and intrinsic functions, in YAML or JSON, short form or long.
//
// A template is read once ([Parse]) and becomes a [Stack] with the values of its
// parameters. Nothing is evaluated before it is asked for, so what nobody asks for,
// such as the policies of a role, may contain anything. What was asked for and
// has no value on a desk is a [Problem] at its place in the file; the stack keeps all
// of them, and [Stack.Err] tells them at once.
//
// # Values on a desk
//
// Ref and Fn::GetAtt of a resource give names and ARNs in the documented shapes:
// the name that the template gives, or else the logical id. The pseudo parameters
// have values that [Options].Parameters may replace.
//
// # Differences
//
//   - Rules are not checked, and Transforms other than SAM's are refused
//   - Fn::ImportValue, Fn::Transform, dynamic references and parameters that name an
//     entry of Systems Manager have no value
//   - a parameter without a value is a problem only where it is used
//
// A Stack is for one goroutine.
//
// The language:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-reference.html
package cfn
