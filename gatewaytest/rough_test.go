package gatewaytest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// roughRun posts to one client under the faults of Rough and returns what became
// of each post, with the number of $disconnect of 200 other clients.
func roughRun(t *testing.T, name string, posts int) (outcomes []string, disconnects int) {
	t.Helper()
	bye := &recorder{}
	s := gatewaytest.Start(t, gatewaytest.API{Faults: gatewaytest.Rough(name), Routes: routes("$disconnect", bye)})
	ann := s.Client("", nil)
	for range posts {
		started := time.Now()
		err := s.PostToConnection(t.Context(), ann.ID(), []byte("x"))
		outcomes = append(outcomes, fmt.Sprint(err, " after ", time.Since(started)))
	}
	for range 200 {
		s.Client("", nil).Close()
	}
	return outcomes, len(bye.all())
}

// TestRough. Our own: about one post in 20 fails in each way, the same ones in
// each run, others for another name, and nothing comes twice.
func TestRough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const posts = 4000
		outcomes, disconnects := roughRun(t, "TestShop", posts)
		again, _ := roughRun(t, "TestShop", posts)
		other, _ := roughRun(t, "TestCart", posts)
		if fmt.Sprint(outcomes) != fmt.Sprint(again) {
			t.Error("two runs with one name differ")
		}
		if fmt.Sprint(outcomes) == fmt.Sprint(other) {
			t.Error("the runs of two names are the same")
		}
		count := map[string]int{}
		for _, outcome := range outcomes {
			count[outcome]++
		}
		for _, failure := range []string{"<nil> after 100ms", "gatewaytest: 410 GoneException after 0s",
			"gatewaytest: 429 LimitExceededException: Too Many Requests after 0s"} {
			if n := count[failure]; n < posts/20*3/4 || n > posts/20*5/4 {
				t.Errorf("%s: %d of %d posts, want one in 20", failure, n, posts)
			}
		}
		if disconnects >= 200 || disconnects < 170 {
			t.Errorf("%d of 200 $disconnect came, want one in 20 lost", disconnects)
		}
	})
}

// TestRoughReachesShortTests. Our own: with each Nth, a test of five posts would
// never see a fault.
func TestRoughReachesShortTests(t *testing.T) {
	failed := 0
	for i := range 100 {
		synctest.Test(t, func(t *testing.T) {
			s := gatewaytest.Start(t, gatewaytest.API{Faults: gatewaytest.Rough(fmt.Sprint("Test", i))})
			ann := s.Client("", nil)
			for range 5 {
				if err := s.PostToConnection(t.Context(), ann.ID(), nil); errors.Is(err, gatewaytest.ErrGone) {
					failed++
				}
			}
		})
	}
	if failed < 10 || failed > 50 {
		t.Errorf("%d of 500 posts failed with 410, want about 25", failed)
	}
}

// TestFaultsCountWithSeed. Our own: Faults tells how many events really failed.
func TestFaultsCountWithSeed(t *testing.T) {
	g := newGateway(t, gatewaytest.API{Faults: &gatewaytest.Faults{GoneEvery: 3, Seed: 7}})
	dial(t, g, "/v1")
	id, failed := onlyID(t, g), 0
	for range 100 {
		if g.PostToConnection(t.Context(), id, nil) != nil {
			failed++
		}
	}
	if set, hits := g.Faults(); hits.GoneEvery != failed || set.Seed != 7 || failed == 0 {
		t.Errorf("set %+v, hits %+v, failed %d", set, hits, failed)
	}
}
