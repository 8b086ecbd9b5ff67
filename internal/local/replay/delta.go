package replay

import (
	"maps"
	"slices"
)

// gotDelta compares the topics of a delta, each by itself: deltas may be split and merged in
// another way than in the recording. What counts is the value in which it ends.
func (c *conversation) gotDelta(message map[string]any, text string) {
	topics, _ := message["topics"].(map[string]any)
	epoch, _ := message["epoch"].(string)
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		entry, _ := topics[name].(map[string]any)
		e := early{c.names.recordedTopic(name), epoch, entry, text}
		if c.isEarly(e.name) {
			c.held = append(c.held, e)
		} else if !c.gotEarly(e) {
			return
		}
	}
}

// early is a topic of a delta that came before the answer that has the topic first.
type early struct {
	name, epoch string
	entry       map[string]any
	text        string // the delta
}

// isEarly reports whether an answer that must still come has a topic whose versions nothing
// has told yet. A change and a subscription pass each other: the delta of the change may come
// first, and it need not be the one that the recording has first.
func (c *conversation) isEarly(name string) bool {
	if _, known := c.offsets[c.topic(name)]; known {
		return false
	}
	return slices.ContainsFunc(c.frames, func(f *frame) bool {
		return !f.done && f.answer && f.first <= c.requests && c.tells(f, name)
	})
}

// tells reports whether an answer has the version of a topic.
func (c *conversation) tells(f *frame, name string) bool {
	if f.message == nil {
		return slices.ContainsFunc(wordsVersion.FindAllStringSubmatch(f.text, -1), func(m []string) bool {
			return wordsTopic(m[1], c.cart) == c.topic(name)
		})
	}
	topics, _ := f.message["topics"].(map[string]any)
	entry, _ := topics[name].(map[string]any)
	ofCart := c.topic(name) == c.cart && number(f.message["version"]) != 0
	return ofCart || number(entry["version"]) != 0
}

// gotEarly compares a topic of a delta. It returns false if it differs.
func (c *conversation) gotEarly(e early) bool {
	d := c.gotEntry(e.name, e.epoch, e.entry)
	if d != nil {
		d.GotFrame = e.text
		c.differs(*d)
	}
	return d == nil
}

// gotHeld compares what came before its answer.
func (c *conversation) gotHeld() {
	held := c.held
	c.held = nil
	for _, e := range held {
		if c.isEarly(e.name) {
			c.held = append(c.held, e)
		} else if !c.gotEarly(e) {
			return
		}
	}
}

// gotEntry compares the new value of a topic.
func (c *conversation) gotEntry(name, epoch string, entry map[string]any) *Difference {
	waiting := c.topics[name]
	topic := c.topic(name)
	if len(waiting) > 0 {
		c.offsets.match(topic, number(waiting[0].entry["version"]), number(entry["version"]))
	}
	at := place{path: "topics" + member(name, false), key: name, topic: topic, depth: 2}
	for i, w := range waiting {
		if c.sameVersion(topic, w.entry, entry) && c.entry(w.entry, entry, at) == nil {
			if d := c.value(w.frame.message["epoch"], epoch, place{path: "epoch", key: "epoch", depth: 1}); d != nil {
				return d.in(w.frame)
			}
			c.entriesCome(name, i+1)
			return nil
		}
	}
	if c.notNew(topic, name, entry) || c.onTheWay(topic, waiting, entry) {
		return nil
	}
	if len(waiting) == 0 && c.leaving {
		return nil
	}
	if len(waiting) == 0 {
		return &Difference{Frame: len(c.frames) + 1, Kind: "delta", Path: at.path, Got: show(entry), Recorded: "none"}
	}
	w := waiting[0]
	for _, other := range waiting {
		if c.sameVersion(topic, other.entry, entry) {
			w = other
			break
		}
	}
	d := c.entry(w.entry, entry, at)
	return d.in(w.frame)
}

// in is the difference as one of a delta of the recording.
func (d *Difference) in(delta *frame) *Difference {
	d.Frame, d.Kind, d.RecordedFrame = delta.number, delta.kind, delta.text
	return d
}

// entry compares two values of a topic. Two steps of a cart that begin at different versions
// are alike if the longer one has the lines of the shorter. A whole cart is a step from the
// beginning.
func (c *comparer) entry(recorded, got map[string]any, at place) *Difference {
	d := c.object(recorded, got, at)
	rLines, isCart := recorded["lines"].(map[string]any)
	gLines, _ := got["lines"].(map[string]any)
	rFrom, gFrom := c.offsets.actual(at.topic, number(recorded["from"])), number(got["from"])
	if d == nil || !isCart || gLines == nil || rFrom == gFrom {
		return d
	}
	r, g := maps.Clone(recorded), maps.Clone(got)
	delete(r, "from")
	delete(g, "from")
	if rFrom < gFrom {
		r["lines"], g["lines"] = common(rLines, gLines)
	} else {
		g["lines"], r["lines"] = common(gLines, rLines)
	}
	return c.object(r, g, at)
}

// common returns the lines of a longer step that a shorter one has too, and the lines of the
// shorter one without those that were removed and that the longer one never had.
func common(longer, shorter map[string]any) (both, rest map[string]any) {
	both, rest = map[string]any{}, map[string]any{}
	for sku, line := range shorter {
		if had, ok := longer[sku]; ok {
			both[sku] = had
		} else if line == nil {
			continue
		}
		rest[sku] = line
	}
	return both, rest
}

// sameVersion reports whether two values are of the same version, and both have a rev or
// none.
func (c *comparer) sameVersion(topic string, recorded, got map[string]any) bool {
	return c.offsets.actual(topic, number(recorded["version"])) == number(got["version"]) &&
		(recorded["rev"] == nil) == (got["rev"] == nil)
}

// notNew reports whether a client that has what came so far takes nothing of a value: it is
// as old as what is shown, or older.
func (c *conversation) notNew(topic, name string, entry map[string]any) bool {
	shown, ok := c.shown[name]
	return ok && entry["rev"] == nil &&
		number(entry["version"]) <= c.offsets.actual(topic, number(shown.entry["version"]))
}

// onTheWay reports whether a value lies between what is shown and one that will come: the
// recording has both in one delta.
func (c *conversation) onTheWay(topic string, waiting []value, entry map[string]any) bool {
	return len(waiting) > 0 && entry["rev"] == nil &&
		number(entry["version"]) < c.offsets.actual(topic, number(waiting[0].entry["version"]))
}

// entriesCome notes that the first n values of a topic have come, or were merged.
func (c *conversation) entriesCome(name string, n int) {
	for _, w := range c.topics[name][:n] {
		c.shown[name] = w
		if w.frame.left--; w.frame.left == 0 {
			w.frame.done = true
		}
	}
	c.topics[name] = c.topics[name][n:]
}

// settled reports whether a delta brought nothing that an answer did not have already.
func (c *conversation) settled(f *frame) bool {
	if f.kind != "delta" {
		return f.done
	}
	for name, waiting := range c.topics {
		n := 0
		for n < len(waiting) && waiting[n].frame.number <= f.number && c.notNewRecorded(name, waiting[n].entry) {
			n++
		}
		for _, w := range waiting[:n] {
			if w.frame.left--; w.frame.left == 0 {
				w.frame.done = true
			}
		}
		c.topics[name] = waiting[n:]
	}
	return f.done
}

// notNewRecorded is notNew for a value of the recording.
func (c *conversation) notNewRecorded(name string, entry map[string]any) bool {
	shown, ok := c.shown[name]
	return ok && shown.frame.kind == "snapshot" && entry["rev"] == nil &&
		number(entry["version"]) <= number(shown.entry["version"])
}
