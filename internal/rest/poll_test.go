package rest_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestPollersBehindACache: 1 000 pages that poll a SKU every five seconds, behind a cache
// that obeys the headers, cost the tables at most a read a second. No page sees what is
// older than the headers allow.
func TestPollersBehindACache(t *testing.T) {
	const pages, every, minute = 1_000, 5 * time.Second, time.Minute
	f := newFixture(t)
	f.stock("MUG", 30, "")
	cache := &sharedCache{f: f, kept: map[string]kept{}}
	begin := f.now
	due := make([]time.Duration, pages) // of each page's next poll
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range due {
		due[i] = time.Duration(rng.Int64N(int64(every)))
	}
	f.store.reads = 0
	polls, changed := 0, begin
	for at := time.Duration(0); at < minute; at += 10 * time.Millisecond {
		f.now = begin.Add(at)
		if at%(7*time.Second) == 0 {
			reads := f.store.reads
			f.stock("MUG", 30+int(at/time.Second), "")
			f.store.reads = reads // those of the shop do not count
			changed = f.now
		}
		version := int64(1 + at/(7*time.Second))
		for i := range due {
			if due[i] > at {
				continue
			}
			due[i] += every
			polls++
			w := cache.get("/v1/stock?sku=MUG")
			if w.Code != http.StatusOK {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if f.now.Sub(changed) > 6*time.Second && !strings.Contains(w.Body.String(),
				`"version":`+strconv.FormatInt(version, 10)) {
				t.Fatalf("%v after a change: got %s, want version %d", f.now.Sub(changed), w.Body, version)
			}
		}
	}
	if polls < pages*11 {
		t.Fatalf("%d polls", polls)
	}
	if most := int(minute/time.Second) + 1; f.store.reads > most {
		t.Errorf("%d polls in a minute read the tables %d times, want at most %d", polls, f.store.reads, most)
	}
	t.Logf("%d polls, %d reads", polls, f.store.reads)
}

// sharedCache is a cache of GET answers for clients without a token, as RFC 9111 and RFC
// 5861 have it: fresh for max-age, then shown while it asks again.
type sharedCache struct {
	f    *fixture
	kept map[string]kept
}

type kept struct {
	answer              *httptest.ResponseRecorder
	freshUntil, showFor time.Time
}

func (c *sharedCache) get(path string) *httptest.ResponseRecorder {
	k, known := c.kept[path]
	switch {
	case known && !c.f.now.After(k.freshUntil):
		return k.answer
	case known && !c.f.now.After(k.showFor):
		c.fetch(path)
		return k.answer
	}
	return c.fetch(path)
}

func (c *sharedCache) fetch(path string) *httptest.ResponseRecorder {
	w := c.f.call("GET", path, "")
	c.f.t.Helper()
	directives := map[string]time.Duration{}
	for directive := range strings.SplitSeq(w.Header().Get("Cache-Control"), ",") {
		name, seconds, _ := strings.Cut(strings.TrimSpace(directive), "=")
		n, _ := strconv.Atoi(seconds)
		directives[name] = time.Duration(n) * time.Second
	}
	if _, public := directives["public"]; public && w.Code == http.StatusOK {
		fresh := c.f.now.Add(directives["max-age"])
		c.kept[path] = kept{w, fresh, fresh.Add(directives["stale-while-revalidate"])}
	}
	return w
}
