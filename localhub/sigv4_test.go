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

// signingBanner finds the access key, the region and the endpoint in the banner.
var signingBanner = regexp.MustCompile(
	`AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+) \\\n.* --region (\S+) .* --endpoint-url (\S+) `)

// TestRequireSigV4 signs requests with the access key that the banner prints.
func TestRequireSigV4(t *testing.T) {
	hub := start(t, "-require-sigv4")
	m := signingBanner.FindStringSubmatch(hub.banner)
	if m == nil {
		t.Fatalf("the banner has no access key:\n%s", hub.banner)
	}
	key, region, endpoint := aws.Credentials{AccessKeyID: m[1], SecretAccessKey: m[2]}, m[3], m[4]
	for _, tt := range []struct {
		name string
		sign bool
		want int
	}{
		{"G-MGMT-12 unsigned", false, http.StatusForbidden},
		{"G-MGMT-2 signed, unknown connection", true, http.StatusGone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := endpoint + "/@connections/XDmENcnwIE0CFEQ="
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.sign {
				body := sha256.Sum256(nil)
				hash := hex.EncodeToString(body[:])
				err := v4.NewSigner().SignHTTP(t.Context(), key, req, hash, "execute-api", region, time.Now())
				if err != nil {
					t.Fatal(err)
				}
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("got status %d, want %d", resp.StatusCode, tt.want)
			}
		})
	}
	t.Run("no access key without the flag", func(t *testing.T) {
		if banner := start(t).banner; strings.Contains(banner, "AWS_ACCESS_KEY_ID") {
			t.Errorf("the banner has an access key:\n%s", banner)
		}
	})
}
