package boot

import "github.com/securecart/hub/internal/versions"

// Watch returns the versions of the API that end, with the metric that counts their use.
func (e Env) Watch() versions.Watch {
	return versions.Watch{Register: e.Deprecations, OnDeprecated: e.Metrics.Deprecated}
}
