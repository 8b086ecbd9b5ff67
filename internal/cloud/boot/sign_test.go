package boot

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/securecart/hub/gatewaytest"
)

// TestSignedTransport: a gateway that checks signatures takes a request. It is one to
// @connections, for a connection that does not exist.
func TestSignedTransport(t *testing.T) {
	credential := gatewaytest.Credential{AccessKeyID: "AKIATEST", SecretAccessKey: "right", SessionToken: "session"}
	gateway, err := gatewaytest.New(gatewaytest.API{
		Stage: "prod", Region: "eu-central-1", Credentials: []gatewaytest.Credential{credential},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()
	server := httptest.NewServer(gateway)
	defer server.Close()
	for secret, status := range map[string]int{"right": http.StatusGone, "wrong": http.StatusForbidden} {
		e := Env{AWS: aws.Config{
			Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", secret, "session"),
		}}
		client := http.Client{Transport: e.SignedTransport()}
		answer, err := client.Post(server.URL+"/prod/@connections/AAAAAAAAAAAAAAA=", "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("signed with %s: got %s, want %d", secret, answer.Status, status)
		}
	}
}
