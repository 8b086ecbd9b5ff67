package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/securecart/hub/internal/hub"
)

const public = "public, max-age=1, stale-while-revalidate=5"

func TestStock(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	f.stock("TEE", 90, "other")
	const badges = `"sku:MUG":{"version":1,"state":"low","quantity":3},"sku:TEE":{"version":1,"state":"in"`
	const head = `{"type":"snapshot","epoch":"k3","topics":{`
	for name, tt := range map[string]struct {
		headers []string
		body    string
		cache   string
	}{
		"nobody":   {nil, head + badges + `}},"refused":{"sku:NOPE":"denied"}}`, public},
		"customer": {as(f.token("ann", "")), head + badges + `}},"refused":{"sku:NOPE":"denied"}}`, public},
		"guest":    {as(f.token("9f2c", "guest")), head + badges + `}},"refused":{"sku:NOPE":"denied"}}`, public},
		"vendor": {
			as(f.token("vera", "vendor acme")), head + badges + `}},"refused":{"sku:NOPE":"denied"}}`, "private, no-cache",
		},
		"admin": {
			as(f.token("root", "admin")), head + badges + `,"quantity":90}},"refused":{"sku:NOPE":"denied"}}`,
			"private, no-cache",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := f.call("GET", "/v1/stock?sku=MUG&sku=TEE&sku=NOPE&sku=MUG", "", tt.headers...)
			want(t, w, 200, tt.body)
			for name, want := range map[string]string{
				"Content-Type": "application/json", "Cache-Control": tt.cache, "X-Content-Type-Options": "nosniff",
				"Vary": "Origin X-API-Version Authorization",
			} {
				if got := strings.Join(w.Header().Values(name), " "); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestVendorSeesExactFigures: of its own SKUs, as on the socket.
func TestVendorSeesExactFigures(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 70, "acme")
	const head = `{"type":"snapshot","epoch":"k3","topics":{"sku:MUG":{"version":1,"state":"in"`
	want(t, f.call("GET", "/v1/stock/MUG", "", as(f.token("vera", "vendor acme"))...), 200, head+`,"quantity":70}}}`)
	want(t, f.call("GET", "/v1/stock/MUG", "", as(f.token("olaf", "vendor other"))...), 200, head+`}}}`)
}

// TestRevokedSeesBadges: a revoked session sees what everybody sees.
func TestRevokedSeesBadges(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 70, "acme")
	token := f.token("root", "admin")
	if err := f.store.Revoke(context.Background(), hub.NameHash("u~root"), f.now); err != nil {
		t.Fatal(err)
	}
	want(t, f.call("GET", "/v1/stock/MUG", "", as(token)...), 200,
		`{"type":"snapshot","epoch":"k3","topics":{"sku:MUG":{"version":1,"state":"in"}}}`)
	wantProblem(t, f.call("GET", "/v1/cart", "", as(token)...), 401, "token_expired")
}

// many returns the names of n SKUs, for a query.
func many(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("S", i)
	}
	return strings.Join(names, "&sku=")
}

func TestStockRefused(t *testing.T) {
	f := newFixture(t)
	f.stock("A/B C", 9, "")
	for name, tt := range map[string]struct {
		path   string
		status int
		code   string
	}{
		"no SKU":            {"/v1/stock", 400, "bad_field"},
		"too many":          {"/v1/stock?sku=" + many(101), 400, "too_many_topics"},
		"one too often":     {"/v1/stock?" + strings.Repeat("sku=A&", 101), 400, "too_many_topics"},
		"unknown":           {"/v1/stock/NOPE", 404, "denied"},
		"not a SKU":         {"/v1/stock/%00", 400, "bad_topic"},
		"no escape":         {"/v1/stock?sku=%zz", 400, "bad_field"},
		"a token in a URL":  {"/v1/stock?sku=A&token=x", 400, "bad_field"},
		"another path":      {"/v1/nothing", 404, "not_found"},
		"another version":   {"/v2/stock", 404, "unknown_version"},
		"a deeper path":     {"/v1/stock/A/B", 404, "not_found"},
		"the root":          {"/", 404, "not_found"},
		"the stage's root":  {"/v1/", 404, "not_found"},
		"a bad token":       {"/v1/stock?sku=A&auth", 401, "token_bad"},
		"an unknown method": {"/v1/stock?sku=A&method", 405, "bad_method"},
	} {
		t.Run(name, func(t *testing.T) {
			method, headers := "GET", []string(nil)
			if tt.code == "token_bad" {
				headers = as("garbage")
			}
			if tt.code == "bad_method" {
				method = "BREW"
			}
			wantProblem(t, f.call(method, tt.path, "", headers...), tt.status, tt.code)
		})
	}
	want(t, f.call("GET", "/v1/stock/A%2FB%20C", ""), 200,
		`{"type":"snapshot","epoch":"k3","topics":{"sku:A/B C":{"version":1,"state":"in"}}}`)
	if w := f.call("GET", "/v1/stock?sku="+many(100), ""); w.Code != 200 {
		t.Errorf("100 SKUs: got %d %s", w.Code, w.Body)
	}
	f.store.errs["Items"] = errInside
	wantProblem(t, f.call("GET", "/v1/stock/MUG", ""), 500, "internal")
	if !strings.Contains(f.log.String(), "canary-inside") {
		t.Errorf("the log has not the error: %s", f.log.String())
	}
}

// TestStockTag: the tag changes if and only if a byte of the body changes, and whoever
// sends it gets a 304 exactly then.
func TestStockTag(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		f.now = time.UnixMilli(1_800_000_000_000).UTC()
		skus := []string{"A", "B", "C"}
		roles := map[string][]string{
			"nobody": nil, "vendor": as(f.token("vera", "vendor acme")), "admin": as(f.token("root", "admin")),
		}
		last := map[string][2]string{} // body and tag, by who asks for what
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			sku := rapid.SampledFrom(skus).Draw(rt, "sku")
			if rapid.Bool().Draw(rt, "write") {
				f.stock(sku, rapid.SampledFrom([]int{0, 3, 8, 90}).Draw(rt, "available"), "acme")
			}
			who := rapid.SampledFrom([]string{"nobody", "vendor", "admin"}).Draw(rt, "who")
			path := "/v1/stock?sku=" + sku
			if rapid.Bool().Draw(rt, "all") {
				path = "/v1/stock?sku=A&sku=B&sku=C"
			}
			f.now = f.now.Add(time.Minute) // no limit counts
			before, known := last[who+path]
			w := f.call("GET", path, "", roles[who]...)
			if w.Code == http.StatusTooManyRequests {
				rt.Fatal("a limit")
			}
			now := [2]string{w.Body.String(), w.Header().Get("ETag")}
			last[who+path] = now
			if known && (before[0] == now[0]) != (before[1] == now[1]) {
				rt.Fatalf("%v then %v: tags and bodies disagree", before, now)
			}
			if !known {
				continue
			}
			headers := append([]string{"If-None-Match", `"x", W/` + before[1]}, roles[who]...)
			again := f.call("GET", path, "", headers...)
			if unchanged := before[0] == now[0]; (again.Code == http.StatusNotModified) != unchanged {
				rt.Fatalf("%v then %v: got %d", before, now, again.Code)
			}
		}
	})
}

func TestIfNoneMatch(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "")
	tag := f.call("GET", "/v1/stock/MUG", "").Header().Get("ETag")
	if len(tag) != 26 {
		t.Fatalf("got the tag %q", tag)
	}
	for value, status := range map[string]int{
		tag: 304, "W/" + tag: 304, `"a,b",` + tag: 304, `W/"a" , ,` + tag + `,"b"`: 304, "*": 304,
		`"other"`: 200, strings.Trim(tag, `"`): 200, tag[:len(tag)-1]: 200, "": 200, "W/": 200, `"`: 200, `w/` + tag: 200,
	} {
		w := f.call("GET", "/v1/stock/MUG", "", "If-None-Match", value)
		if w.Code != status {
			t.Errorf("%s: got %d, want %d", value, w.Code, status)
		}
		if w.Header().Get("ETag") != tag || w.Header().Get("Cache-Control") != public {
			t.Errorf("%s: got %v, want the tag and the caching of a 200", value, w.Header())
		}
		if (w.Body.Len() == 0) != (status == 304) || (w.Header().Get("Content-Type") == "") != (status == 304) {
			t.Errorf("%s: got %q, %v", value, w.Body, w.Header())
		}
	}
}

// TestStockLimits: requests over HTTP count as messages on the socket do, for the same
// user and the same address.
func TestStockLimits(t *testing.T) {
	f := newLimitedFixture(t, "guest=5,customer=5,vendor=5,admin=5,skus=5")
	f.stock("MUG", 3, "")
	ctx, ann := context.Background(), hub.Principal{User: "ann", Role: hub.RoleCustomer}
	token := as(f.token("ann", ""))
	for i := range 3 {
		if _, err := f.hub.Admit(ctx, hub.Connection{ID: fmt.Sprint("c", i), Principal: ann}, 1); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if w := f.call("GET", "/v1/stock/MUG", "", token...); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	w := f.call("GET", "/v1/stock/MUG", "", token...)
	wantProblem(t, w, 429, "slow_down")
	if after := w.Header().Get("Retry-After"); after != "10" { // the window begins at a multiple of ten seconds
		t.Errorf("Retry-After: got %q, want 10", after)
	}
	if _, err := f.hub.Admit(ctx, hub.Connection{ID: "c9", Principal: ann}, 1); err == nil {
		t.Error("the socket takes another message")
	}
	// Clients of one address without a token are one guest, with the pool of the address.
	refused := 0
	for range 40 {
		if w := f.call("GET", "/v1/stock/MUG", ""); w.Code == 429 {
			refused++
		}
	}
	if refused != 35 {
		t.Errorf("40 requests of an address: %d refused, want 35", refused)
	}
}

// TestSKULimit: beyond its SKUs an hour, a client learns nothing of any SKU.
func TestSKULimit(t *testing.T) {
	f := newLimitedFixture(t, "skus=2")
	f.stock("A", 3, "")
	for _, sku := range []string{"A", "NOPE"} {
		f.call("GET", "/v1/stock/"+sku, "")
	}
	for _, sku := range []string{"B", "NOTHING"} {
		w := f.call("GET", "/v1/stock/"+sku, "")
		wantProblem(t, w, 429, "slow_down")
		if after := w.Header().Get("Retry-After"); after != "3600" { // an hour begins at f.now
			t.Errorf("Retry-After: got %q, want 3600", after)
		}
	}
	w := f.call("GET", "/v1/stock?"+url.Values{"sku": {"A", "B"}}.Encode(), "")
	want(t, w, 200, `{"type":"snapshot","epoch":"k3","topics":{"sku:A":{"version":1,"state":"low","quantity":3}},`+
		`"refused":{"sku:B":"slow_down"}}`)
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: got %q: the refusal is one client's", got)
	}
}
