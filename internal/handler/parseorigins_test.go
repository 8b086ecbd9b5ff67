package handler_test

import (
	"slices"
	"testing"

	"github.com/securecart/hub/internal/handler"
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
		got, err := handler.ParseOrigins(value)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: got %q, %v, want %q", value, got, err, want)
		}
	}
}
