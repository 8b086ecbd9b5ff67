package dynamo_test

import (
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/lambdaproc"
)

// TestFunctionsPrintJSON runs the functions' executables with events that they cannot
// read, without settings, and without their tables. Every line that they print is JSON.
func TestFunctionsPrintJSON(t *testing.T) {
	dir := bootstraps(t)
	key := base64.StdEncoding.EncodeToString(make([]byte, 48))
	settings := []string{
		"HUB_TABLE=hub", "INVENTORY_TABLE=stock", "CART_TABLE=carts", "SWEEP_TABLE=sweeps",
		"CALLBACK_URL=http://127.0.0.1:1/v1",
		"TOKEN_ISSUER=http://127.0.0.1:1", "TOKEN_JWKS_URL=http://127.0.0.1:1/jwks", "TOKEN_CLIENTS=web",
		"GUEST_KEYS=" + key, "ADDRESS_KEY=" + key,
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_ENDPOINT_URL=http://127.0.0.1:1",
	}
	// Each function reads what it needs of it. A revocation that fails is an error of the
	// broadcaster, which gets no request; the others answer.
	request := `{"path":"/v1/stock/MUG","httpMethod":"GET",` +
		`"requestContext":{"authorizer":{"principalId":"ann"}},` +
		`"queryStringParameters":{"auth":"required","ticket":"` + strings.Repeat("A", 26) + `"}}`
	for _, name := range []string{"connect", "disconnect", "message", "authorize", "broadcast", "rest"} {
		tables := request
		if name == "broadcast" {
			tables = `{"revoke":"ann"}`
		}
		for _, tt := range []struct {
			name, event string
			env         []string
			fails       bool   // the invocation, with an error or an exit
			want        string // in the error of a line
		}{
			{"an event that is not JSON", `What?`, settings, true, "invalid character"},
			{"an event of another type", `{"requestContext":[],"Records":{}}`, settings, true, "cannot unmarshal"},
			{"no settings", `{}`, nil, true, "HUB_TABLE"},
			{"no tables", tables, settings, name == "broadcast", ""},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				var out functionOutput
				f, err := lambdaproc.New(lambdaproc.Options{
					Path: filepath.Join(dir, name, "bootstrap"), Name: name, Env: tt.env, Environments: 1, Output: &out,
				})
				if err != nil {
					t.Fatal(err)
				}
				_, invokeErr := f.Invoke(t.Context(), []byte(tt.event))
				if err := f.Close(); err != nil { // waits for what the process prints
					t.Error(err)
				}
				if (invokeErr != nil) != tt.fails {
					t.Errorf("got error %v, want one: %t", invokeErr, tt.fails)
				}
				var texts strings.Builder
				for line := range strings.Lines(out.text.String()) {
					var fields struct{ Error string }
					if err := json.Unmarshal([]byte(line), &fields); err != nil {
						t.Errorf("%v: %s", err, line)
					}
					texts.WriteString(fields.Error)
				}
				if texts.Len() == 0 || !strings.Contains(texts.String(), tt.want) {
					t.Errorf("got the errors %q, want %q among them", texts.String(), tt.want)
				}
			})
		}
	}
}
