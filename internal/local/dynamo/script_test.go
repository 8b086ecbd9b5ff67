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

// TestRestFunctionServesTheScript runs the rest function's executable. It has the
// script, and nothing of the demo page beside it in package web.
func TestRestFunctionServesTheScript(t *testing.T) {
	path := filepath.Join(bootstraps(t), "rest", "bootstrap")
	key := base64.StdEncoding.EncodeToString(make([]byte, 48))
	f, err := lambdaproc.New(lambdaproc.Options{Path: path, Name: "rest", Environments: 1, Env: []string{
		"HUB_TABLE=hub", "INVENTORY_TABLE=inventory", "CART_TABLE=carts", "TOKEN_ISSUER=https://issuer.test",
		"TOKEN_JWKS_URL=https://issuer.test/jwks",
		"TOKEN_CLIENTS=web",
		"GUEST_KEYS=" + key, "ADDRESS_KEY=" + key, "AWS_REGION=eu-central-1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	answer, err := f.Invoke(t.Context(), []byte(`{"path":"/securecart-live.js","httpMethod":"GET"}`))
	if err != nil {
		t.Fatal(err)
	}
	var got events.APIGatewayProxyResponse
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	if got.StatusCode != 200 || got.IsBase64Encoded || got.Body != string(web.Module) {
		t.Errorf("got %d with %d bytes, want the script", got.StatusCode, len(got.Body))
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
