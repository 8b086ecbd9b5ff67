package faults_test

import (
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/faults"
)

func TestParse(t *testing.T) {
	got, err := faults.Parse("gone=1,throttle=2,too-large=3,error=4,slow=5,lose-disconnect=6,drop=7,stall=8,late=9")
	want := gatewaytest.Faults{GoneEvery: 1, ThrottleEvery: 2, TooLargeEvery: 3, ErrorEvery: 4, SlowEvery: 5, SlowBy: 200 * time.Millisecond,
		LoseDisconnectEvery: 6, DropEvery: 7, StallEvery: 8, LateEvery: 9}
	if err != nil || *got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := faults.Parse(faults.Mix); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "gone", "gone=", "gone=0", "gone=-1", "gone=x", "rain=1", "gone=1,"} {
		if f, err := faults.Parse(text); err == nil {
			t.Errorf("%q: got %+v", text, f)
		}
	}
}
