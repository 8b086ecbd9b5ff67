package config

import (
	"slices"
	"strings"
	"testing"
)

func TestEdgeSecrets(t *testing.T) {
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 64)
	for value, want := range map[string][]string{
		"": nil, a: {a}, a + "," + b: {a, b}, a + ",-": {a}, "-, " + b: {b},
	} {
		env := validEnv()
		env["EDGE_SECRETS"] = value
		s, err := Load(Authorize, func(name string) string { return env[name] })
		if err != nil || !slices.Equal(s.EdgeSecrets, want) {
			t.Errorf("%q: got %q, %v, want %q", value, s.EdgeSecrets, err, want)
		}
	}
	// None of these may turn the check off.
	for _, value := range []string{"-", "-,-", a[1:], a + ",", ",", a + ",short"} {
		env := validEnv()
		env["EDGE_SECRETS"] = value
		if s, err := Load(Authorize, func(name string) string { return env[name] }); err == nil ||
			strings.Contains(err.Error(), "aaa") {
			t.Errorf("%q: got %q, %v, want an error without the secret", value, s.EdgeSecrets, err)
		}
	}
}
