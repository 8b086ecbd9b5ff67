package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/versions"
)

// userResources are the paths of operators.
func (a api) userResources() map[string]map[string]endpoint {
	return map[string]map[string]endpoint{
		"/v1/users/{user}":        {http.MethodDelete: a.deleteUser},
		"/v1/users/{user}/revoke": {http.MethodPost: a.postRevoke},
	}
}

// UserPaths returns the paths of operators, which [Users] serves.
func UserPaths() []string { return slices.Sorted(maps.Keys(api{}.userResources())) }

// newUsers returns the API of operators. h needs a poster.
func newUsers(h *hub.Hub, v versions.Watch, log *slog.Logger) http.Handler {
	a := api{h: h, o: Options{Versions: v}, log: log}
	mux := http.NewServeMux()
	for path, methods := range a.userResources() {
		mux.Handle(path, operatorsOnly(a.resource(methods), a.resource(nil)))
	}
	mux.Handle("/", a.resource(nil))
	return mux
}

// operatorsOnly serves operators, and everybody else as if nothing were at the path. A page
// is no operator: one from anywhere could send a POST from a browser in the shop's networks.
func operatorsOnly(operators, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if doorOf(r).isOperator() && r.Header.Get("Origin") == "" {
			operators.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// postRevoke ends all sessions of a user that were issued so far.
func (a api) postRevoke(r *http.Request) (reply, error) {
	notified, err := a.h.Revoke(r.Context(), r.PathValue("user"))
	if err != nil {
		return reply{}, err
	}
	a.logger(r).InfoContext(r.Context(), "revoked", "told", notified)
	return reply{status: http.StatusNoContent}, nil
}

// deleteUser removes what the hub stores of a user.
func (a api) deleteUser(r *http.Request) (reply, error) {
	ended, err := a.h.Erase(r.Context(), r.PathValue("user"))
	if err != nil {
		return reply{}, err
	}
	a.logger(r).InfoContext(r.Context(), "erased", "ended", ended)
	return reply{status: http.StatusNoContent}, nil
}

// Users adds the paths of operators to the function that may post to connections: it
// answers requests of a REST API, and hands every other event to next, which is a handler
// as [lambda.NewHandler] takes it.
func Users(h *hub.Hub, v versions.Watch, next any, log *slog.Logger) lambda.Handler {
	return users{Lambda(newUsers(h, v, log)), lambda.NewHandler(next)}
}

// users is a function with two kinds of events.
type users struct {
	requests LambdaFunc
	others   lambda.Handler
}

// Invoke tells requests by their method. No other event has one. Batches, which are large,
// begin with their records. The answer to a request has its own memory: localhub calls
// Invoke concurrently.
func (u users) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var request events.APIGatewayProxyRequest
	if bytes.HasPrefix(event, []byte(`{"Records"`)) || json.Unmarshal(event, &request) != nil || request.HTTPMethod == "" {
		return u.others.Invoke(ctx, event)
	}
	answer, err := u.requests(ctx, request)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}
