package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub/hubtest"
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
// file can have: none of them breaks out of its quotes.
func TestBannerCommandsTakeAnySKU(t *testing.T) {
	good, _ := hubtest.Names(t)
	good = append(good, "'; echo broken; '", "$(echo broken)", "`echo broken`", "a&b", "a;b", "[1-3]{a,b}", "-d")
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /admin/stock/{sku}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.PathValue("sku")))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	_, err := exec.LookPath("curl")
	if err != nil && os.Getenv("HUB_TEST_TOOLS") == "required" {
		t.Fatal("curl is missing, and HUB_TEST_TOOLS requires it")
	}
	hasCurl := err == nil
	for _, sku := range good {
		got := runShell(t, "printf '%s' "+keyJSON("sku", sku))
		var key map[string]map[string]string
		want := map[string]map[string]string{"sku": {"S": sku}}
		if err := json.Unmarshal([]byte(got), &key); err != nil || !reflect.DeepEqual(key, want) {
			t.Errorf("%q: got the key %s, %v", sku, got, err)
		}
		if !hasCurl {
			continue
		}
		if got := runShell(t, "curl -sS -X PUT "+stockTarget(strings.TrimPrefix(server.URL, "http://"), sku)); got != sku {
			t.Errorf("%q: curl sent %q", sku, got)
		}
	}
}
