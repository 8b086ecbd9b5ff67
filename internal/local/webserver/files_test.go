package webserver_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/securecart/hub/internal/local/webserver"
)

func TestFiles(t *testing.T) {
	files := webserver.Files(fstest.MapFS{
		"index.html": {}, "app.js": {}, "css/a.css": {}, "help/index.html": {},
	})
	for path, want := range map[string]int{
		"/": http.StatusOK, "/app.js": http.StatusOK, "/css/a.css": http.StatusOK, "/help/": http.StatusOK,
		"/css/": http.StatusNotFound, "/css//": http.StatusNotFound, "/nothing/": http.StatusNotFound,
		"/x": http.StatusNotFound,
	} {
		w := httptest.NewRecorder()
		files.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", path, w.Code, want)
		}
	}
}
