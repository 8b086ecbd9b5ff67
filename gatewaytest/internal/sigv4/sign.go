package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Signer signs requests to one service in one Region, in their headers.
type Signer struct {
	Region, Service, AccessKeyID string
	Credential                   Credential
}

// Sign adds the headers of a signature to a request. It signs the host, the content
// type and the headers that begin with X-Amz-. payloadHash is the SHA-256 of the
// body, in hex.
func (s Signer) Sign(r *http.Request, payloadHash string, now time.Time) {
	date := now.UTC().Format(timeFormat)
	r.Header.Set("X-Amz-Date", date)
	if s.Credential.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.Credential.SessionToken)
	}
	names := []string{"host"}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	sig := signature{
		accessKeyID: s.AccessKeyID, scope: []string{date[:len("20060102")], s.Region, s.Service, terminator},
		signedHeaders: names, date: date,
	}
	hash, _, _ := sig.calculate(r, payloadHash, s.Credential.SecretAccessKey)
	r.Header.Set("Authorization", algorithm+" Credential="+s.AccessKeyID+"/"+strings.Join(sig.scope, "/")+
		", SignedHeaders="+strings.Join(names, ";")+", Signature="+hash)
}

// calculate returns the signature that a request should have, in hex, and what it
// comes from: the canonical request, and the text with its hash that is signed.
func (s signature) calculate(r *http.Request, payloadHash, secret string) (hash, canonical, toSign string) {
	canonical = s.canonicalRequest(r, payloadHash)
	digest := sha256.Sum256([]byte(canonical))
	toSign = strings.Join([]string{algorithm, s.date, strings.Join(s.scope, "/"), hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, step := range append(slices.Clone(s.scope), toSign) {
		key = sign(key, step)
	}
	return hex.EncodeToString(key), canonical, toSign
}
