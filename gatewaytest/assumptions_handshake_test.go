package gatewaytest_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

func TestAssumedHandshakes(t *testing.T) {
	hangs := function(func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	const ids = `, "connectionId":"ID=", "requestId":"ID="}`
	id := regexp.MustCompile(`[A-Za-z0-9_-]{15}=`)
	body := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
			Routes: routes("$connect", returns(`{"statusCode":403}`))})
		resp, body := refusedHandshake(t, g, "/v1", nil)
		return id.ReplaceAllString(body, "ID=") + strings.Join(resp.Header["X-Amzn-Errortype"], "")
	}
	protocol := func(answer string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$connect", returns(answer))})
			_, resp, err := g.DialRaw(t.Context(), "/v1", nil)
			if err != nil {
				t.Fatal(err)
			}
			return resp.Header.Get("Sec-WebSocket-Protocol")
		}
	}
	custom := func(path string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
				Domain: &gatewaytest.Domain{Name: "shop.example", BasePath: "live"}, DisableDefaultEndpoint: true})
			header := http.Header{"Host": {"shop.example"}}
			if path == "/v1" {
				header = nil
			}
			return fmt.Sprint(handshakeStatus(t, g, path, header))
		}
	}
	plainAt := func(method, path string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return plainRequest(t, newGateway(t, gatewaytest.API{Assumptions: assumptions}), method, path, "")
		}
	}
	notFound := gatewaytest.Assumptions{UnknownPathStatus: 404}
	anywhere := gatewaytest.Assumptions{PlainGETAnywhere: true}
	malformed := gatewaytest.Assumptions{MalformedResponseStatus: 500}
	exact := gatewaytest.Assumptions{ExactProtocolHeader: true}
	testAssumptions(t, []assumptionTest{
		{"G-URL-4 unknown stage", statusWith("/v2", nil), "403", notFound, "404"},
		{"G-URL-4 missing stage", statusWith("/", nil), "403", notFound, "404"},
		{"G-URL-4 more segments", statusWith("/v1/more", nil), "403", notFound, "404"},
		{"G-URL-8 default host disabled", custom("/v1"), "403", notFound, "404"},
		{"G-DOMAIN-5 unknown base path", custom("/dead"), "403", notFound, "404"},
		{"G-URL-4 G-MGMT-11 only for handshakes", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return plainRequest(t, newGateway(t, gatewaytest.API{Assumptions: assumptions}), "POST",
				"/v2/@connections/"+neverID, "x")
		}, "403 ForbiddenException", notFound, "403 ForbiddenException"},
		{"G-URL-11 plain GET", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return plainRequest(t, newGateway(t, gatewaytest.API{Assumptions: assumptions}), "GET", "/v1", "")
		}, "426 UpgradeRequiredException", gatewaytest.Assumptions{PlainGETStatus: 403}, "403 ForbiddenException"},
		{"G-URL-12 GET at an unknown path", plainAt("GET", "/v2"), "403 ForbiddenException", anywhere,
			"426 UpgradeRequiredException"},
		{"G-URL-12 GET of the root", plainAt("GET", "/"), "403 ForbiddenException", anywhere, "426 UpgradeRequiredException"},
		{"G-URL-12 not for a POST", plainAt("POST", "/v2"), "403 ForbiddenException", anywhere, "403 ForbiddenException"},
		{"G-URL-12 G-URL-4 not for a handshake", statusWith("/v2", nil), "403", anywhere, "403"},
		{"G-HANDSHAKE-6 unknown key", statusWith("/v1", nil, "$connect", returns(`{"statusCode":200,"ok":true}`)), "502",
			malformed, "500"},
		{"G-HANDSHAKE-6 no final status", statusWith("/v1", nil, "$connect", returns(`{"statusCode":100}`)), "502",
			malformed, "500"},
		{"G-HANDSHAKE-6 G-HANDSHAKE-5 not for a function error", statusWith("/v1", nil, "$connect", fails("no")),
			"502", malformed, "502"},
		{"G-HANDSHAKE-6 no statusCode", statusWith("/v1", nil, "$connect", returns(`{}`)), "502",
			gatewaytest.Assumptions{NoStatusPasses: true}, "101"},
		{"G-HANDSHAKE-7 timeout", statusWith("/v1", nil, "$connect", hangs), "504",
			gatewaytest.Assumptions{TimeoutStatus: 502}, "502"},
		{"G-HANDSHAKE-8 no function", statusWith("/v1", nil, "$connect", noFunction), "500",
			gatewaytest.Assumptions{NoFunctionStatus: 502}, "502"},
		{"G-HANDSHAKE-12 letter case", protocol(`{"statusCode":200,"headers":{"sec-websocket-protocol":"a"}}`), "a",
			exact, ""},
		{"G-HANDSHAKE-12 multiValueHeaders",
			protocol(`{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["a"]}}`), "a", exact, ""},
		{"G-HANDSHAKE-12 both", protocol(`{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["a"]},` +
			`"headers":{"Sec-WebSocket-Protocol":"b"}}`), "a", exact, "b"},
		{"G-HANDSHAKE-19 body", body, `{"message": "Forbidden"` + ids + "ForbiddenException",
			gatewaytest.Assumptions{RefuseWithMessage: true}, `{"message":"Forbidden"}ForbiddenException`},
		{"G-HANDSHAKE-19 type", body, `{"message": "Forbidden"` + ids + "ForbiddenException",
			gatewaytest.Assumptions{RefuseWithoutType: true}, `{"message": "Forbidden"` + ids},
	})
}

// threeEvents returns the events of a connection that sends one message and
// closes.
func threeEvents(
	t *testing.T, assumptions gatewaytest.Assumptions, path, context string,
) (connect, message, disconnect []byte) {
	t.Helper()
	var onConnect, onMessage, onDisconnect recorder
	g := newGateway(t, gatewaytest.API{
		Assumptions:    assumptions,
		StageVariables: map[string]string{"table": "carts"},
		Authorizer:     &gatewaytest.Authorizer{Handler: returns(grant("Allow", "*", context))},
		Routes:         routes("$connect", &onConnect, "$default", &onMessage, "$disconnect", &onDisconnect),
	})
	c := dialRaw(t, g, path)
	c.mustWrite(t, text("x"), closeFrame(1000, ""))
	c.next(t)
	synctest.Wait()
	return onConnect.one(t), onMessage.one(t), onDisconnect.one(t)
}

func TestAssumedEvents(t *testing.T) {
	contextValues := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		connect, message, _ := threeEvents(t, assumptions, "/v1", `{"n":1,"b":true,"s":"x"}`)
		var got []string
		for _, event := range [][]byte{connect, message} {
			for _, key := range []string{"n", "b", "s"} {
				got = append(got, fmt.Sprintf("%#v", lookup(t, event, "requestContext", "authorizer", key)))
			}
		}
		return strings.Join(got, " ")
	}
	variables := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		connect, message, disconnect := threeEvents(t, assumptions, "/v1", `{}`)
		return fmt.Sprint(hasKey(t, connect, "stageVariables"), hasKey(t, message, "stageVariables"),
			hasKey(t, disconnect, "stageVariables"))
	}
	query := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		connect, _, _ := threeEvents(t, assumptions, "/v1?a=1&a=2", `{}`)
		return fmt.Sprintf("%v %v", lookup(t, connect, "queryStringParameters", "a"),
			lookup(t, connect, "multiValueQueryStringParameters", "a"))
	}
	headers := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		var connect recorder
		g := newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$connect", &connect)})
		handshakeStatus(t, g, "/v1", http.Header{"X-A": {"1", "2"}})
		return fmt.Sprintf("%v %v", lookup(t, connect.one(t), "headers", "X-A"),
			lookup(t, connect.one(t), "multiValueHeaders", "X-A"))
	}
	hasBody := function(func(_ context.Context, event []byte) ([]byte, error) {
		return fmt.Appendf(nil, `{"statusCode":200,"body":"%t"}`, hasKey(t, event, "body")), nil
	})
	body := func(message string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return nextAfter(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$default", twoWay(hasBody))}, message)
		}
	}
	emptyBody := gatewaytest.Assumptions{EmptyMessageBody: true}
	first := gatewaytest.Assumptions{FirstValueCounts: true}
	testAssumptions(t, []assumptionTest{
		{"G-AUTH-19 types", contextValues, `"1" "true" "x" "1" "true" "x"`, gatewaytest.Assumptions{TypedContext: true},
			`1 true "x" 1 true "x"`},
		{"G-EVENT-1 stageVariables", variables, "true true true", gatewaytest.Assumptions{StageVariablesOnConnect: true},
			"true false false"},
		{"G-EVENT-19 empty message", body(""), "false", emptyBody, "true"},
		{"G-EVENT-19 some text", body(" "), "true", emptyBody, "true"},
		{"G-EVENT-9 query", query, "2 [1 2]", first, "1 [1 2]"},
		{"G-EVENT-9 headers", headers, "2 [1 2]", first, "1 [1 2]"},
		{"G-EVENT-9 API key", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions, APIKeys: []gatewaytest.APIKey{{Value: "right"}},
				Routes: map[string]gatewaytest.Route{"$connect": {Integration: ok200, APIKeyRequired: true}}})
			return fmt.Sprint(handshakeStatus(t, g, "/v1", http.Header{"X-Api-Key": {"right", "wrong"}}))
		}, "403", first, "101"},
	})
}

func TestAssumedAuthorization(t *testing.T) {
	authorizer := func(answer string, sources ...string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
				Authorizer: &gatewaytest.Authorizer{Handler: returns(answer), IdentitySources: sources}})
			return fmt.Sprint(handshakeStatus(t, g, "/v1", http.Header{"Authorization": {"x"}}))
		}
	}
	all := grant("Allow", "*", `{}`)
	onlyConnect := grant("Allow", connectARN, `{}`)
	messages := func(api gatewaytest.API, key string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			api.Assumptions, api.Routes = assumptions, routes("$default", twoWay(echo), "secret", twoWay(echo))
			return nextAfter(t, api, `{"action":"`+key+`"}`)
		}
	}
	with := func(answer string) gatewaytest.API {
		return gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: returns(answer)}}
	}
	perMessage := gatewaytest.Assumptions{PolicyPerMessage: true}
	needsExpiry := gatewaytest.Assumptions{PresignedNeedsExpiry: true}
	sources := "route.request.header.authorization"
	testAssumptions(t, []assumptionTest{
		{"G-AUTH-5 letter case", authorizer(all, sources), "101", gatewaytest.Assumptions{ExactIdentityHeaders: true}, "401"},
		{"G-AUTH-5 the same letter case", authorizer(all, "route.request.header.Authorization"), "101",
			gatewaytest.Assumptions{ExactIdentityHeaders: true}, "101"},
		{"G-AUTH-16 no principalId", authorizer(strings.Replace(all, "principalId", "who", 1)), "500",
			gatewaytest.Assumptions{NoPrincipalForbidden: true}, "403"},
		{"G-AUTH-16 G-AUTH-15 no policyDocument", authorizer(`{"principalId":"ann"}`), "500",
			gatewaytest.Assumptions{NoPrincipalForbidden: true}, "500"},
		{"G-AUTH-23 only $connect allowed", messages(with(onlyConnect), "secret"), `{"action":"secret"}`, perMessage,
			"error Forbidden"},
		{"G-AUTH-23 all allowed", messages(with(all), "secret"), `{"action":"secret"}`, perMessage, `{"action":"secret"}`},
		{"G-AUTH-23 no authorizer", messages(gatewaytest.API{}, "secret"), `{"action":"secret"}`, perMessage,
			`{"action":"secret"}`},
		{"G-AUTH-23 $default is a route too",
			messages(with(strings.Replace(all, `"Resource":"*"`, `"Resource":["`+connectARN+`","*/secret"]`, 1)), "other"),
			`{"action":"other"}`, perMessage, "error Forbidden"},
		{"G-AUTH-23 of IAM", iamMessage, `{"action":"secret"}`, perMessage, "error Forbidden"},
		{"G-AUTH-24 presigned without an expiry", presigned("", 0), "101", needsExpiry, "403 InvalidSignatureException"},
		{"G-AUTH-24 after almost 5 minutes", presigned("", 299*time.Second), "101", needsExpiry,
			"403 InvalidSignatureException"},
		{"G-AUTH-24 after 5 minutes", presigned("", 301*time.Second), "403 InvalidSignatureException", needsExpiry,
			"403 InvalidSignatureException"},
		{"G-AUTH-24 with an expiry", presigned("600", 599*time.Second), "101", needsExpiry, "101"},
		{"G-MGMT-12 not signed", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
				Credentials: []gatewaytest.Credential{{AccessKeyID: "AKIDONE", SecretAccessKey: "s"}}})
			return plainRequest(t, g, "POST", "/v1/@connections/"+neverID, "x")
		}, "403 MissingAuthenticationTokenException", gatewaytest.Assumptions{UnsignedForbidden: true},
			"403 ForbiddenException"},
	})
}

// iamMessage returns what a client reads after a message, if its IAM policy
// allows it to connect and nothing else.
func iamMessage(t *testing.T, assumptions gatewaytest.Assumptions) string {
	limited := longTermKey
	limited.Policy = `{"Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*/$connect"}}`
	g := newGateway(t, gatewaytest.API{Assumptions: assumptions, IAM: true,
		Credentials: []gatewaytest.Credential{limited}, Routes: routes("secret", twoWay(echo))})
	req, err := http.NewRequest("GET", "http://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req = signedBy(longTermKey).with(func(s *signer) { s.body = "" }).sign(t, req)
	nc, _, err := g.DialRaw(t.Context(), "/v1", req.Header)
	if err != nil {
		t.Fatal(err)
	}
	c := &rawClient{Conn: nc, r: bufio.NewReader(nc)}
	c.mustWrite(t, text(`{"action":"secret"}`))
	return c.next(t)
}

// presigned returns the response to a handshake that was presigned some time ago.
func presigned(expires string, ago time.Duration) func(*testing.T, gatewaytest.Assumptions) string {
	return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		g := newGateway(t, gatewaytest.API{Assumptions: assumptions, IAM: true,
			Credentials: []gatewaytest.Credential{longTermKey}})
		req, err := http.NewRequest("GET", "http://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req = signedBy(longTermKey).with(func(s *signer) {
			s.body, s.presign, s.expires, s.at = "", true, expires, time.Now().Add(-ago)
		}).sign(t, req)
		nc, resp, err := g.DialRaw(t.Context(), req.URL.RequestURI(), req.Header)
		if resp == nil {
			t.Fatal(err)
		}
		if nc != nil {
			_ = nc.Close()
		}
		return strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("x-amzn-ErrorType")))
	}
}
