package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// MaxWaiting is the most memory, in bytes, of what waits to be written. Our own choice: some
// seconds of a busy hub.
const MaxWaiting = 64 << 20

// Options of a Recorder. All are required.
type Options struct {
	Header func() Header  // of a recording that begins now; Format and Version are not needed
	Before func() []Event // what was done before: the stock that is there, and faults
	Verify func(token string) (Person, bool)
	CartID func(user, role string) string // of a user's cart, as topics have it
	Log    *slog.Logger
}

// Status says what is recorded.
type Status struct {
	File   string `json:"file"`
	Events int    `json:"events"`           // lines in the file
	Failed string `json:"failed,omitempty"` // why the recording ended
}

// Errors of Start and Stop.
var (
	ErrRecording    = errors.New("a recording is under way")
	ErrNotRecording = errors.New("nothing is recorded")
)

// Recorder records what happens in a house, one recording at a time. A nil Recorder has
// nothing recorded.
type Recorder struct {
	opts Options

	mu      sync.Mutex
	current *session // nil: none
}

// New returns a Recorder that records nothing yet.
func New(o Options) *Recorder { return &Recorder{opts: o} }

// Start begins a recording. name is for its Status. The recorder closes w.
func (r *Recorder) Start(w io.WriteCloser, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil && r.current.running() {
		return ErrRecording
	}
	h := r.opts.Header()
	h.Format, h.Version = Format, Version
	s := &session{name: name, out: w, log: r.opts.Log, began: time.Now(), wake: make(chan struct{}, 1),
		ended: make(chan struct{}), people: map[string]Person{}}
	s.names = newNames(r.opts.Verify, r.opts.CartID, func(e Event) { s.write(e) })
	s.encode(h)
	for _, e := range r.opts.Before() {
		s.write(e)
	}
	if s.err != nil {
		return errors.Join(s.err, w.Close())
	}
	r.current = s
	go s.run()
	return nil
}

// Stop ends the recording when all that happened is in the file.
func (r *Recorder) Stop() (Status, error) {
	r.mu.Lock()
	s := r.current
	r.current = nil
	r.mu.Unlock()
	if s == nil {
		return Status{}, ErrNotRecording
	}
	s.stop(nil)
	<-s.ended
	status := s.status()
	if status.Failed != "" {
		return status, errors.New(status.Failed)
	}
	return status, nil
}

// Status returns what is recorded, or the recording that failed last; nil if there is none.
func (r *Recorder) Status() *Status {
	if r == nil {
		return nil
	}
	s := r.session()
	if s == nil {
		return nil
	}
	status := s.status()
	return &status
}

func (r *Recorder) session() *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// Observe records what a gateway does. It is for its API.Observe.
func (r *Recorder) Observe(_ context.Context, o gatewaytest.Observation) {
	switch o.Kind {
	case gatewaytest.ObservedOpen, gatewaytest.ObservedIn, gatewaytest.ObservedOut, gatewaytest.ObservedClose:
	default:
		return
	}
	if s := r.session(); s != nil {
		kept := o // so that without a recording nothing is on the heap
		s.put(happened{observed: &kept}, len(o.Payload)+headerSize(o.Headers)+headerSize(o.Query))
	}
}

// happened is something to be recorded.
type happened struct {
	size     int                      // in memory, bytes
	after    time.Duration            // the start
	observed *gatewaytest.Observation // or
	event    *Event                   // of a request, with names and tokens as they are
}

// session is one recording.
type session struct {
	name  string
	out   io.WriteCloser
	log   *slog.Logger
	began time.Time
	wake  chan struct{} // something waits
	ended chan struct{} // run has returned

	mu      sync.Mutex
	waiting []happened
	size    int   // bytes of what waits or is being written
	over    bool  // nothing more is taken
	cause   error // why it is over; nil: Stop
	lines   int   // in the file

	// Start, then run, use these.
	names  *names
	people map[string]Person // by the stand-in of their connection
	at     int64             // of the event that is written
	err    error             // of the file
}

func (s *session) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.over
}

func (s *session) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{File: s.name, Events: s.lines}
	if s.cause != nil {
		status.Failed = s.cause.Error()
	}
	return status
}

// fixedSize is more than anything that waits takes in memory beside its texts, in bytes.
const fixedSize = 1 << 10

// headerSize counts the bytes of headers or of a query.
func headerSize(h map[string][]string) (n int) {
	for name, values := range h {
		n += len(name)
		for _, value := range values {
			n += len(value)
		}
	}
	return n
}

// putEvent adds the event of a request to what waits.
func (s *session) putEvent(e Event) {
	size := len(e.Path) + len(e.Token) + len(e.Body)
	for name, value := range e.Headers {
		size += len(name) + len(value)
	}
	s.put(happened{event: &e}, size)
}

// put adds what happened to what waits. size is that of its texts, in bytes.
func (s *session) put(h happened, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	h.size = size + fixedSize
	if s.size+h.size > MaxWaiting {
		s.overLocked(fmt.Errorf("%d MB wait to be written: the disk is too slow", MaxWaiting>>20))
		return
	}
	h.after = time.Since(s.began)
	s.waiting = append(s.waiting, h)
	s.size += h.size
	s.wakeLocked()
}

func (s *session) wakeLocked() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// stop ends the session; err says why, nil if somebody asked for it.
func (s *session) stop(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overLocked(err)
}

func (s *session) overLocked(err error) {
	s.over = true
	if err != nil && s.cause == nil {
		s.cause, s.waiting = err, nil
	}
	s.wakeLocked()
}

// run writes what waits until the session is over.
func (s *session) run() {
	defer close(s.ended)
	for over := false; !over; {
		<-s.wake
		s.mu.Lock()
		waiting := s.waiting
		s.waiting, over = nil, s.over
		s.mu.Unlock()
		for i := range waiting {
			s.at = waiting[i].after.Milliseconds()
			s.record(&waiting[i])
			s.written(waiting[i].size)
			waiting[i] = happened{}
		}
		if s.err != nil {
			s.stop(s.err)
			over = true
		}
	}
	if err := s.out.Close(); err != nil && s.err == nil {
		s.mu.Lock()
		s.cause = errors.Join(s.cause, err)
		s.mu.Unlock()
	}
	if failed := s.status().Failed; failed != "" {
		s.log.Error("the recording has ended; the hub goes on", "file", s.name, "error", failed)
	}
}

// written makes room for something else to wait.
func (s *session) written(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size -= size
}

// record writes the event of something that happened.
func (s *session) record(h *happened) {
	switch {
	case h.event == nil:
		if e, ok := s.observed(h.observed); ok {
			s.write(e)
		}
	case h.event.Type == Token:
		s.names.token(h.event.Token) // writes the event
	default:
		s.write(s.names.request(*h.event))
	}
}

func (s *session) write(e Event) {
	e.At = s.at
	if s.encode(e); s.err != nil {
		return
	}
	s.mu.Lock()
	s.lines++
	s.mu.Unlock()
}

// encode writes a line, unless one could not be written before.
func (s *session) encode(v any) {
	if s.err != nil {
		return
	}
	line, err := json.Marshal(v)
	if err == nil {
		_, err = s.out.Write(append(line, '\n'))
	}
	s.err = err
}
