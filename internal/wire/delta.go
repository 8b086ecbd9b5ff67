package wire

// Entry is one encoded topic of a delta. It is encoded once for all subscribers.
type Entry []byte

// NewEntry encodes the value of one topic.
func NewEntry(name string, v Value) Entry {
	e := append(quote(name), ':')
	return append(e, quote(v)...)
}

// WithRev returns a value with a rev. A vendor's list has none.
func WithRev(v Value, rev string) Value {
	switch v := v.(type) {
	case Badge:
		v.Rev = rev
		return v
	case Cart:
		v.Rev = rev
		return v
	}
	return v
}

// EncodeDeltas packs entries, in order, into as few messages of at most limit bytes as
// possible. An entry that is larger has a message of its own. The bytes are those of
// [Encode] for a [Delta] with its topics in that order.
func EncodeDeltas(epoch string, entries []Entry, limit int) [][]byte {
	head := `{"type":"delta","epoch":` + string(quote(epoch)) + `,"topics":{`
	const tail = "}}"
	var messages [][]byte
	var m []byte
	for _, e := range entries {
		if m != nil && len(m)+1+len(e)+len(tail) > limit {
			messages = append(messages, append(m, tail...))
			m = nil
		}
		if m == nil {
			m = append(make([]byte, 0, len(head)+len(e)+len(tail)), head...)
		} else {
			m = append(m, ',')
		}
		m = append(m, e...)
	}
	if m != nil {
		messages = append(messages, append(m, tail...))
	}
	return messages
}
