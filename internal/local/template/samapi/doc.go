// Package samapi makes a [gatewaytest.API] of a SAM or CloudFormation template, so
// that any team's WebSocket API can run on a desk.
//
// [Build] takes the one WebSocket API of a template, AWS::ApiGatewayV2::Api and what
// belongs to it or AWS::Serverless::WebSocketApi, and the functions that it invokes. Whatever
// else a template has is listed, never silently left out: resources without a
// meaning on a desk in [Result].NotImitated, settings and traps in [Result].Notes.
// What the API needs and cannot have is a [cfn.Problem] at its place in the file.
//
// Who runs the functions is the caller's business: [Options].Handler makes a handler
// of each.
package samapi
