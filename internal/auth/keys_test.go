package auth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/local/issuer"
)

// inBubble returns a verifier with the clock of the bubble.
func inBubble(t *testing.T, j *jwks) *auth.Verifier {
	t.Helper()
	c := config(j)
	c.Now = nil
	return newVerifier(t, c)
}

// current returns a token that is good at the time of the bubble.
func current(kid string, key any) string {
	issued := time.Now().Unix()
	return sign(`{"alg":"ES256","kid":"`+kid+`"}`, claims("iat", issued, "exp", issued+86400), key)
}

func wantKind(t *testing.T, v *auth.Verifier, token string, want error) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestKeysAreFetchedOnce(t *testing.T) {
	j := &jwks{}
	v := newVerifier(t, config(j))
	j.wantFetched(t, 0)
	for range 5 {
		wantKind(t, v, user(claims()), nil)
	}
	j.wantFetched(t, 1)
}

func TestGuestsNeedNoKeysOfTheIssuer(t *testing.T) {
	j := &jwks{err: errors.New("down")}
	wantKind(t, newVerifier(t, config(j)), guest(guestClaims()), nil)
	j.wantFetched(t, 0)
}

func TestRotationWithoutARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, err := issuer.New(issuerURL)
		if err != nil {
			t.Fatal(err)
		}
		v := newVerifier(t, auth.Config{Issuer: issuerURL, JWKSURL: i.JWKSURL(), HTTPClient: i.Client()})
		token := func() string {
			s, _, err := i.Token(issuer.Claims{User: "ann"})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		old := token()
		wantKind(t, v, old, nil)
		time.Sleep(time.Minute)
		if err := i.Rotate(); err != nil {
			t.Fatal(err)
		}
		wantKind(t, v, token(), nil)
		wantKind(t, v, old, nil)
	})
}

func TestUnknownKidFetchesOnceInThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jwks{}
		v := inBubble(t, j)
		wantKind(t, v, current("ec", ecKey()), nil)
		stranger := current("new", otherKey())
		for range 10 {
			wantKind(t, v, stranger, auth.ErrInvalid)
		}
		j.wantFetched(t, 1)
		time.Sleep(30*time.Second - 1)
		wantKind(t, v, stranger, auth.ErrInvalid)
		j.wantFetched(t, 1)
		time.Sleep(time.Nanosecond)
		for range 10 {
			wantKind(t, v, stranger, auth.ErrInvalid)
		}
		j.wantFetched(t, 2)

		j.set(func(j *jwks) { j.body = keySet("new", otherKey()) })
		time.Sleep(30 * time.Second)
		wantKind(t, v, stranger, nil)
		j.wantFetched(t, 3)
	})
}

func TestTokensWithoutAKidFetchNothing(t *testing.T) {
	j := &jwks{}
	v := newVerifier(t, config(j))
	wantKind(t, v, sign(`{"alg":"ES256"}`, claims(), ecKey()), auth.ErrInvalid)
	wantKind(t, v, sign(`{"alg":"none","kid":"x"}`, claims(), nil), auth.ErrInvalid)
	j.wantFetched(t, 0)
}

func TestUnreachableKeys(t *testing.T) {
	for name, broken := range map[string]*jwks{
		"no answer":       {err: errors.New("connection refused")},
		"status 500":      {status: http.StatusInternalServerError, body: keySet("ec", ecKey(), "new", otherKey())},
		"not JSON":        {body: "<html>"},
		"no keys":         {body: `{"keys":[]}`},
		"no usable key":   {body: `{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"ec"},{"kty":"??"},null,7]}`},
		"nameless keys":   {body: keySet("", ecKey())},
		"another curve":   {body: keySet("ec", p384Key())},
		"far too long":    {body: keySet("ec", ecKey()) + strings.Repeat(" ", 1<<20)},
		"another shape":   {body: `[]`},
		"no answer, ever": {block: make(chan struct{})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := keySet("ec", ecKey())
				change := func(j *jwks) {
					j.body, j.status, j.err = broken.body, broken.status, broken.err
					if broken.block != nil {
						j.block = make(chan struct{}) // a channel must be made in its bubble
					}
				}
				mend := func(j *jwks) { j.body, j.status, j.err, j.block = good, 0, nil, nil }

				// Unreachable from the start: every token is refused as
				// unavailable.
				j := &jwks{body: good}
				v := inBubble(t, j)
				j.set(change)
				for range 3 {
					wantKind(t, v, current("ec", ecKey()), auth.ErrUnavailable)
				}
				j.wantFetched(t, 1)
				j.set(mend)
				time.Sleep(30 * time.Second)
				wantKind(t, v, current("ec", ecKey()), nil)
				j.wantFetched(t, 2)

				// Unreachable later: the keys stay in use, however long it takes.
				j.set(change)
				time.Sleep(31 * time.Second)
				wantKind(t, v, current("new", otherKey()), auth.ErrUnavailable)
				wantKind(t, v, current("ec", ecKey()), nil)
				j.wantFetched(t, 3)
				time.Sleep(10 * 24 * time.Hour)
				wantKind(t, v, current("ec", ecKey()), nil)
				j.wantFetched(t, 4)
			})
		})
	}
}

func TestWithdrawnKeyExpiresAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jwks{}
		v := inBubble(t, j)
		token := current("ec", ecKey())
		wantKind(t, v, token, nil)
		j.set(func(j *jwks) { j.body = keySet("new", otherKey()) })
		time.Sleep(time.Hour - 1)
		wantKind(t, v, token, nil)
		time.Sleep(time.Nanosecond)
		wantKind(t, v, token, auth.ErrInvalid)
		j.wantFetched(t, 2)
	})
}

func TestOneFetchServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jwks{block: make(chan struct{})}
		v := inBubble(t, j)
		token := current("ec", ecKey())
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() { wantKind(t, v, token, nil) })
		}
		synctest.Wait()
		close(j.block)
		calls.Wait()
		j.wantFetched(t, 1)
	})
}

func TestOldKeysAreUsedDuringAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jwks{}
		v := inBubble(t, j)
		token := current("ec", ecKey())
		wantKind(t, v, token, nil)
		time.Sleep(2 * time.Hour)
		j.set(func(j *jwks) { j.block = make(chan struct{}) })
		var first sync.WaitGroup
		first.Go(func() { wantKind(t, v, token, nil) }) // this one fetches and fails
		synctest.Wait()
		start := time.Now()
		wantKind(t, v, token, nil)
		if took := time.Since(start); took != 0 {
			t.Errorf("waited %v for keys it did not need", took)
		}
		first.Wait()
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jwks{block: make(chan struct{})}
		v := inBubble(t, j)
		token := current("ec", ecKey())
		var first sync.WaitGroup
		first.Go(func() { wantKind(t, v, token, nil) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := v.Verify(ctx, token)
		if !errors.Is(err, auth.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v because of %v", err, auth.ErrUnavailable, context.DeadlineExceeded)
		}
		close(j.block)
		first.Wait()
	})
}

func TestFetchOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jwks{block: make(chan struct{})}
		v := inBubble(t, j)
		token := current("ec", ecKey())
		ctx, cancel := context.WithCancel(t.Context())
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := v.Verify(ctx, token); err != nil {
				t.Errorf("the caller that fetched: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(j.block)
		first.Wait()
		wantKind(t, v, token, nil)
		j.wantFetched(t, 1)
	})
}

func TestClockSetBackDoesNotStopFetches(t *testing.T) {
	j := &jwks{}
	c := config(j)
	clock := now
	c.Now = func() time.Time { return clock }
	v := newVerifier(t, c)
	wantKind(t, v, user(claims()), nil)
	clock = now.Add(-time.Hour)
	j.set(func(j *jwks) { j.body = keySet("new", otherKey()) })
	token := claims("iat", clock.Unix())
	wantKind(t, v, sign(`{"alg":"ES256","kid":"new"}`, token, otherKey()), nil)
}

// TestUnusableKeys puts one bad key beside a good one: the verifier must ignore the
// bad key and use the good one.
func TestUnusableKeys(t *testing.T) {
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	ec := keySet("x", otherKey())
	for name, tt := range map[string]struct {
		keys   string
		header string
		key    any
	}{
		"for encryption": {strings.Replace(ec, `"kid"`, `"use":"enc","kid"`, 1), `{"alg":"ES256","kid":"x"}`, otherKey()},
		"of another alg": {
			strings.Replace(ec, `"kid"`, `"alg":"ES512","kid"`, 1), `{"alg":"ES256","kid":"x"}`, otherKey(),
		},
		"RSA, too short": {keySet("x", small), `{"alg":"RS256","kid":"x"}`, small},
		"another curve":  {keySet("x", p384Key()), `{"alg":"ES256","kid":"x"}`, p384Key()},
		"secret": {
			`{"keys":[{"kty":"oct","kid":"x","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}`,
			`{"alg":"HS256","kid":"x"}`, guestKey,
		},
		"damaged":           {strings.Replace(ec, `"x":"`, `"x":"!`, 1), `{"alg":"ES256","kid":"x"}`, otherKey()},
		"without a name":    {strings.Replace(ec, `"kid":"x"`, `"kid":""`, 1), `{"alg":"ES256","kid":""}`, otherKey()},
		"of a private kind": {`{"keys":[{"kty":"OKP","crv":"X448","kid":"x","x":"AA"}]}`, `{"alg":"EdDSA","kid":"x"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			good := keySet("ec", ecKey())
			both := strings.TrimSuffix(tt.keys, "]}") + "," + strings.TrimPrefix(good, `{"keys":[`)
			v := newVerifier(t, config(&jwks{body: both}))
			wantKind(t, v, sign(tt.header, claims(), tt.key), auth.ErrInvalid)
			wantKind(t, v, user(claims()), nil)
		})
	}
}

func TestTwoKeysWithOneID(t *testing.T) {
	v := newVerifier(t, config(&jwks{body: keySet("ec", otherKey(), "ec", ecKey())}))
	wantKind(t, v, user(claims()), nil)
	wantKind(t, v, sign(esHeader, claims(), otherKey()), nil)
}
