// Gatewaylint checks Lambda handlers of an API Gateway WebSocket API:
//
//	gatewaylint ./...
//	gatewaylint -template template.yaml ./...
//	go vet -vettool=$(which gatewaylint) ./...
//
// Package lint has the rules. "gatewaylint help" lists them.
package main

import (
	"flag"

	"golang.org/x/tools/go/analysis/multichecker"

	"github.com/securecart/hub/scripts/gatewaylint/lint"
)

func main() {
	flag.StringVar(&lint.Template, "template", "",
		"SAM or CloudFormation `file`: functions behind routes, and routes with a response")
	multichecker.Main(lint.Analyzers...)
}
