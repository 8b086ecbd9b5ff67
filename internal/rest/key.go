package rest

import (
	"net/http"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

var errKeyAndToken error = &wire.Error{
	Code: wire.CodeBadField, Message: "a key is enough here: send no token, which would have other rights",
}

// machine returns the system of the shop that asks, by its API key. The gateway has
// checked the key.
func machine(r *http.Request, d door) (hub.Connection, error) {
	switch {
	case d.keyID == "":
		return hub.Connection{}, hub.ErrForbidden
	case r.Header.Get("Authorization") != "":
		return hub.Connection{}, errKeyAndToken
	}
	return hub.Connection{Principal: hub.Machine(d.keyID)}, nil
}
