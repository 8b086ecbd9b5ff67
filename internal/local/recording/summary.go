package recording

import "time"

// Conversation says what a recording has of one connection.
type Conversation struct {
	Conn     string `json:"conn"` // stand-in
	Role     string `json:"role"`
	Status   int    `json:"status"`   // HTTP status of the handshake
	Messages int    `json:"messages"` // that the client sent
	Frames   int    `json:"frames"`   // that it got
}

// Conversations returns what the recording has of each connection, in the order in which they
// were opened.
func (rec *Recording) Conversations() []Conversation {
	all := []Conversation{}
	places := map[string]int{}
	for i := range rec.Events {
		e := &rec.Events[i]
		switch e.Type {
		case Open:
			places[e.Conn] = len(all)
			all = append(all, Conversation{Conn: e.Conn, Role: e.Role, Status: e.Status})
		case In:
			all[places[e.Conn]].Messages++
		case Out:
			all[places[e.Conn]].Frames++
		}
	}
	return all
}

// Of returns the events of a connection.
func (rec *Recording) Of(conn string) []Event {
	events := []Event{}
	for i := range rec.Events {
		if rec.Events[i].Conn == conn {
			events = append(events, rec.Events[i])
		}
	}
	return events
}

// Length is the time from the start to the last event.
func (rec *Recording) Length() time.Duration {
	if len(rec.Events) == 0 {
		return 0
	}
	return time.Duration(rec.Events[len(rec.Events)-1].At) * time.Millisecond
}
