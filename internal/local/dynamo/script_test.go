package dynamo_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/web"
)

// TestTicketFunctionServesTheScript runs the ticket function's executable. It has the
// script, and nothing of the demo page beside it in package web.
func TestTicketFunctionServesTheScript(t *testing.T) {
	engine(t) // skips before anything is built
	path := filepath.Join(bootstraps(t), "ticket", "bootstrap")
	key := base64.StdEncoding.EncodeToString(make([]byte, 48))
	f, err := lambdaproc.New(lambdaproc.Options{Path: path, Name: "ticket", Environments: 1, Env: []string{
		"HUB_TABLE=hub", "TOKEN_ISSUER=https://issuer.test", "TOKEN_JWKS_URL=https://issuer.test/jwks",
		"TOKEN_CLIENTS=web", "GUEST_KEYS=" + key, "ADDRESS_KEY=" + key, "AWS_REGION=eu-central-1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	answer, err := f.Invoke(t.Context(), []byte(`{"version":"2.0","routeKey":"ANY /securecart-live.js",`+
		`"rawPath":"/securecart-live.js","requestContext":{"http":{"method":"GET","path":"/securecart-live.js"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(got.Body)
	if err != nil || got.StatusCode != 200 || !bytes.Equal(body, web.Module) {
		t.Errorf("got %d with %d bytes, %v, want the script", got.StatusCode, len(body), err)
	}

	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(program, web.Module) {
		t.Error("the executable does not have the script as it is")
	}
	if bytes.Contains(program, []byte("<!doctype html>")) || bytes.Contains(program, []byte("<!DOCTYPE html>")) {
		t.Error("the executable has a page")
	}
}
