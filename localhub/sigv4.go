package main

import (
	"fmt"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/house"
)

// devKey signs requests to @connections with -require-sigv4. It opens nothing but
// this hub, which listens on this machine, so it is the same each time.
var devKey = gatewaytest.Credential{AccessKeyID: "AKIALOCALHUB", SecretAccessKey: "localhub-secret"}

func (s *settings) credentials() []gatewaytest.Credential {
	if !s.requireSigV4 {
		return nil
	}
	return []gatewaytest.Credential{devKey}
}

// signing is how to reach a connection, for the greeting.
func (s *settings) signing(addr string) string {
	if !s.requireSigV4 {
		return ""
	}
	return fmt.Sprintf(`
  a signed request to a connection
    AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s \
      aws --region %s apigatewaymanagementapi get-connection --endpoint-url http://%s/%s --connection-id ID
`, devKey.AccessKeyID, devKey.SecretAccessKey, house.Region, addr, s.stage)
}
