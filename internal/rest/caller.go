package rest

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/securecart/hub/internal/auth/bearer"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// logger returns a logger whose lines name a request: by its id in API Gateway's access
// log, and by a keyed hash of the client's address.
func (a api) logger(r *http.Request) *slog.Logger {
	log := a.log.With("gatewayRequest", hub.CauseOf(r.Context()))
	if a.v == nil { // operators have no tokens
		return log
	}
	return log.With("address", a.v.HashAddress(addressOf(r)))
}

// caller returns who asks: the principal of the token or, without one, the guest that
// all clients of the address are. It has no connection.
func (a api) caller(r *http.Request) (hub.Connection, error) {
	address := a.v.HashAddress(addressOf(r))
	c := hub.Connection{ClientHash: address, Principal: hub.AddressGuest(address)}
	token, err := bearer.Token(r.Header.Values("Authorization")...)
	if err == nil && token == "" {
		return c, nil
	}
	if err == nil {
		c.Principal, err = a.v.Verify(r.Context(), token)
	}
	if err == nil && !c.Principal.Role.Known() {
		err = errors.New("its role is unknown")
	}
	if err != nil {
		code, message := handler.TokenRefusal(err)
		log := a.logger(r)
		log.WarnContext(r.Context(), "token refused", "code", code, "error", err)
		return hub.Connection{}, &wire.Error{Code: code, Message: message, Retry: code == wire.CodeBusy}
	}
	return c, nil
}

// user returns who asks, who must have a token or be a machine.
func (a api) user(r *http.Request) (hub.Connection, error) {
	if d := doorOf(r); d.isSystem() {
		c, err := machine(r, d)
		if err != nil {
			return c, err
		}
		revoked, err := a.h.Revoked(r.Context(), c.Principal)
		if revoked {
			err = hub.ErrForbidden // not token_expired: it has no token that it could renew
		}
		return c, err
	}
	c, err := a.caller(r)
	if err == nil && c.Principal == hub.AddressGuest(c.ClientHash) {
		err = errNoToken
		log := a.logger(r)
		log.WarnContext(r.Context(), "token refused", "code", wire.CodeTokenBad, "error", err)
	}
	return c, err
}
