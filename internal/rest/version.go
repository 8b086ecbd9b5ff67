package rest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/securecart/hub/internal/versions"
	"github.com/securecart/hub/internal/wire"
)

// Codes of requests with a version that is not served. One that has ended has
// wire.CodeGoneVersion.
const (
	codeBadVersion     wire.Code = "bad_version"
	codeUnknownVersion wire.Code = "unknown_version"
)

var (
	errTwoVersions error = &wire.Error{Code: codeBadVersion, Message: "name one version: v1 in the path, and its " +
		"number 1 in the header " + versions.Header + " and in ?" + versions.Query}
	errUnknownVersion error = &wire.Error{Code: codeUnknownVersion, Message: versions.ErrUnknown.Error()}
)

// endedError refuses a request with a version that has ended.
type endedError struct{ error }

func (e endedError) Unwrap() error { return e.error }

// checkVersion returns the error of a request that names two versions, or one that does
// not exist or has ended. It counts a deprecated version, and sets the headers that
// announce the end of one.
func (a api) checkVersion(h http.Header, r *http.Request) error {
	h.Add("Vary", versions.Header)
	named := versions.Named(r.Header.Values(versions.Header), r.URL.Query()[versions.Query])
	if name := versions.OfPath(r.URL.Path); name != "" {
		named = append(named, name)
	}
	name, err := versions.Choose(named...)
	switch {
	case errors.Is(err, versions.ErrContradiction):
		return errTwoVersions
	case err != nil:
		return errUnknownVersion
	}
	d, ok := a.o.Versions.Of(name)
	if !ok || len(named) == 0 {
		return nil
	}
	now := a.h.Now()
	setDeprecation(h, r, d)
	if r.Method != http.MethodOptions { // a preflight is the browser's
		a.o.Versions.Count(r.Context(), d, now)
	}
	if !d.EndedAt(now) {
		return nil
	}
	return endedError{&wire.Error{Code: wire.CodeGoneVersion, Message: fmt.Sprintf("%s ended on %s; use %s: %s",
		d.Version, d.Sunset.Format(time.DateOnly), d.Successor, d.Link)}}
}

// setDeprecation announces the end of a version: RFC 9745, RFC 8594 (section 3) and RFC
// 5829 (section 3.4). The successor of a resource has its path. The link is relative,
// because the stage of a REST API may stand before the path.
func setDeprecation(h http.Header, r *http.Request, d versions.Deprecation) {
	h.Set("Deprecation", fmt.Sprintf("@%d", d.Deprecated.Unix()))
	h.Set("Sunset", d.Sunset.UTC().Format(http.TimeFormat))
	h.Add("Link", fmt.Sprintf(`<%s>; rel="deprecation"`, d.Link))
	if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/"+d.Version+"/"); ok {
		up := strings.Repeat("../", strings.Count(rest, "/")+1)
		h.Add("Link", fmt.Sprintf(`<%s%s/%s>; rel="successor-version"`, up, d.Successor, rest))
	}
}
