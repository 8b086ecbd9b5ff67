package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

const (
	// maxJWKS is the size of the largest key set, in bytes. Cognito's has two keys
	// and less than 1 KB.
	maxJWKS = 256 << 10
	// minRSA is the length of the shortest RSA key, in bits (RFC 7518 section 3.3).
	minRSA = 2048
)

// fetch gets the keys. It uses the values of ctx but ignores its cancellation: other
// calls need the keys too.
func (r *remoteKeys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch keys: status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS+1))
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	if len(body) > maxJWKS {
		return nil, fmt.Errorf("fetch keys: more than %d bytes", maxJWKS)
	}
	return parseJWKS(body)
}

// parseJWKS reads a key set and ignores unusable keys, as RFC 7517 section 5 says. A
// set without usable keys is an error: an issuer never intends that, and the earlier
// keys are better.
func parseJWKS(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); err == nil && isUsable(&k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("read keys: no usable key")
	}
	return keys, nil
}

// isUsable reports whether k is a public key for one of the userAlgorithms. If a key
// names its algorithm or its use, the name must match.
func isUsable(k *jose.JSONWebKey) bool {
	if k.KeyID == "" || k.Use != "" && k.Use != "sig" {
		return false
	}
	var alg jose.SignatureAlgorithm
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return false
		}
		alg = jose.RS256
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return false
		}
		alg = jose.ES256
	default:
		return false
	}
	return k.Algorithm == "" || k.Algorithm == string(alg)
}
