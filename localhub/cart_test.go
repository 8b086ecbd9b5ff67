package main

import (
	"strings"
	"testing"
)

// TestCartWords changes alice's cart. The order matters.
func TestCartWords(t *testing.T) {
	hub := start(t)
	hub.putStock(t, `{"available":3}`)
	token := hub.tokenOf(t, "alice")
	alice := func(args ...string) []string { return append(hub.words(args...), "-token", token) }
	for _, p := range []process{
		{args: alice("add", "MUG"), stdout: "ok: 1 MUG (version 1)\n"},
		{args: alice("add", "MUG", "2"), stdout: "ok: 3 MUG (version 2)\n"},
		{args: append(alice("add"), "--", "MUG", "-1"), stdout: "ok: 2 MUG (version 3)\n"},
		{args: alice("add", "TEE-RED-M", "5"), stdout: "ok: 3 TEE-RED-M (version 4)\nTEE-RED-M: 3 of 5\n"},
		{args: alice("set", "MUG", "0", "CAP-NAVY", "1"), stdout: "ok: 1 CAP-NAVY, no MUG (version 5)\n"},
		{
			args:   alice("set", "CAP-NAVY", "4", "-o", "json"),
			stdout: `{"type":"ok","from":5,"version":6,"lines":{"CAP-NAVY":{"quantity":4,"version":6}}}` + "\n",
		},
		{args: alice("set", "CAP-NAVY", "2", "-at", "6"), stdout: "ok: 2 CAP-NAVY (version 7)\n"},
		{
			args: alice("set", "CAP-NAVY", "9", "-at", "6"), status: 1,
			stderr: "localhub: conflict: CAP-NAVY was changed on another device; now 2 CAP-NAVY (version 7)\n",
		},
		{args: alice("get", "cart"), stdout: "cart 2 CAP-NAVY, 3 TEE-RED-M (version 7)\n"},
		{args: alice("add", "NOPE"), status: 1, stderr: `localhub: bad_field: unknown SKU "NOPE"`},
		{args: alice("add", "MUG", "1000"), status: 1, stderr: "localhub: bad_field: "},
		{args: hub.words("add", "MUG", "-token", "nonsense"), status: 1, stderr: "localhub: the hub refused the token: "},
		{args: []string{"add", "MUG", "-url", unusedAddress(t)}, status: 1, stderr: "localhub: no localhub answers at "},
		{args: alice("add"), status: 2, stderr: "localhub: add needs a SKU, and a number if it is not 1\n"},
		{args: alice("add", "MUG", "0"), status: 2, stderr: "localhub: add MUG 0: the number is a whole number and"},
		{args: alice("add", "MUG", "x"), status: 2, stderr: "localhub: add MUG x: the number is"},
		{args: alice("set", "MUG"), status: 2, stderr: "localhub: set needs pairs of SKU and N\n"},
		{args: alice("set", "MUG", "-1"), status: 2, stderr: "localhub: "},
		{args: alice("set", "MUG", "1", "MUG", "2"), status: 2, stderr: "localhub: set: MUG stands there twice\n"},
	} {
		p.run(t)
	}
	hub.putStock(t, `{"available":0}`)
	bob := hub.words("add", "TEE-RED-M", "-token", hub.tokenOf(t, "bob"))
	process{args: bob, status: 1, stderr: "localhub: no_stock: "}.run(t)
}

// TestCartWordsOfAGuest: the token that is printed goes on with the cart.
func TestCartWordsOfAGuest(t *testing.T) {
	hub := start(t)
	status, stdout, stderr := process{args: hub.words("add", "MUG", "2")}.output(t)
	name, token, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(stderr, "a new guest: ")), "=")
	if status != 0 || stdout != "ok: 2 MUG (version 1)\n" || name != "LOCALHUB_TOKEN" {
		t.Fatalf("got status %d, %s%s", status, stdout, stderr)
	}
	process{args: hub.words("add", "MUG"), env: []string{name + "=" + token}, stdout: "ok: 3 MUG (version 2)\n"}.run(t)
}
