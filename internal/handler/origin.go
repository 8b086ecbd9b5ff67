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

// edgeHeader carries the secret that the edge adds to every handshake.
const edgeHeader = "X-Origin-Verify"

// originAllowed reports whether the page that opens a socket may. API Gateway lets
// every page through (G-HANDSHAKE-17), and a browser asks nobody (RFC 6455, section
// 10.2). Clients that are no pages have no Origin. allowed are origins as browsers
// write them (RFC 6454, section 6.2), compared byte by byte; without any, pages of
// the host that is connected to and of this machine pass.
func originAllowed(headers map[string][]string, allowed []string) bool {
	origins := values(headers, "Origin")
	switch {
	case len(origins) == 0:
		return true
	case len(origins) > 1:
		return false
	case len(allowed) > 0:
		return slices.Contains(allowed, origins[0])
	}
	page, err := url.Parse(origins[0])
	if err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Scheme+"://"+page.Host != origins[0] {
		return false
	}
	if at, err := netip.ParseAddr(page.Hostname()); page.Hostname() == "localhost" || err == nil && at.IsLoopback() {
		return true
	}
	hosts := values(headers, "Host")
	return len(hosts) == 1 && page.Host == withoutDefaultPort(hosts[0], page.Scheme)
}

// originForm is an origin as browsers write it: small letters, no path, no slash at
// the end (RFC 6454, section 6.2). The scheme may be an app's.
var originForm = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://(\[[0-9a-f:]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)(:[1-9][0-9]{0,4})?$`)

// ParseOrigins reads a list of origins, with commas. The error says what a list is,
// and has a verb but no subject.
func ParseOrigins(value string) (origins []string, err error) {
	for origin := range strings.SplitSeq(value, ",") {
		origin = strings.TrimSpace(origin)
		if !originForm.MatchString(origin) || strings.HasPrefix(origin, "https:") && strings.HasSuffix(origin, ":443") || strings.HasPrefix(origin, "http:") && strings.HasSuffix(origin, ":80") {
			return nil, errors.New("is not a list of origins such as https://shop.example: small letters, no path, no default port")
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

// withoutDefaultPort is a Host header as the origin of a page of that host has it.
func withoutDefaultPort(host, scheme string) string {
	if name, port, err := net.SplitHostPort(host); err == nil && (scheme == "https" && port == "443" || scheme == "http" && port == "80") {
		host = name
		if strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
	}
	return strings.ToLower(host)
}

// throughEdge reports whether a handshake has one of the secrets of the edge, if
// there are any: the API's own addresses stay open to those who know them. Secrets
// are compared by hash, in a time that tells nothing of them.
func throughEdge(headers map[string][]string, secrets []string) bool {
	if len(secrets) == 0 {
		return true
	}
	given := values(headers, edgeHeader)
	if len(given) != 1 {
		return false
	}
	got, known := sha256.Sum256([]byte(given[0])), 0
	for _, secret := range secrets {
		want := sha256.Sum256([]byte(secret))
		known |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return known == 1
}

// clientAddress is where the client is: what the gateway saw, or, behind the edge,
// what the edge saw. Each of the two appends the address it saw to X-Forwarded-For;
// what stands before these the client may have made up. secrets are those that
// throughEdge has asked for.
func clientAddress(e authorizerEvent, secrets []string) string {
	seen := e.RequestContext.Identity.SourceIP
	if len(secrets) == 0 {
		return seen
	}
	chain := strings.Split(strings.Join(values(e.MultiValueHeaders, "X-Forwarded-For"), ","), ",")
	if len(chain) < 2 {
		return seen
	}
	viewer, err := netip.ParseAddr(strings.TrimSpace(chain[len(chain)-2]))
	if err != nil {
		return seen
	}
	return viewer.String()
}

// values are all values of a header, whatever its letter case.
func values(headers map[string][]string, name string) []string {
	var all []string
	for key, lines := range headers {
		if strings.EqualFold(key, name) {
			all = append(all, lines...)
		}
	}
	return all
}
