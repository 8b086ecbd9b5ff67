package host

import (
	"slices"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

func newNamedHost(env map[string]string) *Host {
	return &Host{
		opts: Options{Env: env},
		api: &samapi.Result{
			Host: "a1b2c3.execute-api.eu-central-1.amazonaws.com",
			API: gatewaytest.API{ID: "a1b2c3", Region: "eu-central-1",
				Domain: &gatewaytest.Domain{Name: "ws.Shop.example"}},
		},
	}
}

// TestIsOwn: the names of the API stay on this machine, and no other name does.
func TestIsOwn(t *testing.T) {
	h := newNamedHost(nil)
	for host, want := range map[string]bool{
		"a1b2c3.execute-api.eu-central-1.amazonaws.com":  true,
		"A1B2C3.Execute-API.eu-central-1.amazonaws.com.": true,
		"a1b2c3.execute-api.us-gov-west-1.amazonaws.com": true,
		"a1b2c3.execute-api.cn-north-1.amazonaws.com.cn": true,
		"ws.shop.example": true,
		"other1.execute-api.eu-central-1.amazonaws.com":    false,
		"a1b2c3.lambda.eu-central-1.amazonaws.com":         false,
		"a1b2c3.execute-api.eu-central-1.amazonaws.com.de": false,
		"dynamodb.eu-central-1.amazonaws.com":              false,
		"api.ws.shop.example":                              false,
		"shop.example":                                     false,
		"a1b2c3":                                           false,
	} {
		if got := h.isOwn(host); got != want {
			t.Errorf("%s: %t, want %t", host, got, want)
		}
	}
}

// TestNames: the certificate has the name in AWS in each Region that functions think they
// are in.
func TestNames(t *testing.T) {
	h := newNamedHost(map[string]string{"AWS_REGION": "us-east-1", "Send.AWS_REGION": "cn-north-1", "REGION": "x"})
	want := []string{
		"127.0.0.1", "::1", "localhost",
		"a1b2c3.execute-api.cn-north-1.amazonaws.com.cn", "a1b2c3.execute-api.eu-central-1.amazonaws.com",
		"a1b2c3.execute-api.us-east-1.amazonaws.com", "ws.Shop.example",
	}
	if got := h.names(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
