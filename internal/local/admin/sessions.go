package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/webserver"
	"github.com/securecart/hub/internal/wire"
)

// postToken makes a token of the development issuer.
func (a api) postToken(w http.ResponseWriter, r *http.Request) {
	var request struct {
		User   string   `json:"user"`
		Role   hub.Role `json:"role"`
		Vendor string   `json:"vendor"`
	}
	if !decodeBody(w, r, &request) {
		return
	}
	role := cmp.Or(request.Role, hub.RoleCustomer)
	wrongUser := checkTokenUser(request.User)
	switch {
	case wrongUser != nil:
		refuse(w, wire.CodeBadField, wrongUser.Error())
		return
	case role != hub.RoleCustomer && role != hub.RoleVendor && role != hub.RoleAdmin:
		refuse(w, wire.CodeBadField, `"role" must be customer, vendor or admin`)
		return
	case role != hub.RoleVendor && request.Vendor != "":
		refuse(w, wire.CodeBadField, `a "vendor" needs the "role" vendor`)
		return
	case role == hub.RoleVendor && request.Vendor == "":
		refuse(w, wire.CodeBadField, `a vendor's token needs a "vendor"`)
		return
	case role == hub.RoleVendor && !wire.IsName(request.Vendor):
		refuse(w, wire.CodeBadField, wire.NotAName("vendor", request.Vendor))
		return
	}
	token, expires, err := a.House.Token(request.User, role, request.Vendor)
	if err != nil {
		a.fail(w, fmt.Errorf("make a token: %w", err))
		return
	}
	reply(w, http.StatusOK, map[string]any{"token": token, "expires": expires.UnixMilli()})
}

// revokeUser ends all sessions of a user that were issued so far. It invokes the
// broadcast function, as a shop's back end does in AWS.
func (a api) revokeUser(w http.ResponseWriter, r *http.Request) {
	a.invokeBroadcast(w, r, handler.BroadcastEvent{Revoke: r.PathValue("user")})
}

// eraseUser removes what the hub stores of a user, in the same way.
func (a api) eraseUser(w http.ResponseWriter, r *http.Request) {
	a.invokeBroadcast(w, r, handler.BroadcastEvent{Erase: r.PathValue("user")})
}

// forgetting removes a user whom a request erased from what is kept beside the hub: the log
// of events, the cost meter and batches.
func (a api) forgetting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, user, ok := strings.Cut(r.URL.Path, "/users/")
		erases := ok && r.Method == http.MethodDelete
		if erases && a.House.Held() { // what is held names the user
			refuse(w, wire.CodeConflict, `the stream is held: let it go on first (POST /admin/stream)`)
			return
		}
		recorded := &webserver.StatusWriter{ResponseWriter: w}
		next.ServeHTTP(recorded, r)
		if erases && recorded.Status() == http.StatusNoContent {
			events.Cause(r.Context())       // so that the log has the request
			_ = a.House.Settle(r.Context()) // so that the log has the posts of the erasure; it may end early
			a.People.Forget(user)
			a.Cost.Forget(user)
			a.House.ForgetBatches()
		}
	})
}

// invokeBroadcast lets the broadcast function act on a user. It goes on if its client has gone.
func (a api) invokeBroadcast(w http.ResponseWriter, r *http.Request, e handler.BroadcastEvent) {
	if err := checkUser(r.PathValue("user")); err != nil {
		refuse(w, wire.CodeBadField, err.Error())
		return
	}
	event, err := json.Marshal(e)
	if err == nil {
		_, err = a.Broadcast.Invoke(context.WithoutCancel(r.Context()), event)
	}
	if err != nil {
		a.fail(w, fmt.Errorf("invoke broadcast: %w", err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
