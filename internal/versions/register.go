package versions

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MinNotice is the least time between the two dates of a deprecation: half a year. Our own
// choice.
const MinNotice = 183 * 24 * time.Hour

// Deprecation says when a version ends, and what follows it. Both times are the beginning
// of a day, UTC.
type Deprecation struct {
	Version    string    // "v1"
	Deprecated time.Time // clients should use the successor
	Sunset     time.Time // the version is served no more
	Successor  string    // "v2"; another hub may serve it
	Link       string    // an https URL for people who have to change a client
}

// ActiveAt reports whether the version is deprecated at a time.
func (d Deprecation) ActiveAt(t time.Time) bool {
	return !d.Deprecated.IsZero() && !t.Before(d.Deprecated)
}

// EndedAt reports whether the version has ended at a time.
func (d Deprecation) EndedAt(t time.Time) bool { return !d.Sunset.IsZero() && !t.Before(d.Sunset) }

// String returns the deprecation in the form of [Parse].
func (d Deprecation) String() string {
	return fmt.Sprintf("%s: deprecated %s, sunset %s, successor %s, link %s", d.Version,
		d.Deprecated.Format(time.DateOnly), d.Sunset.Format(time.DateOnly), d.Successor, d.Link)
}

// Register has the versions that are to end. nil: none is.
type Register []Deprecation

// Of returns the deprecation of a version. The zero value, with ok false, is never active.
func (r Register) Of(version string) (d Deprecation, ok bool) {
	for _, d := range r {
		if d.Version == version {
			return d, true
		}
	}
	return Deprecation{}, false
}

// String returns the register in the form of [Parse].
func (r Register) String() string {
	texts := make([]string, len(r))
	for i, d := range r {
		texts[i] = d.String()
	}
	return strings.Join(texts, "; ")
}

// Watch is a register, and counts the use of what is in it.
type Watch struct {
	Register

	// OnDeprecated is called for each connection and each HTTP request with a deprecated
	// version. nil: nothing is.
	OnDeprecated func(context.Context)
}

// Count counts a use of a version at a time.
func (w Watch) Count(ctx context.Context, d Deprecation, now time.Time) {
	if d.ActiveAt(now) && w.OnDeprecated != nil {
		w.OnDeprecated(ctx)
	}
}

// Parse reads a register. Deprecations are separated by semicolons, and each has this form:
//
//	v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2
//
// The error does not quote the text.
func Parse(text string) (Register, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var r Register
	for each := range strings.SplitSeq(text, ";") {
		d, err := parseOne(strings.TrimSpace(each))
		if err != nil {
			return nil, err
		}
		if _, twice := r.Of(d.Version); twice {
			return nil, fmt.Errorf("deprecates %s twice", d.Version)
		}
		r = append(r, d)
	}
	return r, nil
}

// entryForm is the form of one deprecation.
var entryForm = regexp.MustCompile(`^(v\d+): *deprecated (\d{4}-\d\d-\d\d), *sunset (\d{4}-\d\d-\d\d), *` +
	`successor (v\d+), *link (\S+)$`)

var errForm = errors.New("is not of the form " +
	`"v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2"`)

func parseOne(text string) (Deprecation, error) {
	m := entryForm.FindStringSubmatch(text)
	if m == nil {
		return Deprecation{}, errForm
	}
	d := Deprecation{Version: m[1], Successor: m[4], Link: m[5]}
	var errs [2]error
	d.Deprecated, errs[0] = time.Parse(time.DateOnly, m[2])
	d.Sunset, errs[1] = time.Parse(time.DateOnly, m[3])
	switch {
	case errors.Join(errs[:]...) != nil:
		return Deprecation{}, fmt.Errorf("has a date for %s that no calendar has", d.Version)
	case !slices.Contains(Served, d.Version):
		return Deprecation{}, fmt.Errorf("deprecates a version that does not exist; there are: %s", List())
	case !nameForm.MatchString(d.Successor) || d.Successor == d.Version:
		return Deprecation{}, fmt.Errorf("names a successor of %s that is no other version", d.Version)
	case !isLink(d.Link):
		return Deprecation{}, fmt.Errorf("has a link for %s that is not an https URL", d.Version)
	}
	if notice := d.Sunset.Sub(d.Deprecated); notice < MinNotice {
		const day = 24 * time.Hour
		return Deprecation{}, fmt.Errorf("ends %s %d days after it is deprecated; the least is %d",
			d.Version, notice/day, MinNotice/day)
	}
	return d, nil
}

// isLink reports whether a text is an https URL that may stand in a Link header (RFC 8288)
// and in a setting.
func isLink(text string) bool {
	u, err := url.Parse(text)
	outside := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"\,;`, r) }
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && !strings.ContainsFunc(text, outside)
}
