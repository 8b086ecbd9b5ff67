package recording

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/securecart/hub/internal/local/jsonedit"
	"github.com/securecart/hub/internal/wire"
)

// Requests records requests to the admin API that change something, and serves them with
// next. A change by the shop's systems is recorded as the same change by the admin API.
// Refused requests are recorded too; a replay refuses them in the same way.
func (r *Recorder) Requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s := r.session()
		path := adminPath(req.URL)
		switch {
		case s == nil || path == "" || req.Method == http.MethodGet || req.Method == http.MethodHead:
			next.ServeHTTP(w, req)
		case path == "/admin/token":
			answer := &answered{ResponseWriter: w}
			next.ServeHTTP(answer, req)
			var issued struct{ Token string }
			if json.Unmarshal(answer.body.Bytes(), &issued) == nil && issued.Token != "" {
				s.putEvent(Event{Type: Token, Token: issued.Token})
			}
		default:
			s.request(Event{Type: Admin, Path: path}, w, req, next)
		}
	})
}

// REST records requests to the REST API that change something, and serves them with next.
func (r *Recorder) REST(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s := r.session()
		path := req.URL.EscapedPath()
		changes := req.Method != http.MethodGet && req.Method != http.MethodHead
		if s == nil || !changes || !strings.HasPrefix(path, "/v1/cart") {
			next.ServeHTTP(w, req)
			return
		}
		s.request(Event{Type: REST, Path: path}, w, req, next)
	})
}

// adminPath returns the path of the admin API's request that does the same; "" if none of
// those that change something.
func adminPath(u *url.URL) string {
	path := u.EscapedPath()
	switch {
	case path == "/admin/recording", path == "/admin/replay", path == "/admin/stream":
		return ""
	case strings.HasPrefix(path, "/admin/"), strings.HasPrefix(path, "/vendor/"):
		return path
	case strings.HasPrefix(path, "/v1/inventory"):
		return "/admin/stock" + strings.TrimPrefix(path, "/v1/inventory")
	case strings.HasPrefix(path, "/v1/users/"):
		return "/admin/users/" + strings.TrimPrefix(path, "/v1/users/")
	}
	return ""
}

// answered keeps the body of an answer.
type answered struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (a *answered) Write(p []byte) (int, error) {
	a.body.Write(p)
	return a.ResponseWriter.Write(p)
}

// entityTag matches that of a cart: "<epoch>.<version>".
var entityTag = regexp.MustCompile(`"[A-Za-z0-9_~-]+\.[0-9]+"`)

// request returns the event of a request with stand-ins.
func (n *names) request(e Event) Event {
	if e.Token != "" {
		e.Token = n.token(e.Token)
	}
	if user, rest, ok := cutUser(e.Path); ok {
		e.Path = "/admin/users/" + n.user(user, roleOf(user, "customer")) + rest
	}
	if id, ok := strings.CutPrefix(e.Path, "/admin/connections/"); ok {
		id, _ = url.PathUnescape(id)
		e.Path = "/admin/connections/" + url.PathEscape(n.knownConnection(id))
	}
	for name, value := range e.Headers {
		e.Headers[name] = n.text(entityTag.ReplaceAllStringFunc(value, func(tag string) string {
			epoch, version, _ := strings.Cut(strings.Trim(tag, `"`), ".")
			return `"` + n.standIn(n.epochs, epoch, "epoch") + "." + version + `"`
		}))
	}
	body, ok := jsonedit.Rewrite(e.Body, func(p jsonedit.Part) (string, bool) {
		if p.Key() == "connection" && p.Number == "" {
			return n.knownConnection(p.Text), true
		}
		if masked, ok := n.sent(p); ok && e.Type == REST {
			return masked, true
		}
		return n.part(p, Person{})
	})
	switch {
	case e.Type == REST && (!ok || len(e.Body) > wire.MaxMessage):
		body = blurred(e.Body)
	case !ok: // NDJSON
		body = n.text(e.Body)
	}
	e.Body = body
	return e
}

// cutUser returns the user that a path names, and what follows.
func cutUser(path string) (user, rest string, ok bool) {
	path, ok = strings.CutPrefix(path, "/admin/users/")
	if user, rest, _ = strings.Cut(path, "/"); rest != "" {
		rest = "/" + rest
	}
	if decoded, err := url.PathUnescape(user); err == nil {
		user = decoded
	}
	return user, rest, ok
}

// knownConnection returns the stand-in of a connection. One that is not in the recording
// has a name that no connection has.
func (n *names) knownConnection(id string) string {
	if name := n.conns[id]; name != "" {
		return name
	}
	return "connection-unknown"
}
