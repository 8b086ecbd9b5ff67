package gatewaytest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// TestTimesAreUTC checks the times that clients read against the clock. TestMain
// makes local time another one.
func TestTimesAreUTC(t *testing.T) {
	if _, offset := time.Now().Zone(); offset == 0 {
		t.Fatal("local time is UTC, so this test can find nothing")
	}
	recent := func(what string, at time.Time, err error) {
		t.Helper()
		if age := time.Since(at); err != nil || age < -time.Minute || age > time.Minute {
			t.Errorf("%s: got %s, %v, which is %s ago", what, at, err, age)
		}
	}
	g := newGateway(t, gatewaytest.API{})
	dial(t, g, "/v1")
	_, body := doRequest(t, "GET", serve(t, g)+"/v1/@connections/"+onlyID(t, g), nil)
	var info map[string]any
	if err := json.Unmarshal([]byte(body), &info); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"connectedAt", "lastActiveAt"} {
		text, _ := info[name].(string)
		at, err := time.Parse(time.RFC3339, text)
		recent("G-MGMT-4 "+name, at, err)
	}
	dates := 0
	for _, line := range rawResponse(t, g, "/v1", "") {
		if value, ok := strings.CutPrefix(line, "Date: "); ok {
			dates++
			at, err := http.ParseTime(value)
			recent("G-HANDSHAKE-14 Date", at, err)
		}
	}
	if dates != 1 {
		t.Errorf("G-HANDSHAKE-14: %d Date headers in the 101, want one", dates)
	}
}
