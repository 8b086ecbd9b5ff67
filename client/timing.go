package client

import "time"

// The durations of the client, equal to those of web/src/timing.js, which has the reasons.
const (
	firstWait       = 500 * time.Millisecond // the longest wait before the first reconnect
	longestWait     = 30 * time.Second       // and before any later one
	reconnectWithin = 5 * time.Second        // a break is spread over this, unless hello says another time
	answerWithin    = 15 * time.Second       // a connection is dead if a request gets no answer for this long
	connectWithin   = 8 * time.Second        // a handshake
	keepAliveEvery  = 510 * time.Second      // before API Gateway's idle end after 10 min (G-LIMIT-4)
	proofWithin     = 3 * time.Second        // a ping
	heldFor         = 20 * time.Second       // failures are forgotten after a connection lived this long
	tokenWithin     = 10 * time.Second       // Options.Token
	renewBefore     = time.Minute            // a session is renewed this long before it expires
	renewEvery      = 30 * time.Second       // the shortest time between two attempts
	keyLifetime     = 23 * time.Hour         // the hub remembers a key for 24 hours
	closeWithin     = time.Second            // a close handshake
)

// fullJitter returns the wait before an attempt, counted from 0: random up to a bound that
// doubles, and is not below least
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
func fullJitter(attempt int, random func() float64, least time.Duration) time.Duration {
	bound := max(least, min(longestWait, firstWait<<min(attempt, 16)))
	return time.Duration(random() * float64(bound))
}

// timers run functions at their times. A timer has a name; one that is started again
// replaces the one before.
type timers struct {
	now     time.Time
	started int
	running map[timerName]timer
}

// timerName is a timer of a link, or of the engine.
type timerName struct {
	of   *link // nil: the engine's
	name string
	id   int // of a request
}

type timer struct {
	at    time.Time
	order int // of those with one time
	f     func()
}

func (t *timers) start(name timerName, d time.Duration, f func()) {
	t.started++
	t.running[name] = timer{t.now.Add(d), t.started, f}
}

func (t *timers) waits(name timerName) bool {
	_, ok := t.running[name]
	return ok
}

func (t *timers) stop(name timerName) { delete(t.running, name) }

// stopAll stops the timers of a link; nil: those of the engine.
func (t *timers) stopAll(l *link) {
	for name := range t.running {
		if name.of == l {
			delete(t.running, name)
		}
	}
}

// next returns the earliest timer.
func (t *timers) next() (name timerName, at time.Time, ok bool) {
	order := 0
	for n, r := range t.running {
		if !ok || r.at.Before(at) || r.at.Equal(at) && r.order < order {
			name, at, order, ok = n, r.at, r.order, true
		}
	}
	return name, at, ok
}

// fire runs the timers that are due.
func (t *timers) fire() {
	for {
		name, at, ok := t.next()
		if !ok || at.After(t.now) {
			return
		}
		f := t.running[name].f
		delete(t.running, name)
		f()
	}
}
