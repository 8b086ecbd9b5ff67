// Package schematest has the JSON Schemas of the socket's messages. Tests write
// docs/asyncapi.yaml and docs/openapi.yaml from them, and compare with them the models
// of template.yaml, the golden messages and the types of the browser's client. CheckAnswer
// judges what handlers answer and post.
//
// Schemas of answers come from the Go types of package wire by reflection. Requests have
// one Go type for all actions, so their schemas are written here, with the limits of
// package wire; a test compares their verdicts with those of the decoder.
package schematest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/securecart/hub/internal/wire"
)

// Answers has a value of each type of message from the hub, in the order of
// docs/protocol.md.
var Answers = []wire.Answer{
	wire.Hello{}, wire.Snapshot{}, wire.Delta{}, wire.OK{}, wire.Why{}, wire.Pong{}, wire.Help{}, &wire.Error{},
	wire.Bye{},
}

// Kind returns the "type" of an answer.
func Kind(a wire.Answer) string {
	var head struct{ Type string }
	if err := json.Unmarshal(wire.Encode(a), &head); err != nil {
		panic(err) // every Answer is a JSON object
	}
	return head.Type
}

// Name returns the name of the schema of a type.
func Name(v any) string {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// NewRegistry returns an empty registry, which knows the values of the named types of
// package wire. prefix stands before the names of schemas in references.
func NewRegistry(prefix string) huma.Registry {
	r := huma.NewMapRegistry(prefix, huma.DefaultSchemaNamer)
	for _, known := range providers {
		r.RegisterTypeAlias(known.of, reflect.TypeOf(known.schema))
	}
	return r
}

// AddAnswers adds the schemas of answers to a registry, with what their Go types do not
// say: the type, lines that were removed, units.
func AddAnswers(r huma.Registry, answers ...wire.Answer) {
	all := r.Map()
	for _, a := range answers {
		r.Schema(reflect.TypeOf(a), true, "")
		s := all[Name(a)]
		s.Properties["type"] = &huma.Schema{Type: "string", Enum: []any{Kind(a)}}
		s.Required = append([]string{"type"}, s.Required...)
	}
	if ok := all["OK"]; ok != nil {
		ok.Required = slices.DeleteFunc(ok.Required, func(name string) bool { return name == "ordered" }) // omitzero
	}
	if line := all["Line"]; line != nil {
		line.Nullable = true // a removed line
	}
	for place, text := range descriptions {
		name, field, _ := strings.Cut(place, ".")
		switch s := all[name]; {
		case s == nil: // the caller has no use for it
		case s.Properties[field] == nil:
			panic(fmt.Sprintf("%s has no field %s", name, field))
		default:
			s.Properties[field].Description = text
		}
	}
}

// NewSocketRegistry returns a registry with all answers as they are on the socket: the
// name of a topic tells what its value is, and absent lists are left out.
func NewSocketRegistry(prefix string) huma.Registry {
	r := NewRegistry(prefix)
	AddAnswers(r, Answers...)
	for _, s := range r.Map() {
		for _, field := range s.Properties {
			field.Nullable = false
		}
		if topics := s.Properties["topics"]; topics != nil && topics.Type == "object" {
			topics.AdditionalProperties = false
			topics.Extensions = map[string]any{"patternProperties": map[string]*huma.Schema{
				"^sku:":      r.Schema(reflect.TypeFor[wire.Badge](), true, ""),
				"^cart(:|$)": r.Schema(reflect.TypeFor[wire.Cart](), true, ""),
				"^vendor:":   r.Schema(reflect.TypeFor[wire.Vendor](), true, ""),
			}}
		}
	}
	return r
}

// descriptions are those of fields that need one: units, and what their absence means.
var descriptions = map[string]string{
	"Hello.expires":         "when the session expires, in ms since 1970; absent: never",
	"Hello.expiresIn":       "seconds until the session expires, rounded down; absent: never",
	"Hello.guestToken":      "of guests only: connects as the same guest again",
	"Hello.notice":          "why the token of the handshake was refused",
	"Hello.pingEvery":       "in seconds; absent: each ping is billed",
	"Hello.reconnectAfter":  "in seconds; the gateway ends the connection a little later",
	"Hello.role":            "guest, customer, vendor or admin",
	"Hello.reconnectWithin": "seconds in which to spread the first attempt after a break without a bye; absent: 5",

	"Limits.idle":     "seconds of silence in both directions, after which the gateway closes",
	"Limits.message":  "in bytes",
	"Limits.messages": "in ten seconds; absent: no limit",
	"Limits.skus":     "of guests: different SKUs in an hour; absent: no limit",

	"Deprecation.deprecated": "a date, as 2027-01-01; from then on clients should use the successor",
	"Deprecation.sunset":     "a date; from then on every message is answered with a bye",

	"Snapshot.again":     "topics that did not fit; a get returns them",
	"Snapshot.refused":   "topics that are not in the answer, and why",
	"Snapshot.unchanged": "number of SKUs that are left out, because the client has their newest version",

	"Badge.quantity": "while the state is low; always for those who see exact figures",
	"Badge.rev":      "of deltas only: orders changes that the version does not order",
	"Badge.until":    "with the state back: the date when the item is expected, as 2026-12-24",
	"Cart.from":      "the lines are those that changed after this version; absent: the whole cart",
	"Cart.lines":     "by SKU; null: the line was removed",
	"Cart.reason":    "why the lines that were there before are gone",
	"Cart.rev":       "of deltas only: orders changes that the version does not order",
	"Vendor.more":    "a get with the last SKU as after returns the next ones",

	"OK.again":     `"cart": the lines did not fit; a get returns them`,
	"OK.clamped":   "lines that stock or a limit reduced, by SKU",
	"OK.duplicate": "the key was used before; this is the answer to its first use",
	"OK.from":      "the version of the cart before the request",
	"OK.ordered":   "of a checkout only: what the cart had, by SKU",
	"OK.skipped":   "of a merge only: lines of which nothing was taken over, and why",
	"OK.version":   "the version of the cart after the request",

	"Step.ms": "after the first step",

	"Why.badge":   "of a SKU, as a get tells it",
	"Why.changed": "when the row last changed, in ms since 1970; absent: unknown, or not for this client",
	"Why.message": "for people, with what to do; the wording may change",
	"Why.path":    "of the last change to this connection, as far as the hub has seen it",
	"Why.topic":   "as the request names it; absent: the connection",
	"Why.version": "the newest version, as a get tells it",

	"Error.after":   "ms to wait before a retry",
	"Error.lines":   "the named lines as they are now",
	"Error.message": "for people; the wording may change",
	"Error.retry":   "the same request may succeed later",
	"Error.version": "the version of the cart now",

	"Bye.after": "ms to wait before a new connection",
	"Bye.code":  "recycle, or gone_version: this version of the protocol has ended",
	"Bye.retry": "whether the client should connect again",
}
