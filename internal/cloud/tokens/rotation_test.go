package tokens_test

import (
	"errors"
	"testing"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/cloud/tokens"
)

// processes returns one process for each value of GUEST_KEYS, as the functions start.
func processes(t *testing.T, guestKeys ...string) []*auth.Verifier {
	t.Helper()
	var all []*auth.Verifier
	for _, keys := range guestKeys {
		s, err := load(keys)
		if err != nil {
			t.Fatal(err)
		}
		v, err := tokens.NewVerifier(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// refused returns how many of the tokens that processes issue another of them refuses.
func refused(t *testing.T, side []*auth.Verifier) (n int) {
	t.Helper()
	for _, issuer := range side {
		token, _, err := issuer.SignGuest("9f2c")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range side {
			switch _, err := v.Verify(t.Context(), token); {
			case errors.Is(err, auth.ErrInvalid):
				n++
			case err != nil:
				t.Fatal(err)
			}
		}
	}
	return n
}

// TestGuestKeyRotation: functions deploy one after the other, so processes of two
// neighbouring stages run side by side. In the documented order each accepts every token
// that the others issue. A deployment that skips the first stage loses guests.
func TestGuestKeyRotation(t *testing.T) {
	old, next := key("o", auth.MinKey), key("n", auth.MinKey)
	stages := []string{old, old + "," + next, next + "," + old, next}
	for i := range len(stages) - 2 {
		if n := refused(t, processes(t, stages[i], stages[i+1])); n > 0 {
			t.Errorf("stages %d and %d side by side refuse %d tokens of each other", i, i+1, n)
		}
	}
	// The last stage begins when all tokens that the old key signed have expired.
	last := processes(t, stages[2], stages[3])
	if n := refused(t, last); n > 0 {
		t.Errorf("the last two stages side by side refuse %d tokens of each other", n)
	}
	signedByOld, _, err := processes(t, stages[1])[0].SignGuest("9f2c")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := last[1].Verify(t.Context(), signedByOld); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a token of the old key after the last stage: got %v, want %v", err, auth.ErrInvalid)
	}
	if n := refused(t, processes(t, stages[0], stages[2])); n != 1 {
		t.Errorf("without the first stage %d tokens are refused, want 1", n)
	}
}

// TestRotationKeepsAddresses: a limit for one address must not double while processes of
// two stages run side by side.
func TestRotationKeepsAddresses(t *testing.T) {
	old, next := key("o", auth.MinKey), key("n", auth.MinKey)
	hashes := map[string]bool{}
	for _, v := range processes(t, old, old+","+next, next+","+old, next) {
		hashes[v.HashAddress("192.0.2.1")] = true
	}
	if len(hashes) != 1 || hashes[""] {
		t.Errorf("one address has the hashes %v, want one", hashes)
	}
}
