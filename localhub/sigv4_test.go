package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TestRequireSigV4 signs with what the greeting prints.
func TestRequireSigV4(t *testing.T) {
	hub := start(t, "-require-sigv4")
	printed := regexp.MustCompile(`AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+) \\\n.* --region (\S+) .* --endpoint-url (\S+) `).FindStringSubmatch(hub.greeting)
	if printed == nil {
		t.Fatalf("the greeting has no key:\n%s", hub.greeting)
	}
	nothing := sha256.Sum256(nil)
	for _, tt := range []struct {
		name   string
		signed bool
		want   int
	}{
		{"G-MGMT-12 not signed", false, http.StatusForbidden},
		{"G-MGMT-2 signed, and nobody there", true, http.StatusGone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, printed[4]+"/@connections/XDmENcnwIE0CFEQ=", nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.signed {
				key := aws.Credentials{AccessKeyID: printed[1], SecretAccessKey: printed[2]}
				if err := v4.NewSigner().SignHTTP(t.Context(), key, req, hex.EncodeToString(nothing[:]), "execute-api", printed[3], time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.want)
			}
		})
	}
	t.Run("no key is printed without the flag", func(t *testing.T) {
		if greeting := start(t).greeting; strings.Contains(greeting, "AWS_ACCESS_KEY_ID") {
			t.Errorf("got %s", greeting)
		}
	})
}
