// Package account holds the facts of the AWS account that localhub imitates.
package account

import "github.com/securecart/hub/gatewaytest"

const (
	// Region is where the imitated services are.
	Region = "eu-central-1"
	// ID is the account's number, as in ARNs.
	ID = "123456789012"
)

// Credential signs requests to @connections where signatures are required, and is
// what functions find in their environment. It opens nothing but a localhub, which
// listens on this machine only, so it is the same on every machine.
var Credential = gatewaytest.Credential{AccessKeyID: "AKIALOCALHUB", SecretAccessKey: "localhub-secret"}
