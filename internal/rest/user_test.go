package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/internal/versions"
)

// operator returns the event of a signed request through the systems' API.
func operator(method, path string) func(*events.APIGatewayProxyRequest) {
	return func(e *events.APIGatewayProxyRequest) {
		e.HTTPMethod, e.Path = method, path
		e.StageVariables = map[string]string{"door": "systems"}
		e.RequestContext.Identity.UserArn = "arn:aws:iam::123456789012:role/back-office"
	}
}

// askUsers sends a request to the function with the operators' paths.
func (f *fixture) askUsers(change func(*events.APIGatewayProxyRequest)) (answer events.APIGatewayProxyResponse) {
	f.t.Helper()
	others := func(context.Context, any) error { return errors.New("this is a request") }
	users := rest.Users(f.hub, f.watch, others, slog.New(slog.NewTextHandler(&f.log, nil)))
	data, err := json.Marshal(event(f.t, change))
	if err == nil {
		data, err = users.Invoke(f.t.Context(), data)
	}
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return answer
}

// TestUsersAnswersAreNotMixed: an answer stays as it is when another request is served.
// localhub serves them concurrently.
func TestUsersAnswersAreNotMixed(t *testing.T) {
	f := newFixture(t)
	users := rest.Users(f.hub, f.watch, func(context.Context, any) error { return nil }, slog.New(slog.DiscardHandler))
	ask := func(path string) []byte {
		data, err := json.Marshal(event(t, operator("DELETE", path)))
		if err == nil {
			data, err = users.Invoke(t.Context(), data)
		}
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for range 20 {
		first := ask("/v1/users/ann")
		want := string(first)
		if ask("/v1/nothing"); string(first) != want {
			t.Fatalf("the answer %s became %s", want, first)
		}
	}
}

// TestUsersAreForOperators: only what the gateway says opens the operators' paths.
func TestUsersAreForOperators(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*events.APIGatewayProxyRequest)
		status int
	}{
		"signed": {func(*events.APIGatewayProxyRequest) {}, 204},
		"the private API": {func(e *events.APIGatewayProxyRequest) {
			e.StageVariables["door"], e.RequestContext.Identity.UserArn = "private", ""
		}, 204},
		"not signed": {func(e *events.APIGatewayProxyRequest) { e.RequestContext.Identity.UserArn = "" }, 404},
		"a key":      {func(e *events.APIGatewayProxyRequest) { e.RequestContext.Identity = keyIdentity }, 404},
		"the public API": {func(e *events.APIGatewayProxyRequest) {
			e.StageVariables = nil
		}, 404},
		"another API": {func(e *events.APIGatewayProxyRequest) { e.StageVariables["door"] = "PRIVATE" }, 404},
		"headers and a query": {func(e *events.APIGatewayProxyRequest) {
			e.StageVariables, e.RequestContext.Identity = nil, events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1"}
			for _, name := range []string{"door", "Door", "X-Door", "userArn", "X-Amzn-Request-Context"} {
				e.MultiValueHeaders[name] = []string{"private"}
				e.MultiValueQueryStringParameters[name] = []string{"private"}
			}
		}, 404},
		"a page": {func(e *events.APIGatewayProxyRequest) {
			e.StageVariables["door"] = "private"
			e.MultiValueHeaders["origin"] = []string{"https://evil.example"}
		}, 404},
		"another path": {func(e *events.APIGatewayProxyRequest) { e.Path = "/v1/users" }, 404},
		"GET":          {func(e *events.APIGatewayProxyRequest) { e.HTTPMethod = "GET" }, 405},
	} {
		for _, method := range []string{"POST /v1/users/ann/revoke", "DELETE /v1/users/ann"} {
			t.Run(name+", "+method, func(t *testing.T) {
				f := newFixture(t)
				f.stock("MUG", 3, "")
				ann := as(f.token("ann", "customer"))
				f.call("POST", "/v1/cart/lines", `{"sku":"MUG"}`, ann...)
				verb, path, _ := strings.Cut(method, " ")
				got := f.askUsers(func(e *events.APIGatewayProxyRequest) {
					operator(verb, path)(e)
					tt.change(e)
				})
				if got.StatusCode != tt.status || tt.status == 204 && got.Body != "" {
					t.Errorf("got %d %s, want %d", got.StatusCode, got.Body, tt.status)
				}
				// The session so far has ended, and after an erasure the cart too, if and only
				// if the answer says so.
				w := f.call("GET", "/v1/cart", "", ann...)
				if (w.Code == 401) != (tt.status == 204) {
					t.Errorf("the session so far: got %d %s", w.Code, w.Body)
				}
				f.now = f.now.Add(time.Second)
				w = f.call("GET", "/v1/cart", "", as(f.token("ann", "customer"))...)
				erased := tt.status == 204 && verb == "DELETE"
				if w.Code != 200 || strings.Contains(w.Body.String(), "MUG") == erased {
					t.Errorf("a new session: got %d %s", w.Code, w.Body)
				}
			})
		}
	}
}

// TestUsersEnd: a revocation ends the sessions so far, an erasure the cart too.
func TestUsersEnd(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "")
	ann, guest := as(f.token("ann/2", "customer")), as(f.token("9f2c", "guest"))
	for _, who := range [][]string{ann, guest} {
		if w := f.call("POST", "/v1/cart/lines", `{"sku":"MUG"}`, who...); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	for who, path := range map[string]string{"ann": "/v1/users/ann%2F2/revoke", "guest": "/v1/users/guest:9f2c/revoke"} {
		if got := f.askUsers(operator("POST", path)); got.StatusCode != 204 {
			t.Errorf("%s: got %d %s", who, got.StatusCode, got.Body)
		}
	}
	wantProblem(t, f.call("GET", "/v1/cart", "", ann...), 401, "token_expired")
	wantProblem(t, f.call("GET", "/v1/cart", "", guest...), 401, "token_expired")
	f.now = f.now.Add(time.Second)
	ann = as(f.token("ann/2", "customer"))
	if w := f.call("GET", "/v1/cart", "", ann...); w.Header().Get("ETag") != `"k3.1"` {
		t.Errorf("after a revocation: got %d %s", w.Code, w.Body)
	}
	if got := f.askUsers(operator("DELETE", "/v1/users/ann%2F2")); got.StatusCode != 204 {
		t.Errorf("got %d %s", got.StatusCode, got.Body)
	}
	f.now = f.now.Add(time.Second)
	w := f.call("GET", "/v1/cart", "", as(f.token("ann/2", "customer"))...)
	want(t, w, 200, `{"type":"snapshot","epoch":"k3","topics":{"cart":{"version":0,"lines":{}}}}`)
}

// TestUsersFail: an operator must try again, and learns nothing of the reason.
func TestUsersFail(t *testing.T) {
	f := newFixture(t)
	f.store.errs["Revoke"] = errInside
	for _, change := range []func(*events.APIGatewayProxyRequest){
		operator("POST", "/v1/users/ann/revoke"), operator("DELETE", "/v1/users/ann"),
	} {
		got := f.askUsers(change)
		const problem = `{"title":"Internal Server Error","status":500,"detail":"internal error; please try again",` +
			`"code":"internal","retry":true}`
		if got.StatusCode != 500 || got.Body != problem {
			t.Errorf("got %d %s", got.StatusCode, got.Body)
		}
	}
}

// TestOtherEvents: events that are no requests go to the function's own handler.
func TestOtherEvents(t *testing.T) {
	f := newFixture(t)
	for _, event := range []string{
		`{"Records":[{"httpMethod":"POST"}]}`, `{}`, `{"revoke":"ann"}`, `{"httpMethod":""}`, `[]`, `{"httpMethod":7}`,
	} {
		seen := ""
		next := handlerFunc(func(data []byte) { seen = string(data) })
		users := rest.Users(f.hub, versions.Watch{}, next, slog.New(slog.DiscardHandler))
		if _, err := users.Invoke(t.Context(), []byte(event)); err != nil || seen != event {
			t.Errorf("%s: the handler got %q, %v", event, seen, err)
		}
	}
}

type handlerFunc func([]byte)

func (f handlerFunc) Invoke(_ context.Context, event []byte) ([]byte, error) {
	f(event)
	return nil, nil
}

// TestOperatorsPathsEnd: they are of a version too.
func TestOperatorsPathsEnd(t *testing.T) {
	f := newFixture(t)
	counted := 0
	f.watch.OnDeprecated = func(context.Context) { counted++ }
	day := func(n int) time.Time { return f.now.AddDate(0, 0, n).Truncate(24 * time.Hour) }
	f.watch.Register = versions.Register{{
		Version: "v1", Deprecated: day(0), Sunset: day(200), Successor: "v2", Link: "https://shop.test/v2",
	}}
	got := f.askUsers(operator("POST", "/v1/users/ann/revoke"))
	if got.StatusCode != 204 || len(got.MultiValueHeaders["Sunset"]) != 1 || counted != 1 {
		t.Errorf("got %d %v, counted %d", got.StatusCode, got.MultiValueHeaders, counted)
	}
	f.now = day(200)
	if got := f.askUsers(operator("POST", "/v1/users/ann/revoke")); got.StatusCode != 410 {
		t.Errorf("after the sunset: got %d %s", got.StatusCode, got.Body)
	}
}
