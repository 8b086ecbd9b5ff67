package admin

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// parameters are those of requests that have any, by the pattern of the request.
var parameters = map[string][]string{
	"GET /admin/recordings/{file}": {"conn"},
	"GET /admin/stock":             {"after"},
	"GET /admin/topics":            {"prefix"},
	"GET /admin/why":               {"conn", "topic"},
}

// strictQuery refuses queries that cannot be read, and parameters that a request does not have:
// a misspelled one would be ignored. Requests for events check their own names.
func strictQuery(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		_, path, _ := strings.Cut(pattern, " ")
		if !strings.HasPrefix(path, "/admin/") && !strings.HasPrefix(path, "/vendor/") {
			mux.ServeHTTP(w, r) // a page, the REST API, or nothing
			return
		}
		q, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			refuse(w, wire.CodeBadField, "the query cannot be read: it is not percent-encoded")
			return
		}
		if pattern != "GET /admin/events" && pattern != "GET "+tapPath {
			err = checkNames(q, parameters[pattern])
		}
		if err != nil {
			refuse(w, wire.CodeBadField, err.Error())
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// checkNames fails if a query has a name that is not known, or one of them twice.
func checkNames(q url.Values, known []string) error {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch {
		case len(known) == 0:
			return fmt.Errorf("there is no %q: this request has no parameters", wire.Clip(name))
		case !slices.Contains(known, name):
			return fmt.Errorf("there is no %q; there are %s", wire.Clip(name), strings.Join(known, ", "))
		case len(q[name]) > 1:
			return fmt.Errorf("%q may occur once", name)
		}
	}
	return nil
}
