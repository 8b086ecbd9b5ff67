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

// Fit moves topics to Again until the snapshot fits into one message. It keeps, in
// the order of their names, each topic for which there is room. [MaxTopicBytes]
// leaves room for some badges even if all names are long, so a client that gets the
// topics in Again, again and again, ends with all of them.
func (s *Snapshot) Fit() {
	if s.sizeBound() <= MaxMessage || len(Encode(*s)) <= MaxMessage {
		return
	}
	all := s.Topics
	names := slices.Sorted(maps.Keys(all))
	s.Topics, s.Again = map[string]Value{}, names
	room := MaxMessage - len(Encode(*s))
	s.Again = nil
	for _, name := range names {
		// A topic that moves from Again to Topics takes the size of its value.
		value := len(NewEntry(name, all[name])) - len(quote(name))
		if value > room {
			s.Again = append(s.Again, name)
			continue
		}
		room -= value
		s.Topics[name] = all[name]
	}
}

// The size bounds below are at least as large as the encoding, in bytes. They cost
// no allocation, so that Fit encodes only the rare answer that may be too long.
const (
	intBound    = len("-9223372036854775808")
	objectBound = 128 // all fixed text of a message or a value: type, field names, punctuation
	lineBound   = len(`:{"quantity":,"version":},`) + 2*intBound
	clampBound  = len(`:{"wanted":,"got":},`) + 2*intBound
)

func (o *OK) sizeBound() int {
	n := objectBound + rawBound(o.ID) + textBound(o.Key) + 2*intBound + linesBound(o.Lines) + listBound(o.Again)
	for sku := range o.Clamped {
		n += textBound(sku) + clampBound
	}
	for sku, reason := range o.Skipped {
		n += textBound(sku) + textBound(string(reason)) + len(":,")
	}
	for sku := range o.Ordered {
		n += textBound(sku) + intBound + len(":,")
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
	const fields = len(`{"version":,"state":,"quantity":,"until":,"rev":}`)
	return fields + 2*intBound + textBound(string(b.State)) + textBound(b.Until) + textBound(b.Rev)
}

func (c Cart) sizeBound() int {
	n := len(`{"from":,"version":,"lines":,"reason":,"rev":}`) + 2*intBound + linesBound(c.Lines)
	return n + textBound(string(c.Reason)) + textBound(c.Rev)
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

func textBound(s string) int { return len(`""`) + TextSize(s) }

// rawBound is exact for an id as [Decode] reads it: encoding a raw value removes
// white space and adds nothing.
func rawBound(raw json.RawMessage) int { return len(raw) }
