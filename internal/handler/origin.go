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

// edgeHeader is the header with the secret that the edge adds to every request.
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

// EdgeClient returns the IP address of the client of a request that the gateway saw come
// from sourceIP. ok is false if the request bypassed the edge: it has none of the secrets.
// Without secrets there is no edge.
//
// Behind an edge, the client is the one that the edge saw. The edge and the gateway each
// append an address to X-Forwarded-For; entries before these two may be forged.
func EdgeClient(sourceIP string, headers map[string][]string, secrets []string) (client string, ok bool) {
	if len(secrets) == 0 {
		return sourceIP, true
	}
	if !hasSecret(headers, secrets) {
		return sourceIP, false
	}
	chain := strings.Split(strings.Join(headerValues(headers, "X-Forwarded-For"), ","), ",")
	if len(chain) < 2 {
		return sourceIP, true
	}
	viewer, err := netip.ParseAddr(strings.TrimSpace(chain[len(chain)-2]))
	if err != nil {
		return sourceIP, true
	}
	return viewer.String(), true
}

// hasSecret reports whether a request has one of the secrets of the edge. The check is
// needed because the API's own host names stay public. It compares hashes in constant
// time, so that timing reveals nothing.
func hasSecret(headers map[string][]string, secrets []string) bool {
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
