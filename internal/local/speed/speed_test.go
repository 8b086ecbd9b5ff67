//go:build speed

package speed_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sockets is how many connections each server has.
const sockets = 1_000

// figures are what a measurement found, in the units of its work.
type figures []float64

// work is one line of the table.
type work struct {
	name    string
	units   string // of the figures
	measure func(*testing.T, *server) figures
}

var works = []work{
	{"connects that say hello", "1/s, CPU s per 1 000", measureConnects},
	{"posts through the SDK, 8 workers", "1/s, CPU s per million", measureSDKPosts},
	{"plain keep-alive posts, 8 workers", "1/s, CPU s per million", measurePlainPosts},
	{"one change to 1 000 sockets", "deltas/s, CPU s per million", measureChanges},
	{"one change a second: publish to receive", "ms at p50, at p99", measureLatency},
	{"memory of a connection", "KiB", measureMemory},
	{"memory of a connection with 50 topics", "KiB", measureMemoryOfTopics},
}

// TestSpeed prints the table. SPEED_ROUNDS sets how often each server is measured, and
// SPEED_ONLY measures only works whose name has this text.
func TestSpeed(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("SPEED_ROUNDS"))
	if err != nil {
		rounds = 3
	}
	servers := kinds(t)
	for _, w := range works {
		if !strings.Contains(w.name, os.Getenv("SPEED_ONLY")) {
			continue
		}
		found := make([][]figures, len(servers))
		for range rounds {
			for i, k := range servers {
				t.Run(k.name, func(t *testing.T) { found[i] = append(found[i], w.measure(t, k.start(t))) })
			}
		}
		for i, k := range servers {
			if text := middle(found[i]); text != "" {
				fmt.Printf("| %s | %s | %s (%s) |\n", w.name, k.name, text, w.units)
			}
		}
	}
}

// middle returns the median of each figure, and its least and greatest.
func middle(rounds []figures) string {
	var texts []string
	if len(rounds) == 0 {
		return "" // -run chose other servers
	}
	for i := range rounds[0] {
		var all []float64
		for _, round := range rounds {
			all = append(all, round[i])
		}
		slices.Sort(all)
		texts = append(texts, fmt.Sprintf("%.4g [%.4g to %.4g]", all[len(all)/2], all[0], all[len(all)-1]))
	}
	return strings.Join(texts, ", ")
}

// measureConnects opens connections, some of them before the measurement.
func measureConnects(t *testing.T, s *server) figures {
	connectAll(t, s, sockets/10)
	cpu, began := s.cpu(t), time.Now()
	connectAll(t, s, sockets)
	return figures{sockets / time.Since(began).Seconds(), (s.cpu(t) - cpu).Seconds() * 1000 / sockets}
}

func measureSDKPosts(t *testing.T, s *server) figures {
	return measurePosts(t, s, 20_000, sdkPoster(t, s))
}

func measurePlainPosts(t *testing.T, s *server) figures {
	return measurePosts(t, s, 60_000, plainPoster(t, s))
}

func measurePosts(t *testing.T, s *server, n int, post func(id string) error) figures {
	clients := connectAll(t, s, sockets)
	all := newCountdown(n + sockets)
	readAll(clients, all.done)
	inParallel(t, sockets, func(i int) error { return post(clients[i].id) })
	cpu, began := s.cpu(t), time.Now()
	inParallel(t, n, func(i int) error { return post(clients[i%sockets].id) })
	took := time.Since(began).Seconds()
	all.wait(t)
	return figures{float64(n) / took, (s.cpu(t) - cpu).Seconds() * 1e6 / float64(n)}
}

// measureChanges publishes one change after the other. Figures a second are those from the
// first delta of a change to the last.
func measureChanges(t *testing.T, s *server) figures {
	const changes = 100
	p := newPublisher(t, s)
	p.publish(t)
	cpu, spread := s.cpu(t), 0.0
	for range changes {
		arrived := p.publish(t)
		spread += (slices.Max(arrived) - slices.Min(arrived)).Seconds()
	}
	return figures{changes * sockets / spread, (s.cpu(t) - cpu).Seconds() * 1e6 / (changes * sockets)}
}

// measureLatency publishes a change each second.
func measureLatency(t *testing.T, s *server) figures {
	p := newPublisher(t, s)
	p.publish(t)
	var all []time.Duration
	for tick, left := time.NewTicker(time.Second), 10; left > 0; left-- {
		<-tick.C
		all = append(all, p.publish(t)...)
	}
	slices.Sort(all)
	inMS := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	return figures{inMS(all[len(all)/2]), inMS(all[len(all)*99/100])}
}

// settles is how long a server may give memory back after the last connection.
const settles = 3 * time.Second

// settled returns what a server needs without the connections that are measured.
func settled(t *testing.T, s *server) int {
	connectAll(t, s, 1)
	<-time.After(settles)
	return s.resident(t)
}

func measureMemory(t *testing.T, s *server) figures {
	before := settled(t, s)
	connectAll(t, s, sockets)
	<-time.After(settles)
	return figures{float64(s.resident(t)-before) / 1024 / sockets}
}

// measureMemoryOfTopics has figures for localhub alone: the others have no topics.
func measureMemoryOfTopics(t *testing.T, s *server) figures {
	if s.name != localhub {
		return nil
	}
	var names []string
	for i := range 50 {
		sku := fmt.Sprintf("SPEED-%d", i)
		if err := do("PUT", s.admin+"admin/stock/"+sku, `{"available":1}`); err != nil {
			t.Fatal(err)
		}
		names = append(names, "sku:"+sku)
	}
	follow := "sub " + strings.Join(names, " ")
	before := settled(t, s)
	clients := connectAll(t, s, sockets)
	inParallel(t, sockets, func(i int) error {
		_, err := clients[i].ask(follow)
		return err
	})
	<-time.After(settles)
	return figures{float64(s.resident(t)-before) / 1024 / sockets}
}

// publisher changes what all sockets of a server show.
type publisher struct {
	s    *server
	next int

	mu      sync.Mutex
	began   time.Time
	arrived []time.Duration
	all     *countdown
}

func newPublisher(t *testing.T, s *server) *publisher {
	p := &publisher{s: s}
	clients := connectAll(t, s, sockets)
	if s.name == localhub {
		inParallel(t, sockets, func(i int) error {
			_, err := clients[i].ask("sub TEE-RED-M")
			return err
		})
	}
	readAll(clients, p.got)
	return p
}

func (p *publisher) got() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived = append(p.arrived, time.Since(p.began))
	p.all.done()
}

// publish changes a figure, waits until every socket has it, and returns how long it took for
// each of them.
func (p *publisher) publish(t *testing.T) []time.Duration {
	t.Helper()
	p.mu.Lock()
	p.all, p.arrived, p.began = newCountdown(sockets), nil, time.Now()
	p.mu.Unlock()
	method, path, body := "POST", "all", delta
	if p.s.name == localhub {
		p.next = p.next%3 + 1
		method, path, body = "PUT", "admin/stock/TEE-RED-M", fmt.Sprintf(`{"available":%d}`, p.next)
	}
	if err := do(method, p.s.admin+path, body); err != nil {
		t.Fatal(err)
	}
	p.all.wait(t)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.arrived
}

// countdown counts what arrives.
type countdown struct {
	left atomic.Int64
	zero chan struct{}
}

func newCountdown(n int) *countdown {
	c := &countdown{zero: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *countdown) done() {
	if c.left.Add(-1) == 0 {
		close(c.zero)
	}
}

func (c *countdown) wait(t *testing.T) {
	t.Helper()
	select {
	case <-c.zero:
	case <-time.After(time.Minute):
		t.Fatalf("%d deltas did not arrive", c.left.Load())
	}
}
