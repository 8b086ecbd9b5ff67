package config

import (
	"slices"
	"strings"
	"testing"
)

func TestParseOrigins(t *testing.T) {
	for value, want := range map[string][]string{
		"https://shop.example":                         {"https://shop.example"},
		"https://shop.example , http://localhost:5173": {"https://shop.example", "http://localhost:5173"},
		"http://[2001:db8::1]:8080,http://127.0.0.1":   {"http://[2001:db8::1]:8080", "http://127.0.0.1"},
		"capacitor://localhost":                        {"capacitor://localhost"},
		"https://xn--bcher-kva.example":                {"https://xn--bcher-kva.example"},
		"":                                             nil,
		",":                                            nil,
		"https://shop.example,":                        nil,
		"*":                                            nil,
		"null":                                         nil,
		"https://*.shop.example":                       nil,
		"shop.example":                                 nil,
		"https://shop.example/":                        nil,
		"https://shop.example.":                        nil,
		"https://Shop.example":                         nil,
		"HTTPS://shop.example":                         nil,
		"https://shop.example:443":                     nil,
		"http://shop.example:80":                       nil,
		"https://shop.example:080":                     nil,
		"https://shop.example:":                        nil,
		"https://user@shop.example":                    nil,
		"https://bücher.example":                       nil,
		"https://shop.example?x":                       nil,
		"https://shop.example https://other.example":     nil,
		"https://shop..example":                          nil,
		"https://shop.example\n":                         {"https://shop.example"}, // as a file ends
		"https://shop.example\nX-Origin: https://x.test": nil,
	} {
		got, err := ParseOrigins(value)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: got %q, %v, want %q", value, got, err, want)
		}
	}
}

func TestEdgeSecrets(t *testing.T) {
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 64)
	for value, want := range map[string][]string{
		"": nil, a: {a}, a + "," + b: {a, b}, a + ",-": {a}, "-, " + b: {b},
	} {
		env := complete()
		env["EDGE_SECRETS"] = value
		s, err := Load(Authorize, func(name string) string { return env[name] })
		if err != nil || !slices.Equal(s.EdgeSecrets, want) {
			t.Errorf("%q: got %q, %v, want %q", value, s.EdgeSecrets, err, want)
		}
	}
	// None of these may leave the door open.
	for _, value := range []string{"-", "-,-", a[1:], a + ",", ",", a + ",short"} {
		env := complete()
		env["EDGE_SECRETS"] = value
		if s, err := Load(Authorize, func(name string) string { return env[name] }); err == nil || strings.Contains(err.Error(), "aaa") {
			t.Errorf("%q: got %q, %v, want an error without the secret", value, s.EdgeSecrets, err)
		}
	}
}
