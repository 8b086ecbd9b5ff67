package restapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
	"sync"
	"time"
)

// KeyID is the id of the key of a [Plan] in events.
const KeyID = "localkey"

// The usage plan of template.yaml, by default. A test compares the two.
const (
	PlanRate  = 10      // requests a second
	PlanBurst = 20      // at once
	PlanQuota = 100_000 // in a day of UTC
)

// Bodies of gateway responses. They are those of template.yaml.
const (
	KeyProblem = `{"title":"Forbidden","status":403,"detail":"send a key of the shop's systems in the header X-API-Key",` +
		`"code":"denied"}`
	ThrottleProblem = `{"title":"Too Many Requests","status":429,"detail":"too many requests at once",` +
		`"code":"slow_down","retry":true,"after":1000}`
	QuotaProblem = `{"title":"Too Many Requests","status":429,"detail":"the key has used up its requests of the day",` +
		`"code":"limit"}`
)

// Plan is a usage plan with one key: a throttle with a token bucket, and a quota.
type Plan struct {
	Key string // "": no key is right
	Now func() time.Time

	mu     sync.Mutex
	tokens float64   // in the bucket at the time filled
	filled time.Time // zero: the bucket is full
	day    time.Time // that used is of
	used   int
}

// admit reports whether a request has the key and is within the plan. If not, it has
// answered.
func (p *Plan) admit(w http.ResponseWriter, r *http.Request) bool {
	want, got := sha256.Sum256([]byte(p.Key)), sha256.Sum256([]byte(r.Header.Get("X-API-Key")))
	if p.Key == "" || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		refuse(w, http.StatusForbidden, KeyProblem)
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	if p.tokens = min(PlanBurst, p.tokens+now.Sub(p.filled).Seconds()*PlanRate); p.filled.IsZero() {
		p.tokens = PlanBurst
	}
	p.filled = now
	if day := now.UTC().Truncate(24 * time.Hour); day != p.day {
		p.day, p.used = day, 0
	}
	switch {
	case p.used >= PlanQuota:
		refuse(w, http.StatusTooManyRequests, QuotaProblem)
		return false
	case p.tokens < 1:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, ThrottleProblem)
		return false
	}
	p.tokens--
	p.used++
	return true
}

// refuse answers with a problem document, as the gateway responses of template.yaml do.
func refuse(w http.ResponseWriter, status int, problem string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, problem)
}
