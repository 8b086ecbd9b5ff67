// Package samapi makes a [gatewaytest.API] of a SAM or CloudFormation template, so that
// the WebSocket API of any template can run locally.
//
// [Build] reads the WebSocket API of a template, which is an AWS::ApiGatewayV2::Api with
// its parts or an AWS::Serverless::WebSocketApi, and the functions that it invokes. It
// lists everything else: resources without a meaning locally in [Result].NotImitated,
// settings that are not imitated and likely mistakes in [Result].Notes. A mistake that
// the API cannot run with is a [cfn.Problem] with its place in the file.
//
// The caller runs the functions: [Options].Handler returns a handler for each.
package samapi
