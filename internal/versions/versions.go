// Package versions knows the versions of the API: which exist, how a request names one,
// and when one ends. Sockets and HTTP have the same versions.
//
// [Served] are those that exist, and a [Register] has those that are to end: the setting
// DEPRECATIONS. docs/operations.md says how to retire a version.
package versions

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// V1 is the version that package wire speaks.
const V1 = "v1"

// Served are the versions that exist, oldest first. One that has ended stays here, so
// that its clients learn that.
var Served = []string{V1}

// List names the versions that exist, for a text.
func List() string { return strings.Join(Served, ", ") }

// Where a request names a version beside its path or its subprotocol. The value is the
// number alone: 1.
const (
	Header = "X-API-Version"
	Query  = "version"
)

// SubprotocolPrefix begins the subprotocol of a version: "securecart.v1".
const SubprotocolPrefix = "securecart."

var (
	// ErrContradiction: a request names two versions.
	ErrContradiction = errors.New("the request names two versions")
	// ErrUnknown: a request names a version that does not exist.
	ErrUnknown = errors.New("no such version; there are: " + List())
)

// nameForm is the form of a version's name.
var nameForm = regexp.MustCompile(`^v[1-9][0-9]{0,3}$`)

// OfPath returns the version at the beginning of a path, "" if there is none.
func OfPath(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !nameForm.MatchString(name) {
		return ""
	}
	return name
}

// Named returns the versions that values of [Header] and [Query] name.
func Named(values ...[]string) []string {
	var names []string
	for _, value := range slices.Concat(values...) {
		names = append(names, "v"+strings.TrimSpace(value))
	}
	return names
}

// Choose returns the version that all names name, and the oldest one if there is no name.
func Choose(names ...string) (string, error) {
	switch {
	case len(names) == 0:
		return Served[0], nil
	case slices.ContainsFunc(names, func(name string) bool { return name != names[0] }):
		return "", ErrContradiction
	case !slices.Contains(Served, names[0]):
		return "", ErrUnknown
	}
	return names[0], nil
}

// ChooseOffered returns the version of a handshake that names versions and offers
// subprotocols. Of several offered versions it takes the first that exists, and of those
// the one that is named. Subprotocols of others do not count.
func ChooseOffered(names, subprotocols []string) (string, error) {
	var offered []string
	for _, each := range subprotocols {
		if name, ok := strings.CutPrefix(each, SubprotocolPrefix); ok && nameForm.MatchString(name) {
			offered = append(offered, name)
		}
	}
	switch {
	case len(offered) == 0:
		return Choose(names...)
	case slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(offered, name) }):
		return "", ErrContradiction
	case len(names) > 0:
		return Choose(names...)
	}
	for _, name := range offered {
		if slices.Contains(Served, name) {
			return name, nil
		}
	}
	return "", ErrUnknown
}
