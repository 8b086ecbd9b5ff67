package webserver

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// Files serves files, and the index.html of a folder. A folder without one is not listed: it
// gets 404.
func Files(files fs.FS) http.Handler {
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			index := strings.TrimPrefix(path.Join("/", r.URL.Path, "index.html"), "/")
			if _, err := fs.Stat(files, index); err != nil {
				http.NotFound(w, r)
				return
			}
		}
		serve.ServeHTTP(w, r)
	})
}
