package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/securecart/hub/internal/redact"
)

const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln"

// size stands for a secret by its length.
func size(secret string) string { return fmt.Sprintf("[%d]", len(secret)) }

func TestSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"sub " + jwt:                                 "sub [44]",
		"sub eyJhbGciOiJFUzI1NiJ9":                   "sub [20]", // cut off
		"get guest." + jwt + " MUG":                  "get [50] MUG",
		`{"a":"\n` + jwt + `"}`:                      `{"a":"\n[44]"}`,
		"token=" + jwt + ",":                         "token=[44],",
		"get sku:" + jwt + "@7":                      "get sku:[44]@7",
		"/v1?ticket=ABCDEFGHIJKLMNOPQRSTUVWX23":      "/v1?ticket=[26]",
		"AKIAIOSFODNN7EXAMPLE":                       "[20]",
		"sku:4f9c2ab07d1e6358f0a1b2c3d4e5f607":       "sku:[32]",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY":   "[40]",
		"guest:4f9c2ab07d1e6358f0a1b2c3d4e5f607":     "guest:4f9c2ab07d1e6358f0a1b2c3d4e5f607",
		"cart:h~wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLE": "cart:h~wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLE",
		"sub 0192e4a1-7c3e-7b1f-9f36-8d1f0a2b3c4d":   "sub 0192e4a1-7c3e-7b1f-9f36-8d1f0a2b3c4d",
		"Cotton-Tee-Red-Medium-2026-Edition-Two":     "Cotton-Tee-Red-Medium-2026-Edition-Two",
		"monkeyJungleBananaMachine":                  "monkeyJungleBananaMachine",
		"TEE-RED-M MUG@9 L0SMzc8kDoECFhQ=":           "TEE-RED-M MUG@9 L0SMzc8kDoECFhQ=",
		"/catalogue/winter/2026/CAP-NAVY/large.json": "/catalogue/winter/2026/CAP-NAVY/large.json",
		"":  "",
		"é": "é",
	} {
		if got := redact.Secrets(text, size); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestSecretsFindsRandom: of what programs make as keys, hardly one in a hundred is missed.
func TestSecretsFindsRandom(t *testing.T) {
	source := rand.NewChaCha8([32]byte{}) // the same keys in each run
	for name, encode := range map[string]func([]byte) string{
		"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString,
		"base64url": base64.RawURLEncoding.EncodeToString,
	} {
		missed := 0
		for range 1000 {
			key := make([]byte, 32)
			_, _ = source.Read(key)
			if text := encode(key); redact.Secrets(text, size) == text {
				missed++
			}
		}
		if missed > 10 {
			t.Errorf("%s: %d of 1000 keys are missed", name, missed)
		}
	}
}

// TestTokens replaces tokens and leaves random texts, which may be names.
func TestTokens(t *testing.T) {
	const random = "4f9c2ab07d1e6358f0a1b2c3d4e5f607"
	if got := redact.Tokens(random+" "+jwt, size); got != random+" [44]" {
		t.Errorf("got %s", got)
	}
}

// FuzzSecrets checks that JSON stays JSON.
func FuzzSecrets(f *testing.F) {
	f.Add(`{"a":"\neyJhbGciOiJFUzI1NiJ9","b":["4f9c2ab07d1e6358f0a1b2c3d4e5f607",1]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if got := redact.Secrets(text, size); json.Valid([]byte(text)) && !json.Valid([]byte(got)) {
			t.Errorf("%q became %q", text, got)
		}
	})
}
