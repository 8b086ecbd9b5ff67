package auth_test

import (
	"testing"

	"github.com/securecart/hub/internal/auth"
)

// TestGuestOutlivesRotation: a guest that comes again and again while the keys rotate is
// the same guest, whichever of the functions were deployed already. It says hello with
// its token too.
func TestGuestOutlivesRotation(t *testing.T) {
	stages := [][][]byte{{oldGuestKey}, {oldGuestKey, guestKey}, {guestKey, oldGuestKey}, {guestKey}}
	var verifiers []*auth.Verifier
	for _, keys := range stages {
		c := config(&jwks{})
		c.GuestKeys = keys
		verifiers = append(verifiers, newVerifier(t, c))
	}
	token, _, err := verifiers[0].SignGuest("9f2c")
	if err != nil {
		t.Fatal(err)
	}
	visits := 0
	for stage := range len(stages) - 1 {
		for _, authorizer := range verifiers[stage : stage+2] {
			for _, message := range verifiers[stage : stage+2] {
				conn, status := dial(t, newMixedGateway(t, authorizer, message), "/v1", withProtocol(token))
				if conn == nil {
					t.Fatalf("stage %d: status %d", stage, status)
				}
				for _, renew := range []string{"", token} {
					var answer struct{ User, Notice, GuestToken string }
					askHello(t, conn, renew, &answer)
					if answer.User != "guest:9f2c" || answer.Notice != "" || answer.GuestToken == "" {
						t.Fatalf("stage %d: got %+v, want the same guest", stage, answer)
					}
					token = answer.GuestToken
				}
				visits++
			}
		}
	}
	if visits != 12 {
		t.Errorf("%d visits, want 12", visits)
	}
}
