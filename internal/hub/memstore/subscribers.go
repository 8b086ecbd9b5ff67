package memstore

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// list names a list of subscribers. Those that may see exact figures of a SKU are in a list
// of their own, see [hub.Audience].
type list struct {
	topic hub.Topic
	exact bool
}

// subscribers are those of a topic. A row is never changed, only replaced: the rows of one
// connection and one message are the same memory.
type subscribers struct {
	topic hub.Topic         // one copy of its name, for all connections
	rows  []*hub.Subscriber // by connection
}

func (s *subscribers) find(id string) (index int, found bool) {
	return slices.BinarySearchFunc(s.rows, id, func(row *hub.Subscriber, id string) int {
		return cmp.Compare(row.ConnectionID, id)
	})
}

func (s *subscribers) put(row *hub.Subscriber) {
	if i, found := s.find(row.ConnectionID); found {
		s.rows[i] = row
	} else {
		s.rows = slices.Insert(s.rows, i, row)
	}
}

// page returns the rows after a connection, at most limit.
func (s *subscribers) page(after string, limit int) (found []hub.Subscriber, next string) {
	start, known := s.find(after)
	if known {
		start++
	}
	end := min(start+limit, len(s.rows))
	found = make([]hub.Subscriber, 0, end-start)
	for _, row := range s.rows[start:end] {
		found = append(found, *row)
	}
	if end < len(s.rows) && end > start {
		next = s.rows[end-1].ConnectionID
	}
	return found, next
}

// subscribersLocked returns the subscribers of a list, and creates it if necessary.
func (s *Store) subscribersLocked(l list) *subscribers {
	subs := s.subscribers[l]
	if subs == nil {
		l.topic.Name = strings.Clone(l.topic.Name) // it may be a small part of a message
		subs = &subscribers{topic: l.topic}
		s.subscribers[l] = subs
	}
	return subs
}

func (s *Store) removeSubscriberLocked(l list, id string) {
	subs := s.subscribers[l]
	if subs == nil {
		return
	}
	if i, found := subs.find(id); found {
		subs.rows = slices.Delete(subs.rows, i, i+1)
	}
	s.dropEmptyLocked(l, subs)
}

// expireSubscribersLocked removes subscriptions that are too old. They may outlive the row of
// their connection.
func (s *Store) expireSubscribersLocked(expired func(connectedAt time.Time) bool) {
	for l, subs := range s.subscribers {
		subs.rows = slices.DeleteFunc(subs.rows, func(row *hub.Subscriber) bool { return expired(row.ConnectedAt) })
		s.dropEmptyLocked(l, subs)
	}
}

func (s *Store) dropEmptyLocked(l list, subs *subscribers) {
	if len(subs.rows) == 0 {
		delete(s.subscribers, l)
	}
}
