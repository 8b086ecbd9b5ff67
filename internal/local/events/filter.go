package events

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Filter selects events. Zero fields select all.
type Filter struct {
	After uint64 // only events with greater ids
	User  string
	Conn  string
	Topic string // the event's own, or one in its text
	Types []Type
	Dir   string // DirIn, DirOut
}

// ParseFilter reads the filter of a request's query. The names of other parameters that
// the request may have are in others.
func ParseFilter(q url.Values, others ...string) (Filter, error) {
	f := Filter{User: q.Get("user"), Conn: q.Get("conn"), Topic: q.Get("topic"), Dir: q.Get("dir")}
	known := append([]string{"after", "user", "conn", "topic", "type", "dir"}, others...)
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch {
		case !slices.Contains(known, name):
			return f, fmt.Errorf("there is no %q; there are %s", cut(name, 80), strings.Join(known, ", "))
		case name != "type" && len(q[name]) > 1:
			return f, fmt.Errorf("%q may occur once", name)
		}
	}
	if after := q.Get("after"); after != "" {
		var err error
		if f.After, err = strconv.ParseUint(after, 10, 64); err != nil {
			return f, fmt.Errorf(`"after" must be the id of an event: a whole number`)
		}
	}
	for _, t := range q["type"] {
		if !slices.Contains(Types, Type(t)) {
			return f, fmt.Errorf(`"type" %q: must be one of %s`, t, list(Types))
		}
		f.Types = append(f.Types, Type(t))
	}
	if f.Dir != "" && f.Dir != DirIn && f.Dir != DirOut {
		return f, fmt.Errorf(`"dir" must be in or out`)
	}
	return f, nil
}

func list(types []Type) string {
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}

// Match reports whether the filter selects an event.
func (f *Filter) Match(e *Event) bool {
	return e.ID > f.After &&
		(f.User == "" || e.User == f.User) &&
		(f.Conn == "" || e.Conn == f.Conn) &&
		(f.Dir == "" || e.Dir == f.Dir) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, e.Type)) &&
		(f.Topic == "" || e.Topic == f.Topic || strings.Contains(e.Text, `"`+f.Topic+`"`))
}
