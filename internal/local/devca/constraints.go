package devca

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
)

// loopback are the addresses of this machine (RFC 6890).
var loopback = []*net.IPNet{
	{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
	{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
}

// isConstrained reports whether an authority may sign for its own names only. Those of
// the first versions could sign for all.
func isConstrained(c *x509.Certificate) bool {
	return c.PermittedDNSDomainsCritical && len(c.PermittedDNSDomains) > 0 && len(c.PermittedIPRanges) > 0
}

// permit makes the authority anew unless it permits all names. It goes on to permit what
// it permitted.
func (a *Authority) permit(names []string) error {
	domains := a.cert.PermittedDNSDomains
	for _, name := range names {
		switch ip := net.ParseIP(name); {
		case ip != nil && !ip.IsLoopback():
			return fmt.Errorf("the development CA is for this machine, and %s is another one", name)
		case ip == nil && !isWithin(name, domains):
			domains = append(slices.Clone(domains), domainOf(name))
		}
	}
	if len(domains) == len(a.cert.PermittedDNSDomains) {
		return nil
	}
	return a.create(domains)
}

// isWithin reports whether a name is one of the domains, or below one.
func isWithin(name string, domains []string) bool {
	return slices.ContainsFunc(domains, func(domain string) bool {
		return name == domain || strings.HasSuffix(name, "."+domain)
	})
}

// domainOf returns the domain to permit for a name. The APIs of a Region in AWS share
// one, so that each template does not need an authority of its own:
// "abc.execute-api.eu-central-1.amazonaws.com".
func domainOf(name string) string {
	if _, domain, ok := strings.Cut(name, "."); ok && strings.HasPrefix(domain, "execute-api.") {
		return domain
	}
	return name
}
