package handler

import (
	"errors"
	"net/http"
	"time"

	"github.com/securecart/hub/internal/versions"
	"github.com/securecart/hub/internal/wire"
)

// handshakeVersion returns the version that a handshake names: in the subprotocols that
// it offers, in a header or in its query. A refusal has its status; it has no text, which
// no client would see (G-HANDSHAKE-10).
func handshakeVersion(e request) (name string, status int, err error) {
	named := versions.Named(
		headerValues(e.MultiValueHeaders, versions.Header), e.MultiValueQueryStringParameters[versions.Query],
	)
	name, err = versions.ChooseOffered(named, subprotocols(e.MultiValueHeaders))
	switch {
	case errors.Is(err, versions.ErrContradiction):
		return "", http.StatusBadRequest, err
	case err != nil:
		return "", http.StatusNotFound, err
	}
	return name, http.StatusOK, nil
}

// goneVersion is the answer to every message of a version that has ended. The client
// closes the connection: a function that closed it would do so before the answer is sent.
var goneVersion = wire.Bye{Code: string(wire.CodeGoneVersion)}

// deprecationOf returns what hello says of the version that package wire speaks.
func deprecationOf(r versions.Register) *wire.Deprecation {
	d, ok := r.Of(versions.V1)
	if !ok {
		return nil
	}
	return &wire.Deprecation{
		Deprecated: d.Deprecated.Format(time.DateOnly), Sunset: d.Sunset.Format(time.DateOnly),
		Successor: d.Successor, Link: d.Link,
	}
}
