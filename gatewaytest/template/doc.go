// Package template makes the API of a SAM or CloudFormation template, for tests
// that run a team's functions behind the team's own template.
//
//	api := template.Load(t, "../template.yaml", template.Options{Handlers: map[string]any{
//		"OnConnect":   chat.OnConnect, // the functions that main passes to lambda.Start
//		"SendMessage": chat.SendMessage,
//	}})
//	s := gatewaytest.Start(t, api)
//	ann := s.Client("", nil)
//
// So a test sees what AWS would: routes that the template does not have, a
// missing RouteResponse, an authorizer, throttles, and the timeouts of the
// functions. Whatever the template has beside its WebSocket API is ignored.
//
// The package is apart from gatewaytest because it reads YAML.
package template
