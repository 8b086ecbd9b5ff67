package wire

import (
	"encoding/json"
	"maps"
	"slices"
)

// Fit drops the lines of an answer that is too long for one message and names the
// cart in Again. This happens only if every line of a full cart with long names is
// clamped.
func (o *OK) Fit() {
	if o.sizeBound() <= MaxMessage || len(Encode(*o)) <= MaxMessage {
		return
	}
	o.Lines, o.Again = map[string]*Line{}, []string{"cart"}
}

// Fit moves topics to Again until the snapshot fits into one message. It keeps
// topics in the order of their names.
func (s *Snapshot) Fit() {
	if s.sizeBound() <= MaxMessage || len(Encode(*s)) <= MaxMessage {
		return
	}
	rest := *s
	rest.Topics, rest.Again = map[string]Value{}, nil
	room := MaxMessage - len(Encode(rest)) - len(`,"again":[]`)
	names := slices.Sorted(maps.Keys(s.Topics))
	for _, name := range names {
		room -= len(quote(name)) + len(",") // reserved: the name may end up in Again
	}
	for _, name := range names {
		size := len(NewEntry(name, s.Topics[name])) + len(",")
		if room -= size; room < 0 {
			s.Again = append(s.Again, name)
			delete(s.Topics, name)
		}
	}
}

// The size bounds below are at least as large as the encoding, in bytes. They cost
// no allocation, so that Fit encodes only the rare answer that may be too long.
const (
	intBound    = len("-9223372036854775808")
	objectBound = 128 // all fixed text of a message or a value: type, field names, punctuation
	lineBound   = len(`:{"quantity":,"version":},`) + 2*intBound
	clampBound  = len(`:{"wanted":,"got":},`) + 2*intBound
	escapeBound = len(`\u0000`) // of one byte
)

func (o *OK) sizeBound() int {
	n := objectBound + rawBound(o.ID) + textBound(o.Key) + 2*intBound + linesBound(o.Lines) + listBound(o.Again)
	for sku := range o.Clamped {
		n += textBound(sku) + clampBound
	}
	return n
}

func (s *Snapshot) sizeBound() int {
	n := objectBound + rawBound(s.ID) + textBound(s.Epoch) + intBound + listBound(s.Again)
	for name, value := range s.Topics {
		n += textBound(name) + len(":,")
		if value != nil {
			n += value.sizeBound()
		} else {
			n += len("null")
		}
	}
	for name, code := range s.Refused {
		n += textBound(name) + textBound(string(code)) + len(":,")
	}
	return n
}

func (b Badge) sizeBound() int {
	return len(`{"version":,"state":,"quantity":,"rev":}`) + 2*intBound + textBound(string(b.State)) + textBound(b.Rev)
}

func (c Cart) sizeBound() int {
	return len(`{"from":,"version":,"lines":,"rev":}`) + 2*intBound + linesBound(c.Lines) + textBound(c.Rev)
}

func (v Vendor) sizeBound() int { return len(`{"skus":,"more":true}`) + listBound(v.SKUs) }

func linesBound(lines map[string]*Line) int {
	n := len("null")
	for sku := range lines {
		n += textBound(sku) + lineBound
	}
	return n
}

func listBound(texts []string) int {
	n := len("null")
	for _, s := range texts {
		n += textBound(s) + len(",")
	}
	return n
}

// textBound is exact for names and topics, which need no escape.
func textBound(s string) int {
	if allBytes(s, isTopicByte) {
		return len(s) + len(`""`)
	}
	return escapeBound*len(s) + len(`""`)
}

// rawBound is exact for an id as [Decode] reads it: encoding a raw value removes
// white space and adds nothing.
func rawBound(raw json.RawMessage) int { return len(raw) }
