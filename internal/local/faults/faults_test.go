package faults_test

import (
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/faults"
)

func TestParse(t *testing.T) {
	got, err := faults.Parse("gone=1,throttle=2,too-large=3,error=4,slow=5,lose-disconnect=6,drop=7,stall=8,late=9")
	want := gatewaytest.Faults{
		GoneEvery: 1, ThrottleEvery: 2, TooLargeEvery: 3, ErrorEvery: 4, SlowEvery: 5, SlowBy: 200 * time.Millisecond,
		LoseDisconnectEvery: 6, DropEvery: 7, StallEvery: 8, LateEvery: 9,
	}
	if err != nil || *got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := faults.Parse(faults.Mix); err != nil {
		t.Errorf("Mix: %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	const names = "the faults are drop, error, gone, late, lose-disconnect, slow, stall, throttle, too-large"
	for text, want := range map[string]string{
		"":        `unknown fault ""; ` + names,
		"rain=1":  `unknown fault "rain"; ` + names,
		"rain=x":  `unknown fault "rain"; ` + names,
		"gone=1,": `unknown fault ""; ` + names,
		"gone":    "gone=N needs a number above zero",
		"gone=":   "gone=N needs a number above zero",
		"gone=0":  "gone=N needs a number above zero",
		"gone=-1": "gone=N needs a number above zero",
		"gone=x":  "gone=N needs a number above zero",
		// The first in the order of names, whatever the order of the text.
		"slow=0,drop=0": "drop=N needs a number above zero",
	} {
		if f, err := faults.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %+v, %v, want %s", text, f, err, want)
		}
	}
}

func TestEvery(t *testing.T) {
	f, err := faults.FromRates(nil)
	if want := (gatewaytest.Faults{SlowBy: faults.DefaultSlowBy}); err != nil || *f != want {
		t.Errorf("no names: got %+v, %v, want %+v", f, err, want)
	}
}
