package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestGetWord reads topics over HTTP.
func TestGetWord(t *testing.T) {
	hub := start(t)
	get := func(args ...string) []string { return append([]string{"get", "-url", hub.socket}, args...) }
	token := func(args ...string) string {
		args = append([]string{"token", "-admin", hub.adminAddress()}, args...)
		_, stdout, _ := process{args: args}.output(t)
		return strings.TrimSpace(stdout)
	}
	alice, vera := token("-user", "alice"), token("-user=vera", "--role=vendor", "-vendor", "acme")
	file := writeFile(t, "alice", alice+"\n")
	hub.putStock(t, `{"available":3}`)
	runProcesses(t, map[string]process{
		"one": {args: get("TEE-RED-M"), stdout: "sku:TEE-RED-M few left, 3 (version 2)\n"},
		"two": {
			args:   get("sku:TEE-RED-M", "MUG"),
			stdout: "sku:MUG in stock (version 1)\nsku:TEE-RED-M few left, 3 (version 2)\n",
		},
		"with ws": {
			args:   []string{"get", "MUG", "--url", strings.TrimPrefix(hub.socket, "ws://")},
			stdout: "sku:MUG … (version 1)\n",
		},
		"json": {
			args:   get("MUG", "-o=json"),
			stdout: `{"type":"snapshot","epoch":"…","topics":{"sku:MUG":{"version":1,"state":"in"}}}` + "\n",
		},
		"refused": {
			args:   get("NOPE", "MUG"),
			status: 1, stdout: "sku:MUG in stock (version 1)\nsku:NOPE refused: denied\n",
			stderr: "localhub: 1 of 2 topics were refused\n",
		},
		"refused, and others": {
			args:   get("NOPE", "NOPE", "cart", "-token", alice),
			status: 1, stdout: "sku:NOPE refused: denied\ncart empty (version 0)\n",
			stderr: "localhub: 1 of 2 topics were refused\n",
		},
		"no version": {
			args:   []string{"get", "MUG", "-url", strings.TrimSuffix(hub.socket, "/v1")},
			status: 1, stderr: "localhub: the program at " + strings.TrimSuffix(hub.socket, "/v1") +
				" is not a localhub: it answered 404 Not Found; the URL of a hub ends with the version, such as /v1\n",
		},
		"a cart":    {args: get("cart", "-token", alice), stdout: "cart empty (version 0)\n"},
		"by a file": {args: get("cart", "-token", "@"+file), stdout: "cart empty (version 0)\n"},
		"by a variable": {
			args: get("cart"), env: []string{"LOCALHUB_TOKEN=" + alice}, stdout: "cart empty (version 0)\n",
		},
		"by a file of a variable": {
			args: get("cart"), env: []string{"LOCALHUB_TOKEN=@" + file}, stdout: "cart empty (version 0)\n",
		},
		"the flag before the variable": {
			args: get("cart", "-token", alice), env: []string{"LOCALHUB_TOKEN=nonsense"}, stdout: "cart empty (version 0)\n",
		},
		"a list": {args: get("vendor:acme", "-token", vera), stdout: "vendor:acme …TEE-RED-M\n"},
		"a list, refused": {
			args:   get("vendor:kiln", "vendor:acme", "-token", vera),
			status: 1, stdout: "vendor:kiln refused: denied\nvendor:acme …TEE-RED-M\n",
			stderr: "localhub: 1 of 2 topics were refused\n",
		},
		"a list, refused, as json": {
			args:   get("vendor:kiln", "-token", vera, "-o", "json"),
			status: 1, stdout: `{"type":"snapshot",…"refused":{"vendor:kiln":"denied"}}` + "\n",
			stderr: "localhub: 1 of 1 topics were refused\n",
		},
		"no token":    {args: get("cart"), status: 1, stderr: "localhub: cart: "},
		"a bad token": {args: get("cart", "-token", "nonsense"), status: 1, stderr: "localhub: cart: "},
		"a bad variable": {
			args: get("cart"), env: []string{"LOCALHUB_TOKEN=s3 cret"}, status: 2,
			stderr: "localhub: cart: LOCALHUB_TOKEN: it has printable ASCII characters and no spaces\n",
		},
		"another's cart": {
			args:   get("cart:ann"),
			status: 2, stderr: "localhub: get cart:ann: over HTTP there is only the cart",
		},
		"not a topic": {args: get("colour:red"), status: 2, stderr: `localhub: get: "colour:red" is not a topic`},
		"no topic":    {args: get(), status: 2, stderr: "localhub: get needs a TOPIC\n"},
		"no hub": {
			args:   []string{"get", "MUG", "-url", "ws://" + unusedAddress(t)},
			status: 1, stderr: "localhub: no localhub answers at ws://127.",
		},
		"another scheme": {
			args:   []string{"get", "MUG", "-url", "ftp://127.0.0.1:1/v1"},
			status: 2, stderr: "localhub: invalid value for flag -url: it must be an address such as ws://127.0.0.1:8787/v1\n",
		},
		"over http": {
			args:   []string{"get", "MUG", "-url", "http" + strings.TrimPrefix(hub.socket, "ws")},
			stdout: "sku:MUG in stock (version 1)\n",
		},
		"another path": {args: []string{"get", "MUG", "-url", hub.socket + "x"}, status: 1, stderr: "localhub: "},
	})
}

// TestWordsNeedALocalhub: what another program answers is an error.
func TestWordsNeedALocalhub(t *testing.T) {
	for body, want := range map[string]string{
		"<html>":              "localhub: the program at ADDRESS is not a localhub: it answered 200 OK",
		`{"topics":{"a":[]}}`: "localhub: the program at ADDRESS is not a hub: a: json: ",
		`["odd"]`:             "localhub: the program at ADDRESS is not a hub: json: ",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body))
		}))
		address := "ws" + strings.TrimPrefix(server.URL, "http")
		process{
			args: []string{"get", "MUG", "-url", address}, status: 1,
			stderr: strings.ReplaceAll(want, "ADDRESS", address),
		}.run(t)
		server.Close()
	}
}

// TestGetWordInParts: more topics than a request takes are read in several, and a list that
// has several pages whole.
func TestGetWordInParts(t *testing.T) {
	var requests []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/stock", func(w http.ResponseWriter, r *http.Request) {
		skus := r.URL.Query()["sku"]
		requests = append(requests, fmt.Sprintf("%s to %s: %d", skus[0], skus[len(skus)-1], len(skus)))
		_, _ = w.Write([]byte(`{"topics":{}}`))
	})
	mux.HandleFunc("GET /v1/inventory", func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.URL.RawQuery)
		more := r.URL.Query().Get("after") == ""
		_, _ = fmt.Fprintf(w, `{"topics":{"vendor:acme":{"skus":["B %t"],"more":%t}}}`, more, more)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	args := []string{"get", "-url", server.URL + "/v1/", "vendor:acme"}
	for n := range 201 {
		args = append(args, fmt.Sprint("S", n))
	}
	process{args: args, stdout: "nothing\nnothing\nnothing\nvendor:acme \"B true\" ...\nvendor:acme \"B false\"\n"}.run(t)
	want := []string{
		"S0 to S99: 100", "S100 to S199: 100", "S200 to S200: 1", "vendor=acme", "after=B+true&vendor=acme",
	}
	if !slices.Equal(requests, want) {
		t.Errorf("got the requests %q, want %q", requests, want)
	}
}
