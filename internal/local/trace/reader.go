package trace

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/wire"
)

// reader makes a history of events in the order of their ids.
type reader struct {
	h       history
	topic   string
	all     []*change            // those that the caller does not see, too
	of      map[uint64][]*change // by event
	batches map[uint64]bool
	faults  map[uint64]string
	reading map[uint64]message // messages of the user that read the topic, by event
	posts   map[uint64]*post
	open    map[uint64]int64 // posts that are not with the network: when they were accepted
	users   map[string]bool  // connections of the user
}

// message is a message that reads the topic.
type message struct {
	id         uint64
	subscribes bool
}

// read reads the log.
func read(log *events.Log, asked hub.Asked) *history {
	r := reader{
		h:  history{asked: asked, version: -1, reads: map[string]uint64{}, closed: map[string]bool{}},
		of: map[uint64][]*change{}, batches: map[uint64]bool{}, faults: map[uint64]string{},
		reading: map[uint64]message{}, posts: map[uint64]*post{}, open: map[uint64]int64{},
		users: map[string]bool{asked.Connection.ID: true},
	}
	if asked.Topic != (hub.Topic{}) {
		r.topic = asked.Topic.String()
	}
	for last, end := uint64(0), log.Newest(); last < end; {
		p := log.Read(last, events.Filter{})
		for i := range p.Events {
			r.add(&p.Events[i])
		}
		last = p.Last
	}
	r.finish()
	return &r.h
}

// add takes one event.
func (r *reader) add(e *events.Event) {
	r.h.now = e.At
	p := r.h.asked.Connection.Principal
	if e.Conn != "" && e.User == p.User && (e.Role == string(hub.RoleGuest)) == (p.Role == hub.RoleGuest) {
		r.users[e.Conn] = true
	}
	switch e.Type {
	case events.Row, events.Record, events.Sweep, events.Batch:
		r.addChange(e)
	case events.Fault:
		r.inherit(e)
		r.faults[e.ID] = e.Note
	case events.Answer:
		r.answer(e)
	case events.Open:
		if e.Conn == r.h.asked.Connection.ID {
			r.h.since = e.ID
		}
	case events.In, events.Invoke:
		r.message(e)
	case events.Post:
		r.post(e)
	case events.Out:
		r.out(e)
	case events.Close:
		r.h.closed[e.Conn] = true
	}
}

// addChange takes an event of the way from a row to the posts.
func (r *reader) addChange(e *events.Event) {
	if e.Type == events.Batch {
		for _, c := range r.inherit(e) {
			c.attempts = max(c.attempts, e.Attempt)
			c.ended, c.failed = false, false
			if c.batch == nil {
				c.batch = e
			}
		}
		r.batches[e.ID] = true
		return
	}
	if e.Topic != r.topic {
		return
	}
	found := r.inherit(e)
	switch {
	case e.Type == events.Sweep:
		for _, c := range found {
			c.swept = true
		}
	case len(found) == 0:
		c := &change{id: e.ID, at: e.At, version: int64(e.Version), row: e.Type == events.Row}
		_ = json.Unmarshal([]byte(e.Text), &c.images) // without a text they are unknown
		if e.Type == events.Record {
			c.stream = e
		}
		r.all, r.of[e.ID] = append(r.all, c), []*change{c}
	case e.Type == events.Record:
		found[0].stream = e
	}
}

// inherit makes an event one of the changes that its causes are of.
func (r *reader) inherit(e *events.Event) []*change {
	var found []*change
	for _, id := range e.Cause {
		for _, c := range r.of[id] {
			if !slices.Contains(found, c) {
				found = append(found, c)
			}
		}
	}
	if len(found) > 0 {
		r.of[e.ID] = found
	}
	return found
}

// answer takes the end of a batch, or of a message that read the topic.
func (r *reader) answer(e *events.Event) {
	for _, id := range e.Cause {
		if r.batches[id] {
			for _, c := range r.of[id] {
				c.ended, c.failed = true, e.Code != ""
			}
		}
		m, read := r.reading[id]
		if !read || e.Code != "" || e.Status >= 400 {
			continue
		}
		r.h.reads[e.Conn] = m.id
		if m.subscribes && e.Conn == r.h.asked.Connection.ID {
			r.h.since = m.id
		}
	}
}

// message takes a message of the user, and the invocation that it led to.
func (r *reader) message(e *events.Event) {
	if e.Type == events.Invoke {
		for _, id := range e.Cause {
			if m, read := r.reading[id]; read {
				r.reading[e.ID] = m
			}
		}
		return
	}
	if !r.users[e.Conn] || r.topic == "" || !strings.Contains(e.Text, r.h.asked.Topic.Name) &&
		!strings.Contains(e.Text, r.h.asked.Name) && !strings.Contains(e.Text, "vendor:") {
		return
	}
	q, err := wire.Decode([]byte(e.Text), true)
	if err != nil || q.Action != wire.ActionSubscribe && q.Action != wire.ActionGet {
		return
	}
	for _, t := range q.Topics {
		isVendor := strings.HasPrefix(t.Name, "vendor:") && r.h.asked.Topic.Kind == hub.KindSKU
		if t.Name == r.topic || t.Name == r.h.asked.Name || isVendor && q.Action == wire.ActionSubscribe {
			r.reading[e.ID] = message{e.ID, q.Action == wire.ActionSubscribe}
		}
	}
}

// post takes a post to a connection of the user.
func (r *reader) post(e *events.Event) {
	if !r.users[e.Conn] {
		return
	}
	if e.Conn == r.h.asked.Connection.ID && e.Status == 200 {
		r.open[e.ID] = e.At
	}
	p := &post{Event: *e, of: r.inherit(e)}
	for _, id := range e.Cause {
		p.fault = r.faults[id]
	}
	version, has := r.versionIn(e)
	switch {
	case !has:
		return
	case len(p.of) == 0:
		p.of = r.healed(e.Conn, version)
	}
	r.posts[e.ID] = p
	for _, c := range p.of {
		c.posts = append(c.posts, p)
	}
}

// versionIn returns the version that a message has of the topic. A text that was cut may
// have it behind its end; what came of a change of the topic is taken to have it.
func (r *reader) versionIn(e *events.Event) (version int64, has bool) {
	if r.topic == "" {
		return 0, false
	}
	if e.Topic != "" {
		return int64(e.Version), e.Topic == r.topic || e.Topic == r.h.asked.Name
	}
	name, _ := json.Marshal(r.h.asked.Name)
	_, rest, found := strings.Cut(e.Text, string(name)+":{")
	if !found {
		return 0, e.Bytes > len(e.Text) && len(r.of[e.ID]) > 0
	}
	if _, rest, found = strings.Cut(rest, `"version":`); !found {
		return 0, true
	}
	digits := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
	version, _ = strconv.ParseInt(rest[:max(digits, 0)], 10, 64)
	return version, true
}

// healed returns the changes that a connection catches up with by a version: those after
// the last one that was accepted for it.
func (r *reader) healed(conn string, version int64) []*change {
	accepted := func(p *post) bool { return p.Conn == conn && p.accepted() }
	end := len(r.all)
	for end > 0 && r.all[end-1].version > version {
		end--
	}
	start := end
	for start > 0 && !slices.ContainsFunc(r.all[start-1].posts, accepted) {
		start--
	}
	return r.all[start:end]
}

// out takes a message that was handed to the network.
func (r *reader) out(e *events.Event) {
	for _, id := range e.Cause {
		delete(r.open, id)
		if p := r.posts[id]; p != nil {
			p.out = true
		}
	}
}

// finish keeps what the caller may see.
func (r *reader) finish() {
	for _, at := range r.open {
		r.h.waits = r.h.waits || r.h.unread(at)
	}
	for _, c := range r.all {
		if c.id < r.h.since {
			r.h.version = c.version
		} else if r.h.version < 0 && c.images.Was != nil {
			r.h.version = c.images.Was.Version
		}
		if r.h.asked.Shape != hub.ShapeBadge || c.seenOnBadge() {
			r.h.changes = append(r.h.changes, c)
		}
	}
}
