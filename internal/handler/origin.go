package handler

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// edgeHeader is the header with the secret that the edge adds to every handshake.
const edgeHeader = "X-Origin-Verify"

// originAllowed reports whether a page may open a socket. API Gateway accepts every
// page (G-HANDSHAKE-17), and browsers do not restrict them either (RFC 6455, section
// 10.2). Clients other than pages send no Origin and pass. See [PageAllowed].
func originAllowed(headers map[string][]string, allowed []string) bool {
	origins, hosts := headerValues(headers, "Origin"), headerValues(headers, "Host")
	switch {
	case len(origins) == 0:
		return true
	case len(origins) > 1:
		return false
	case len(hosts) != 1:
		hosts = []string{""}
	}
	return PageAllowed(origins[0], hosts[0], allowed)
}

// PageAllowed reports whether a page of an origin may use the hub. allowed are origins
// as browsers write them (RFC 6454, section 6.2), compared byte by byte. If there are
// none, pages of the requested host and of this machine pass.
func PageAllowed(origin, host string, allowed []string) bool {
	if len(allowed) > 0 {
		return slices.Contains(allowed, origin)
	}
	page, err := url.Parse(origin)
	if err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Scheme+"://"+page.Host != origin {
		return false
	}
	addr, err := netip.ParseAddr(page.Hostname())
	if page.Hostname() == "localhost" || err == nil && addr.IsLoopback() {
		return true
	}
	return host != "" && page.Host == withoutDefaultPort(host, page.Scheme)
}

// originForm matches an origin as browsers write it: lower case, no path, no slash at
// the end (RFC 6454, section 6.2). The scheme may belong to an app.
var originForm = regexp.MustCompile(
	`^[a-z][a-z0-9+.-]*://(\[[0-9a-f:]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)(:[1-9][0-9]{0,4})?$`)

// loggedOrigin returns the origin of a refused page for the log: the page's address,
// nothing about its reader.
func loggedOrigin(headers map[string][]string) string {
	if origins := headerValues(headers, "Origin"); len(origins) == 1 && originForm.MatchString(origins[0]) {
		return origins[0]
	}
	return "not one origin as browsers write it"
}

// describeOrigins says which pages pass.
func describeOrigins(allowed []string) string {
	if len(allowed) == 0 {
		return "pages of the requested host and of this machine"
	}
	return strings.Join(allowed, ",")
}

// ParseOrigins reads a list of origins, separated by commas. The error text starts
// with a verb; the caller adds the name of the setting as its subject.
func ParseOrigins(value string) (origins []string, err error) {
	for origin := range strings.SplitSeq(value, ",") {
		origin = strings.TrimSpace(origin)
		defaultPort := strings.HasPrefix(origin, "https:") && strings.HasSuffix(origin, ":443") ||
			strings.HasPrefix(origin, "http:") && strings.HasSuffix(origin, ":80")
		if !originForm.MatchString(origin) || defaultPort {
			return nil, errors.New("is not a list of origins such as https://shop.example: " +
				"lower case, no path, no default port")
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

// withoutDefaultPort returns a Host header as the origin of a page of that host has
// it.
func withoutDefaultPort(host, scheme string) string {
	name, port, err := net.SplitHostPort(host)
	if err == nil && (scheme == "https" && port == "443" || scheme == "http" && port == "80") {
		host = name
		if strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
	}
	return strings.ToLower(host)
}

// throughEdge reports whether a handshake has one of the secrets of the edge. Without
// secrets there is no edge. The check is needed because the API's own host names stay
// public. It compares hashes in constant time, so that timing reveals nothing.
func throughEdge(headers map[string][]string, secrets []string) bool {
	if len(secrets) == 0 {
		return true
	}
	given := headerValues(headers, edgeHeader)
	if len(given) != 1 {
		return false
	}
	got, match := sha256.Sum256([]byte(given[0])), 0
	for _, secret := range secrets {
		want := sha256.Sum256([]byte(secret))
		match |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return match == 1
}

// clientAddress returns the IP address of the client: the one that the gateway saw
// or, behind an edge, the one that the edge saw. Each of them appends its address to
// X-Forwarded-For; entries before these two may be forged by the client. The edge may
// be believed only if the handshake came through it.
func clientAddress(e authorizerEvent, cameThroughEdge bool) string {
	sourceIP := e.RequestContext.Identity.SourceIP
	if !cameThroughEdge {
		return sourceIP
	}
	chain := strings.Split(strings.Join(headerValues(e.MultiValueHeaders, "X-Forwarded-For"), ","), ",")
	if len(chain) < 2 {
		return sourceIP
	}
	viewer, err := netip.ParseAddr(strings.TrimSpace(chain[len(chain)-2]))
	if err != nil {
		return sourceIP
	}
	return viewer.String()
}

// headerValues returns all values of a header, in any letter case.
func headerValues(headers map[string][]string, name string) []string {
	var all []string
	for key, lines := range headers {
		if strings.EqualFold(key, name) {
			all = append(all, lines...)
		}
	}
	return all
}
