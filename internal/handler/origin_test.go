package handler_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/handler"
)

// origin returns the Origin header of a page, or of a client that is no page.
func origin(lines ...string) http.Header { return http.Header{"Origin": lines} }

// TestOrigins checks the origins of pages with whole handshakes, with and without a
// list.
func TestOrigins(t *testing.T) {
	const yes, no = http.StatusSwitchingProtocols, http.StatusForbidden
	const shop = "https://shop.example"
	list := []string{
		shop, "https://xn--bcher-kva.example", "https://shop.example:8443", "http://[2001:db8::1]:8080",
		"http://localhost:5173", "capacitor://localhost",
	}
	for _, tt := range []struct {
		name    string
		headers http.Header
		listed  int // status with the list above
		open    int // status without a list, at ws.shop.example
	}{
		{"no page", nil, yes, yes},
		{"the shop", origin(shop), yes, no},
		{"the shop over HTTP", origin("http://shop.example"), no, no},
		{"a scheme in capitals", origin("HTTPS://shop.example"), no, no},
		{"a host in capitals", origin("https://SHOP.example"), no, no},
		{"a slash at the end", origin("https://shop.example/"), no, no},
		{"a path", origin("https://shop.example/page"), no, no},
		{"a query", origin("https://shop.example?x"), no, no},
		{"a fragment", origin("https://shop.example#x"), no, no},
		{"the default port", origin("https://shop.example:443"), no, no},
		{"another port", origin("https://shop.example:444"), no, no},
		{"a listed port", origin("https://shop.example:8443"), yes, no},
		{"an empty port", origin("https://shop.example:"), no, no},
		{"a user", origin("https://shop.example@evil.example"), no, no},
		{"a user before", origin("https://evil@shop.example"), no, no},
		{"a dot at the end", origin("https://shop.example."), no, no},
		{"a longer suffix", origin("https://shop.example.evil.example"), no, no},
		{"a longer prefix", origin("https://evilshop.example"), no, no},
		{"a subdomain", origin("https://www.shop.example"), no, no},
		{"a parent", origin("https://example"), no, no},
		{"any character for the dot", origin("https://shopxexample"), no, no},
		{"punycode", origin("https://xn--bcher-kva.example"), yes, no},
		{"the name in Unicode", origin("https://bücher.example"), no, no},
		{"another alphabet", origin("https://shop.exаmple"), no, no}, // a Cyrillic а
		{"IPv6", origin("http://[2001:db8::1]:8080"), yes, no},
		{"IPv6 in another spelling", origin("http://[2001:db8:0::1]:8080"), no, no},
		{"an app", origin("capacitor://localhost"), yes, no},
		{"null", origin("null"), no, no},
		{"empty", origin(""), no, no},
		{"a star", origin("*"), no, no},
		{"no scheme", origin("shop.example"), no, no},
		{"two slashes", origin("//shop.example"), no, no},
		{"a file", origin("file://"), no, no},
		{"a blank inside", origin("https://shop.example https://evil.example"), no, no},
		{"a comma", origin(shop + ",https://evil.example"), no, no},
		{"two lines", origin(shop, "https://evil.example"), no, no},
		{"the same twice", origin(shop, shop), no, no},
		{"in lower case", http.Header{"origin": {"https://evil.example"}}, no, no},
		{"this machine", origin("http://localhost:5173"), yes, yes},
		{"this machine, another port", origin("http://localhost:5174"), no, yes},
		{"this machine over HTTPS", origin("https://localhost"), no, yes},
		{"this machine's address", origin("http://127.0.0.1:8787"), no, yes},
		{"this machine's IPv6 address", origin("http://[::1]:8787"), no, yes},
		{"another of its addresses", origin("http://127.1.2.3"), no, yes},
		{"a longer name", origin("http://localhost.evil.example"), no, no},
		{"a longer address", origin("http://127.0.0.1.evil.example"), no, no},
		{"this machine with a dot at the end", origin("http://localhost."), no, no},
		{"this machine as a user", origin("http://localhost@evil.example"), no, no},
		{"a zone", origin("http://[::1%25lo]"), no, no},
		{"a short address", origin("http://127.1"), no, no},
		{"any address", origin("http://0.0.0.0:8787"), no, no},
		{"the same host", origin("https://ws.shop.example"), no, yes},
		{"the same host over HTTP", origin("http://ws.shop.example"), no, yes},
		{"the same host, another port", origin("https://ws.shop.example:444"), no, no},
		{"the same host with a dot at the end", origin("https://ws.shop.example."), no, no},
		{"the same host and more", origin("https://ws.shop.example.evil.example"), no, no},
		{"the same host, another scheme", origin("ftp://ws.shop.example"), no, no},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			for want, o := range map[string]handler.AuthorizeOptions{
				fmt.Sprint("listed ", tt.listed): {Origins: list},
				fmt.Sprint("open ", tt.open):     {},
			} {
				rule, _, _ := strings.Cut(want, " ")
				if got := fmt.Sprint(rule, " ", dialStatus(t, b.newGateway(o, "ws.shop.example"), "/v1", tt.headers)); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	t.Run("the same host on another port than the default", func(t *testing.T) {
		gw := newFixture(t).newGateway(handler.AuthorizeOptions{}, "192.0.2.7:8787")
		for page, want := range map[string]int{
			"http://192.0.2.7:8787": yes, "http://192.0.2.7": no, "http://192.0.2.7:8788": no,
		} {
			if got := dialStatus(t, gw, "/v1", origin(page)); got != want {
				t.Errorf("%s: got %d, want %d", page, got, want)
			}
		}
	})
	t.Run("the same host on the default port", func(t *testing.T) {
		gw := newFixture(t).newGateway(handler.AuthorizeOptions{}, "WS.shop.example:443")
		for page, want := range map[string]int{"https://ws.shop.example": yes, "http://ws.shop.example": no} {
			if got := dialStatus(t, gw, "/v1", origin(page)); got != want {
				t.Errorf("%s: got %d, want %d", page, got, want)
			}
		}
	})
}

// TestForeignPageSpendsNothing checks that a refused page learns nothing about its
// token and does not use up a ticket.
func TestForeignPageSpendsNothing(t *testing.T) {
	b := newFixture(t)
	gw := b.newGateway(handler.AuthorizeOptions{}, "ws.shop.example")
	ticket := b.ticket("ann")
	path := "/v1?auth=required&ticket=" + ticket
	if got := dialStatus(t, gw, path, origin("https://evil.example")); got != http.StatusForbidden {
		t.Errorf("a foreign page: got %d, want 403", got)
	}
	if got := dialStatus(t, gw, path, nil); got != http.StatusSwitchingProtocols {
		t.Errorf("the ticket afterwards: got %d, want 101", got)
	}
}

// TestEdge checks that a client that bypasses the edge is refused if there are
// secrets.
func TestEdge(t *testing.T) {
	current, other := strings.Repeat("c", 40), strings.Repeat("p", 40)
	gw := newFixture(t).newGateway(handler.AuthorizeOptions{EdgeSecrets: []string{current, other}}, "")
	for name, tt := range map[string]struct {
		lines []string
		want  int
	}{
		"none":                    {nil, http.StatusForbidden},
		"empty":                   {[]string{""}, http.StatusForbidden},
		"another":                 {[]string{strings.Repeat("x", 40)}, http.StatusForbidden},
		"the beginning":           {[]string{current[:39]}, http.StatusForbidden},
		"more":                    {[]string{current + "c"}, http.StatusForbidden},
		"two at once":             {[]string{current, other}, http.StatusForbidden},
		"both under one name":     {[]string{current + "," + other}, http.StatusForbidden},
		"the current one":         {[]string{current}, http.StatusSwitchingProtocols},
		"the other one":           {[]string{other}, http.StatusSwitchingProtocols},
		"a wrong and a right one": {[]string{"x", current}, http.StatusForbidden},
	} {
		if got := dialStatus(t, gw, "/v1", http.Header{"X-Origin-Verify": tt.lines}); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

// TestEdgeSecretRotation: the edge and the authorizer deploy one after the other, so the
// edge of one stage meets the authorizer of the stage before or after.
func TestEdgeSecretRotation(t *testing.T) {
	old, next := strings.Repeat("o", 40), strings.Repeat("n", 40)
	type stage struct {
		sent     string
		accepted []string
	}
	status := func(edge, authorizer stage) int {
		gw := newFixture(t).newGateway(handler.AuthorizeOptions{EdgeSecrets: authorizer.accepted}, "")
		return dialStatus(t, gw, "/v1", http.Header{"X-Origin-Verify": {edge.sent}})
	}
	stages := []stage{
		{old, []string{old}}, {old, []string{old, next}}, {next, []string{next, old}}, {next, []string{next}},
	}
	for i := range len(stages) - 1 {
		for _, edge := range stages[i : i+2] {
			for _, authorizer := range stages[i : i+2] {
				if got := status(edge, authorizer); got != http.StatusSwitchingProtocols {
					t.Errorf("stages %d and %d side by side: got %d, want 101", i, i+1, got)
				}
			}
		}
	}
	if got := status(stages[2], stages[0]); got != http.StatusForbidden {
		t.Errorf("without the first stage: got %d, want 403", got)
	}
}
