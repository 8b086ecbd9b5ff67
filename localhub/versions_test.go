package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestDeprecations: -deprecations reaches the REST API, and a warp over the sunset ends the
// version, as docs/operations.md shows.
func TestDeprecations(t *testing.T) {
	now := time.Now().UTC()
	hub := start(t, "-deprecations", fmt.Sprintf(
		"v1: deprecated %s, sunset %s, successor v2, link https://shop.example/v2",
		now.Format(time.DateOnly), now.AddDate(0, 0, 184).Format(time.DateOnly)))
	address := "http" + strings.TrimPrefix(hub.socket, "ws") + "/stock/TEE-RED-M"
	get := func(want int) {
		t.Helper()
		response, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want || response.Header.Get("Deprecation") == "" || len(response.Header["Link"]) != 2 {
			t.Errorf("got %s %v, want %d and the headers", response.Status, response.Header, want)
		}
	}
	get(http.StatusOK)
	body := strings.NewReader(`{"by":"184d"}`)
	response, err := http.Post("http://"+hub.adminAddress()+"/admin/warp", "application/json", body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("warp: %v, %v", response, err)
	}
	_ = response.Body.Close()
	get(http.StatusGone)
}
