package rules

import (
	"regexp"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/internal/versions"
	"github.com/securecart/hub/internal/wire"
)

// TestVersionsAreServed: the names of the versions fit what serves them.
func TestVersionsAreServed(t *testing.T) {
	if wire.Subprotocol != versions.SubprotocolPrefix+versions.V1 {
		t.Errorf("package wire has the subprotocol %s", wire.Subprotocol)
	}
	served := map[string]bool{}
	for _, path := range rest.Paths() {
		served[versions.OfPath(path)] = true
	}
	for _, name := range versions.Served {
		if !served[name] {
			t.Errorf("no path is below /%s/", name)
		}
		delete(served, name)
	}
	if len(served) > 0 {
		t.Errorf("paths are below %v, which do not exist", served)
	}
}

// TestDeprecationsParameter: the template takes what the functions take, as far as a
// pattern can tell, and its default deprecates nothing.
func TestDeprecationsParameter(t *testing.T) {
	_, parsed := readTemplate(t)
	p := parsed.parameters["Deprecations"]
	pattern, _ := p["AllowedPattern"].(string)
	form, err := regexp.Compile(pattern)
	if err != nil || !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") {
		t.Fatalf("pattern %q: %v", pattern, err)
	}
	const one = "v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2?a=b"
	for text, takes := range map[string]bool{
		one: true, "": true, one + "; v2:deprecated 2028-01-01,sunset 2029-01-01,successor v3,link https://a.example": true,
		"v1": false, one + ",": false, "x" + one: false, strings.Replace(one, "https", "http", 1): false,
		strings.Replace(one, "sunset 2027-07-05, ", "", 1): false,
	} {
		if form.MatchString(text) != takes {
			t.Errorf("%q: the template takes it %t, want %t", text, !takes, takes)
		}
	}
	if _, err := versions.Parse(one); err != nil {
		t.Errorf("the functions refuse what the template takes: %v", err)
	}
	if r, err := versions.Parse(p["Default"].(string)); err != nil || r != nil {
		t.Errorf("the default is %v, %v, want nothing", r, err)
	}
}
