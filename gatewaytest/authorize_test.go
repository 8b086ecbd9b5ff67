package gatewaytest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

const connectARN = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/$connect"

// grant is the response of an authorizer with one statement and a context.
func grant(effect, resource, context string) string {
	return fmt.Sprintf(`{"principalId":"ann","policyDocument":{"Version":"2012-10-17","Statement":[
		{"Effect":%q,"Action":"execute-api:Invoke","Resource":%q}]},"context":%s}`, effect, resource, context)
}

func TestAuthorizerAnswers(t *testing.T) {
	document := func(statements string) string {
		return `{"principalId":"ann","policyDocument":{"Version":"2012-10-17","Statement":` + statements + `}}`
	}
	const allowAll = `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}`
	tests := []struct {
		name   string
		answer function
		want   int
	}{
		{"G-AUTH-11 allowed", returns(grant("Allow", connectARN, `{}`)), 101},
		{"G-AUTH-12 wildcard for all", returns(grant("Allow", "*", `{}`)), 101},
		{"G-AUTH-12 wildcard at the end", returns(grant("Allow", strings.TrimSuffix(connectARN, "$connect")+"*", `{}`)), 101},
		{"G-AUTH-12 wildcards inside", returns(grant("Allow", "arn:aws:execute-api:*:*:a1b2c3d4e5/*/$connect", `{}`)), 101},
		{"G-AUTH-12 question marks",
			returns(grant("Allow", "arn:aws:execute-api:eu-central-?:123456789012:a1b2c3d4e5/v?/$connect", `{}`)), 101},
		{"G-AUTH-12 stage/*/* does not match $connect",
			returns(grant("Allow", strings.TrimSuffix(connectARN, "$connect")+"*/*", `{}`)), 403},
		{"G-AUTH-12 other stage", returns(grant("Allow", strings.Replace(connectARN, "/v1/", "/v2/", 1), `{}`)), 403},
		{"G-AUTH-12 resource does not ignore case", returns(grant("Allow", strings.ToUpper(connectARN), `{}`)), 403},
		{"G-AUTH-12 Deny overrides Allow",
			returns(document(`[` + allowAll + `,{"Effect":"Deny","Action":"*","Resource":"` + connectARN + `"}]`)), 403},
		{"G-AUTH-12 Deny of something else",
			returns(document(`[{"Effect":"Deny","Action":"*","Resource":"` + connectARN + `x"},` + allowAll + `]`)), 101},
		{"G-AUTH-12 other action",
			returns(document(`[{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}]`)), 403},
		{"G-AUTH-12 action ignores case",
			returns(document(`[{"Effect":"Allow","Action":"Execute-API:invoke","Resource":"*"}]`)), 101},
		{"G-AUTH-12 lists", returns(document(`[{"Effect":"Allow","Action":["a:b","execute-api:*"],"Resource":["x","` +
			connectARN + `"]}]`)), 101},
		{"G-AUTH-12 one statement without a list", returns(document(allowAll)), 101},
		{"G-AUTH-12 NotAction", returns(document(`[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}]`)), 101},
		{"G-AUTH-12 NotResource", returns(document(`[` + allowAll +
			`,{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::*"}]`)), 403},
		{"G-AUTH-12 condition: Allow does not apply",
			returns(document(`[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":"b"}}}]`)), 403},
		{"G-AUTH-12 condition: Deny applies",
			returns(document(`[` + allowAll +
				`,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"a":"b"}}}]`)), 403},
		{"G-AUTH-15 keys in another case",
			returns(`{"principalId":"ann","policyDocument":{"version":"2012-10-17",` +
				`"statement":[{"action":"*","effect":"Allow","resource":"*"}]}}`), 500},
		{"G-AUTH-15 one key in another case", returns(document(`[{"Effect":"Allow","action":"*","Resource":"*"}]`)), 500},
		{"G-AUTH-13 denied", returns(grant("Deny", "*", `{}`)), 403},
		{"G-AUTH-13 no statement", returns(document(`[]`)), 403},
		{"G-AUTH-14 fails with Unauthorized", fails("Unauthorized"), 401},
		{"G-AUTH-15 fails with anything else", fails("unauthorized"), 500},
		{"G-AUTH-15 panics", func(context.Context, []byte) ([]byte, error) { panic("Unauthorized") }, 500},
		{"G-AUTH-15 no policy", returns(`{"statusCode":401}`), 500},
		{"G-AUTH-15 no policy but a principal", returns(`{"principalId":"ann"}`), 500},
		{"G-AUTH-15 null", returns(`null`), 500},
		{"G-AUTH-15 empty response", returns(``), 500},
		{"G-AUTH-15 not JSON", returns(`Allow`), 500},
		{"G-AUTH-15 no Statement", returns(`{"principalId":"ann","policyDocument":{}}`), 500},
		{"G-AUTH-15 unknown Effect", returns(grant("allow", "*", `{}`)), 500},
		{"G-AUTH-15 statement without Action", returns(document(`[{"Effect":"Allow","Resource":"*"}]`)), 500},
		{"G-AUTH-15 statement without Resource", returns(document(`[{"Effect":"Allow","Action":"*"}]`)), 500},
		{"G-AUTH-15 object in the context", returns(grant("Allow", "*", `{"user":{"name":"ann"}}`)), 500},
		{"G-AUTH-15 list in the context", returns(grant("Allow", "*", `{"roles":["a"]}`)), 500},
		{"G-AUTH-16 no principalId", returns(strings.Replace(grant("Allow", "*", `{}`), `"principalId":"ann",`, "", 1)), 500},
		{"G-AUTH-16 principalID is not principalId",
			returns(strings.Replace(grant("Allow", "*", `{}`), "principalId", "principalID", 1)), 500},
		{"G-AUTH-17 8 KB", returns(pad(grant("Allow", "*", `{}`), 8*1024)), 101},
		{"G-AUTH-17 more than 8 KB", returns(pad(grant("Allow", "*", `{}`), 8*1024+1)), 500},
		{"G-AUTH-17 resource of 512 characters", returns(grant("Allow", strings.Repeat("*", 512), `{}`)), 101},
		{"G-AUTH-17 resource of 513 characters", returns(grant("Allow", strings.Repeat("*", 513), `{}`)), 500},
		{"usage key is accepted", returns(strings.Replace(grant("Allow", "*", `{}`), `{"principalId"`,
			`{"usageIdentifierKey":"k","principalId"`, 1)), 101},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var connect recorder
			g := newGateway(t, gatewaytest.API{
				Routes:     routes("$connect", &connect),
				Authorizer: &gatewaytest.Authorizer{Handler: tt.answer},
			})
			if got := handshakeStatus(t, g, "/v1", nil); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			if invoked := len(connect.all()) == 1; invoked != (tt.want == 101) { // G-AUTH-2
				t.Errorf("$connect invoked: %v", invoked)
			}
		})
	}
}

// pad appends blanks to JSON.
func pad(json string, length int) string { return json + strings.Repeat(" ", length-len(json)) }

func TestAuthorizer(t *testing.T) {
	allow := returns(grant("Allow", "*", `{}`))

	t.Run("G-AUTH-15 timeout is 500", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Authorizer: &gatewaytest.Authorizer{
				Handler: function(func(ctx context.Context, _ []byte) ([]byte, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				})}})
			if resp, _ := refusedHandshake(t, g, "/v1", nil); resp.StatusCode != 500 {
				t.Errorf("status %d, want 500", resp.StatusCode)
			}
		})
	})

	t.Run("G-AUTH-2 identity sources, authorizer, $connect", func(t *testing.T) {
		var order []string
		note := func(what string, next function) function {
			return func(ctx context.Context, raw []byte) ([]byte, error) {
				order = append(order, what)
				return next(ctx, raw)
			}
		}
		g := newGateway(t, gatewaytest.API{
			Routes:     routes("$connect", note("connect", ok200)),
			Authorizer: &gatewaytest.Authorizer{Handler: note("authorizer", allow)},
		})
		dial(t, g, "/v1")
		if got := fmt.Sprint(order); got != "[authorizer connect]" {
			t.Errorf("got %s", got)
		}
	})

	t.Run("G-AUTH-1 -7 invoked once for every connection, never for its messages", func(t *testing.T) {
		authorizer := &recorder{next: allow}
		g := newGateway(t, gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: authorizer},
			Routes: routes("$default", twoWay(echo))})
		for range 2 {
			c := dial(t, g, "/v1")
			send(t, c, "x")
			receive(t, c)
		}
		if n := len(authorizer.all()); n != 2 {
			t.Errorf("authorizer invoked %d times, want 2", n)
		}
	})

	t.Run("G-AUTH-18 -19 -20 the context on every event", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var connect, message, disconnect recorder
			slow := function(func(ctx context.Context, raw []byte) ([]byte, error) {
				time.Sleep(21 * time.Millisecond)
				return returns(grant("Allow", "*",
					`{"role":"admin","level":1,"big":12345678901234567890,"half":0.5,"guest":true,"none":null}`))(ctx, raw)
			})
			g := newGateway(t, gatewaytest.API{
				Routes:     routes("$connect", &connect, "$default", &message, "$disconnect", &disconnect),
				Authorizer: &gatewaytest.Authorizer{Handler: slow},
			})
			c := dialRaw(t, g, "/v1")
			c.mustWrite(t, text("x"))
			synctest.Wait()
			if err := g.DeleteConnection(t.Context(), onlyID(t, g)); err != nil {
				t.Fatal(err)
			}
			c.mustRead(t)
			c.mustWrite(t, closeFrame(1000, ""))
			synctest.Wait()
			later := map[string]any{"principalId": "ann", "role": "admin", "level": "1",
				"big": "12345678901234567890", "half": "0.5", "guest": "true"}
			first := map[string]any{"integrationLatency": 21.0}
			for key, value := range later {
				first[key] = value
			}
			for _, tt := range []struct {
				event []byte
				want  map[string]any
			}{{connect.one(t), first}, {message.one(t), later}, {disconnect.one(t), later}} {
				got := lookup(t, tt.event, "requestContext", "authorizer")
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("%v: got %v, want %v", lookup(t, tt.event, "requestContext", "eventType"), got, tt.want)
				}
			}
		})
	})

	t.Run("G-AUTH-21 no authorizer, no key", func(t *testing.T) {
		var connect recorder
		g := newGateway(t, api(routes("$connect", &connect)))
		dial(t, g, "/v1")
		if hasKey(t, connect.one(t), "requestContext", "authorizer") {
			t.Error("the event has the key")
		}
	})

	t.Run("G-AUTH-23 not evaluated for messages", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{
			Routes:     routes("$default", twoWay(echo)),
			Authorizer: &gatewaytest.Authorizer{Handler: returns(grant("Allow", connectARN, `{}`))},
		})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		if got := receive(t, c); got != "x" {
			t.Errorf("got %q", got)
		}
	})
}

func TestIdentitySources(t *testing.T) {
	tests := []struct {
		name, source, path string
		header             http.Header
		want               int
	}{
		{"G-AUTH-4 header present", "route.request.header.Authorization", "/v1", http.Header{"Authorization": {"x"}}, 101},
		{"G-AUTH-4 header missing", "route.request.header.Authorization", "/v1", nil, 401},
		{"G-AUTH-4 header empty", "route.request.header.Authorization", "/v1", http.Header{"Authorization": {""}}, 401},
		{"G-AUTH-5 header ignores case", "route.request.header.AUTHORIZATION", "/v1", http.Header{"authorization": {"x"}},
			101},
		{"G-AUTH-4 query present", "route.request.querystring.token", "/v1?token=x", nil, 101},
		{"G-AUTH-4 query missing", "route.request.querystring.token", "/v1", nil, 401},
		{"G-AUTH-4 query empty", "route.request.querystring.token", "/v1?token=", nil, 401},
		{"G-AUTH-5 query does not ignore case", "route.request.querystring.token", "/v1?Token=x", nil, 401},
		{"G-AUTH-3 stage variable present", "stageVariables.env", "/v1", nil, 101},
		{"G-AUTH-3 stage variable missing", "stageVariables.nope", "/v1", nil, 401},
		{"G-AUTH-3 context present", "context.identity.sourceIp", "/v1", nil, 101},
		{"G-AUTH-3 context missing", "context.identity.nope", "/v1", nil, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			authorizer := &recorder{next: returns(grant("Allow", "*", `{}`))}
			g := newGateway(t, gatewaytest.API{
				StageVariables: map[string]string{"env": "test"},
				Authorizer:     &gatewaytest.Authorizer{Handler: authorizer, IdentitySources: []string{"context.stage", tt.source}},
			})
			if got := handshakeStatus(t, g, tt.path, tt.header); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			if invoked := len(authorizer.all()) == 1; invoked != (tt.want == 101) {
				t.Errorf("authorizer invoked: %v", invoked)
			}
		})
	}
	t.Run("G-AUTH-6 none configured, always invoked", func(t *testing.T) {
		authorizer := &recorder{next: returns(grant("Allow", "*", `{}`))}
		g := newGateway(t, gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: authorizer}})
		dial(t, g, "/v1")
		authorizer.one(t)
	})
}
