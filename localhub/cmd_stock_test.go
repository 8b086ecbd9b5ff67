package main

import (
	"testing"
)

// TestStockWord looks at stock and sets it. A list with a mistake sets nothing.
func TestStockWord(t *testing.T) {
	hub := start(t)
	stock := func(args ...string) []string { return append([]string{"stock", "-admin", hub.adminAddress()}, args...) }
	for _, p := range []process{
		{args: stock("MUG"), stdout: "MUG … (low at 5, vendor …, version 1)\n"},
		{args: stock("MUG", "3"), stdout: "MUG 3 (low at 5, vendor …, version 2)\n"},
		{
			args:   stock("MUG", "4", "RED CAP", "0"),
			stdout: "MUG 4 (low at 5, vendor …, version 3)\n'RED CAP' 0 (low at …, version 1)\n",
		},
		{
			args:   stock("MUG", "9", "CAP-NAVY", "many"),
			status: 2, stderr: "localhub: CAP-NAVY many: a quantity is a whole",
		},
		{args: stock("MUG", "9", "CAP-NAVY"), status: 2, stderr: "localhub: stock needs one SKU to look at, or pairs"},
		{args: stock(), status: 2, stderr: "localhub: stock needs one SKU to look at, or pairs"},
		{args: stock("--", "MUG", "-1"), status: 2, stderr: "localhub: MUG -1: a quantity is a whole number from 0\n"},
		{args: stock("MUG", "1e3"), status: 2, stderr: "localhub: MUG 1e3: a quantity is a whole number from 0\n"},
		{
			args: stock("MUG", "99999999999999"), status: 1,
			stderr: `localhub: MUG: "available" must be a number from 0 to `,
		},
		{args: stock("MUG", "-1"), status: 2, stderr: "localhub: -1 is below zero; after -- it is no flag ("},
		{args: stock("NOPE"), status: 1, stderr: "localhub: NOPE: "},
		{args: stock(" "), status: 1, stderr: "localhub:  : "},
		{args: stock("MUG", "-o", "json"), stdout: `{"sku":"MUG","version":3,"available":4,…}` + "\n"},
		{
			args:   stock("MUG", "-o", "xml"),
			status: 2, stderr: `localhub: invalid value "xml" for flag -output: it must be json or text`,
		},
		{
			args:   []string{"stock", "MUG", "-admin", unusedAddress(t)},
			status: 1, stderr: "localhub: MUG: no localhub answers at http://127.",
		},
		{
			args:   []string{"stock", "MUG", "-admin", "ftp://host"},
			status: 2, stderr: `localhub: invalid value for flag -admin: it must be an address such as http://127.0.0.1:8788`,
		},
		{
			args:   []string{"-o=json", "-admin", "http://" + hub.adminAddress() + "/", "stock", "MUG"},
			stdout: `{"sku":"MUG",…}` + "\n",
		},
	} {
		p.run(t)
	}
}

// TestStockWordTellsEverything: the words of an item that has every field.
func TestStockWordTellsEverything(t *testing.T) {
	hub := start(t)
	for _, tt := range []struct{ body, want string }{
		{`{"tracked":false}`, "TEE-RED-M not counted (low at 5, vendor acme, version …)\n"},
		{
			`{"tracked":true,"available":0,"backorder":true,"backAt":"2026-12-24"}`,
			"TEE-RED-M 0 (low at 5, vendor acme, on back order 2026-12-24, version …)\n",
		},
	} {
		hub.putStock(t, tt.body)
		process{args: []string{"stock", "TEE-RED-M", "-admin", hub.adminAddress()}, stdout: tt.want}.run(t)
	}
}
