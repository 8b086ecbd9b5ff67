// Package inspector is the page at /_hub/ of the admin listener. It shows the log of
// localhub, and everything else that it shows it asks the admin API, as any other program
// may. Its files are plain ES modules without a build step.
package inspector

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/securecart/hub/internal/local/webserver"
)

// Path begins the paths of the page.
const Path = "/_hub/"

// policy allows the page its own files and the admin API, which has the same origin: no
// inline script or style, no frames, nothing from elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed page/*.html page/*.svg page/*.js page/css/*.css page/screens/*.js
var files embed.FS

// Handler serves the page under [Path]. The page has no secret, so it needs no token: it
// asks the person for the admin API's.
func Handler() http.Handler {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the name is valid
	}
	serve := http.StripPrefix(Path[:len(Path)-1], webserver.Files(page))
	return webserver.Protect(policy, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store") // an older localhub may have had another page
		serve.ServeHTTP(w, r)
	}))
}
