package gatewaytest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Domain is a custom domain with one API mapping. Requests whose Host is Name
// find the API at /{BasePath} and the management of connections at
// /{BasePath}/@connections/{id}, both without the stage (G-DOMAIN-1,
// G-MGMT-15). Any other path is refused with 403 (G-DOMAIN-5). Events have the
// domain as domainName, and the name of the stage as stage (G-DOMAIN-4).
type Domain struct {
	// Name is the host name, without a port.
	Name string

	// BasePath is the mapping key: at most 300 letters, digits and $-_.+!*'()
	// (G-DOMAIN-2). Empty: the root of the domain.
	BasePath string
}

var basePath = regexp.MustCompile(`^[A-Za-z0-9$\-_.+!*'()]*$`)

func (d *Domain) check() error {
	switch {
	case d == nil:
		return nil
	case d.Name == "" || strings.ContainsAny(d.Name, ":/"):
		return fieldError(fmt.Sprintf("Name %q", d.Name), errors.New("must be a host name without a port"))
	case !basePath.MatchString(d.BasePath):
		return fmt.Errorf("BasePath %q: only letters, digits and $-_.+!*'()", d.BasePath)
	case len(d.BasePath) > maxBasePath:
		return fmt.Errorf("BasePath: %d characters, at most %d", len(d.BasePath), maxBasePath)
	}
	return nil
}

// matches reports whether a request came through the domain.
func (d *Domain) matches(host string) bool {
	if d == nil {
		return false
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, d.Name)
}

// pathError is the response to a path outside of the API. For a handshake and for
// a GET it is assumed (G-URL-4, G-URL-8, G-URL-12, G-DOMAIN-5), for anything else
// it is known (G-MGMT-11).
func (g *Gateway) pathError(r *http.Request) *Error {
	switch {
	case ws.HasToken(r.Header, "Upgrade", "websocket"):
		return statusError(g.api.Assumptions.UnknownPathStatus)
	case r.Method == http.MethodGet && g.api.Assumptions.PlainGETAnywhere:
		return g.plainGETError()
	}
	return ErrForbidden
}

// pathDetail says for the log where the API is.
func (g *Gateway) pathDetail(r *http.Request) string {
	base := g.api.Stage
	switch d := g.api.Domain; {
	case d.matches(r.Host):
		base = d.BasePath
	case g.api.DisableDefaultEndpoint:
		return "the default endpoint is disabled: connect to the domain " + d.Name
	}
	root := strings.TrimSuffix("/"+base, "/")
	return fmt.Sprintf("connect to /%s, and post to %s/@connections/ID", base, root)
}

// stagePath returns the segments of a request's path, from the one that stands
// for the stage. At the root of a domain that one is empty.
func (g *Gateway) stagePath(r *http.Request) ([]string, *Error) {
	segments, ok := pathSegments(r.URL.EscapedPath())
	if !ok {
		return nil, g.pathError(r)
	}
	// An empty segment is what a second slash leaves (G-MGMT-22).
	if i := slices.Index(segments, "@connections"); i > 0 && segments[i-1] == "" {
		if !g.api.Assumptions.DoubleSlashPasses {
			return nil, g.pathError(r)
		}
		segments = slices.Delete(segments, i-1, i)
	}
	if !g.api.Domain.matches(r.Host) {
		if g.api.DisableDefaultEndpoint || segments[0] != g.api.Stage {
			return nil, g.pathError(r)
		}
		return segments, nil
	}
	if g.api.Domain.BasePath == "" {
		if segments[0] != "" {
			segments = append([]string{""}, segments...)
		}
	} else if segments[0] != g.api.Domain.BasePath {
		return nil, g.pathError(r)
	}
	if len(segments) > 2 && segments[1] == g.api.Stage && segments[2] == "@connections" {
		return nil, noMethodError(strings.Join(segments[1:], "/"), r.Method) // G-MGMT-15
	}
	return segments, nil
}

// noMethodError is the response to a path with the stage where the mapping has
// none.
func noMethodError(route, method string) *Error {
	return &Error{
		StatusCode: http.StatusNotFound, Code: "NotFoundException", // the code is assumed
		Message: fmt.Sprintf("No method found matching route %s for http method %s.", route, method),
	}
}
