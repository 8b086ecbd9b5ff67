package main

import (
	"encoding/json"
	"os/exec"
	"reflect"
	"testing"

	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/local/shell"
)

// runShell runs a command as a person who pastes it does, and returns its output.
func runShell(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

// TestBannerCommandsTakeAnySKU runs the commands of the banner for each SKU that a seed
// file can have: none of them breaks out of its quotes, or is taken for a flag.
func TestBannerCommandsTakeAnySKU(t *testing.T) {
	good, _ := hubtest.Names(t)
	good = append(good, "'; echo broken; '", "$(echo broken)", "`echo broken`", "a&b", "a;b", "[1-3]{a,b}", "-d", "-admin")
	hub := start(t)
	stock := mainVariable + "=1 " + shell.Word(testBinary(t)) + " stock -o json -admin " + hub.adminAddress() + " "
	for _, sku := range good {
		got := runShell(t, "printf '%s' "+keyJSON("sku", sku))
		var key map[string]map[string]string
		want := map[string]map[string]string{"sku": {"S": sku}}
		if err := json.Unmarshal([]byte(got), &key); err != nil || !reflect.DeepEqual(key, want) {
			t.Errorf("%q: got the key %s, %v", sku, got, err)
		}
		got = runShell(t, stock+stockArguments(sku))
		var item struct {
			SKU       string
			Available int
		}
		if err := json.Unmarshal([]byte(got), &item); err != nil || item.SKU != sku || item.Available != 3 {
			t.Errorf("%q: got %s, %v", sku, got, err)
		}
	}
}
