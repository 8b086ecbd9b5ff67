package host

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/redact"
)

// checkServices refuses endpoints of services that the API does not call, and URLs
// that are none.
func (h *Host) checkServices() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(h.opts.Services)) {
		address := h.opts.Services[name]
		if !slices.Contains(h.api.Services, name) {
			errs = append(errs, fmt.Errorf("-service %s: the API calls %s", name, orNone(h.api.Services)))
		}
		parsed, err := url.Parse(address)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			errs = append(errs, fmt.Errorf("-service %s=%s: must be http://HOST or https://HOST", name, redact.URL(address)))
		}
	}
	return errors.Join(errs...)
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "no AWS service itself"
	}
	return "only " + strings.Join(names, ", ")
}

// services returns the endpoints of the API's services. Requests are signed with the
// access key that functions have too.
func (h *Host) services() map[string]gatewaytest.ServiceEndpoint {
	endpoints := map[string]gatewaytest.ServiceEndpoint{}
	for _, name := range h.api.Services {
		if address := h.endpoint(name); address != "" {
			endpoints[name] = gatewaytest.ServiceEndpoint{URL: address, Credential: account.Credential}
		}
	}
	return endpoints
}

// endpoint returns where a service is, or "". The default for execute-api is this
// host, whose routes post to its own @connections.
func (h *Host) endpoint(service string) string {
	if address := h.opts.Services[service]; address != "" || service != "execute-api" {
		return address
	}
	return "http://" + h.opts.Addr
}

// writeServices lists the services that the API calls, with what to type for those
// without an endpoint.
func (h *Host) writeServices(b *strings.Builder) {
	for _, name := range h.api.Services {
		where := redact.URL(h.endpoint(name))
		if where == "" {
			where = "nowhere: its routes answer \"Internal server error\"; add -service " + name + "=http://127.0.0.1:PORT"
		}
		fmt.Fprintf(b, "  service       %s  %s\n", name, where)
	}
}
