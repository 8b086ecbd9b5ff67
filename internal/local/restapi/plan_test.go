package restapi_test

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/restapi"
)

const apiKey = "a-key-of-the-tests-01"

// planned is an API with a usage plan, on a clock of the test.
type planned struct {
	t   *testing.T
	f   *function
	now time.Time
	key string // that the plan has
}

func newPlanned(t *testing.T) *planned {
	return &planned{t: t, f: &function{answer: `{"statusCode":200}`}, now: time.Unix(1_800_000_000, 0), key: apiKey}
}

// caller returns how the API answers requests with a key.
func (p *planned) caller() func(key string) *httptest.ResponseRecorder {
	o := restapi.Options{
		Variables: map[string]string{"door": "private"},
		Plan:      &restapi.Plan{Key: p.key, Now: func() time.Time { return p.now }},
	}
	api := restapi.New(p.f, o, slog.New(slog.DiscardHandler))
	return func(key string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest("GET", "/v1/inventory", nil), httptest.NewRecorder()
		if key != "" {
			r.Header.Set("X-API-Key", key)
		}
		api.ServeHTTP(w, r)
		return w
	}
}

// TestPlanKey: without the right key, the function sees nothing.
func TestPlanKey(t *testing.T) {
	for key, status := range map[string]int{apiKey: 200, "": 403, "another": 403, apiKey + "2": 403, "a": 403} {
		p := newPlanned(t)
		w := p.caller()(key)
		if w.Code != status || status == 403 && (w.Body.String() != restapi.KeyProblem || p.f.event.HTTPMethod != "") {
			t.Errorf("%q: got %d %s, the function got %q", key, w.Code, w.Body, p.f.event.HTTPMethod)
		}
		if e := p.f.event; status == 200 && (e.RequestContext.Identity.APIKeyID != restapi.KeyID ||
			e.StageVariables["door"] != "private") {
			t.Errorf("%q: the function got %+v", key, e)
		}
	}
	p := newPlanned(t)
	if p.key = ""; p.caller()("").Code != 403 {
		t.Error("an API without a key takes no key for one")
	}
}

// TestPlanThrottle: the bucket has the burst, and fills at the rate.
func TestPlanThrottle(t *testing.T) {
	p := newPlanned(t)
	call := p.caller()
	count := func() (served int) {
		for range 3 * restapi.PlanBurst {
			w := call(apiKey)
			switch {
			case w.Code == 200:
				served++
			case w.Code != 429 || w.Header().Get("Retry-After") != "1" || w.Body.String() != restapi.ThrottleProblem ||
				w.Header().Get("Content-Type") != "application/problem+json":
				t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
			}
		}
		return served
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, restapi.PlanBurst}, {0, 0}, {time.Second, restapi.PlanRate}, {time.Hour, restapi.PlanBurst}} {
		p.now = p.now.Add(step.after)
		if got := count(); got != step.want {
			t.Errorf("after %s: %d served, want %d", step.after, got, step.want)
		}
	}
}

// TestPlanQuota: the quota is that of a day of UTC.
func TestPlanQuota(t *testing.T) {
	p := newPlanned(t)
	p.now = time.Date(2027, 1, 15, 0, 0, 1, 0, time.UTC)
	call := p.caller()
	for i := range restapi.PlanQuota {
		p.now = p.now.Add(time.Second / restapi.PlanRate)
		if w := call(apiKey); w.Code != 200 {
			t.Fatalf("request %d: got %d %s", i, w.Code, w.Body)
		}
	}
	p.now = time.Date(2027, 1, 15, 23, 59, 59, 0, time.UTC)
	if w := call(apiKey); w.Code != 429 || w.Body.String() != restapi.QuotaProblem || w.Header().Get("Retry-After") != "" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	p.now = p.now.Add(time.Second)
	if w := call(apiKey); w.Code != 200 {
		t.Errorf("the next day: got %d %s", w.Code, w.Body)
	}
}
