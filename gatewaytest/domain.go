package gatewaytest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Domain is a custom domain with one API mapping. Requests whose Host is Name
// find the API at /{BasePath} and the management of connections at
// /{BasePath}/@connections/{id}, both without the stage (G-DOMAIN-1, G-MGMT-15).
// Any other path there is refused with 403 (G-DOMAIN-5). Events have the domain
// as domainName and the stage's own name as stage (G-DOMAIN-4).
type Domain struct {
	// Name is the host name, without a port.
	Name string

	// BasePath is the mapping key: letters, digits and $-_.+!*'(), at most 300
	// of them (G-DOMAIN-2). Empty: the domain's root.
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

// serves reports whether a request came in through the domain.
func (d *Domain) matches(host string) bool {
	if d == nil {
		return false
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, d.Name)
}

// misplaced is the answer to a request for a path that is none of the API's: that
// of a handshake is assumed (G-URL-4, G-URL-8, G-DOMAIN-5), any other known
// (G-MGMT-11).
func (g *Gateway) pathError(r *http.Request) *Error {
	if ws.HasToken(r.Header, "Upgrade", "websocket") {
		return statusError(g.api.Assumptions.UnknownPathStatus)
	}
	return ErrForbidden
}

// locate returns the segments of a request's path from the one that stands for
// the stage, which is empty at the root of a domain.
func (g *Gateway) stagePath(r *http.Request) ([]string, *Error) {
	segments, ok := pathSegments(r.URL.EscapedPath())
	if !ok {
		return nil, g.pathError(r)
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

// noMethod is the answer to the stage where the mapping hides it.
func noMethodError(route, method string) *Error {
	return &Error{
		StatusCode: http.StatusNotFound, Code: "NotFoundException", // the code is assumed
		Message: fmt.Sprintf("No method found matching route %s for http method %s.", route, method),
	}
}
