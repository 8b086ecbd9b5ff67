package auth

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	// fetchInterval is the minimum time between two fetches of the keys. It limits
	// the load on the issuer, as any client can name unknown keys.
	fetchInterval = 30 * time.Second
	// fetchTimeout limits one fetch.
	fetchTimeout = 5 * time.Second
	// maxKeyAge is the age at which keys are fetched again, so that withdrawn keys
	// disappear.
	maxKeyAge = time.Hour
)

// remoteKeys is the key set of a JWKS. The RemoteKeySet of go-oidc does not fit: it
// fetches again for every unknown key id, in a goroutine that it does not wait for.
type remoteKeys struct {
	// Fixed after construction.
	url    string
	client *http.Client
	now    func() time.Time
	turn   chan struct{} // full while a fetch runs

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when keys were fetched
	tried   time.Time // when the last completed fetch began, or zero
	failure error     // of the last completed fetch
}

var _ oidc.KeySet = (*remoteKeys)(nil)

func newRemoteKeys(url string, client *http.Client, now func() time.Time) *remoteKeys {
	return &remoteKeys{url: url, client: client, now: now, turn: make(chan struct{}, 1)}
}

// VerifySignature implements oidc.KeySet.
func (r *remoteKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := parseJWS(token, userAlgorithms)
	if err != nil {
		return nil, err
	}
	id := jws.Signatures[0].Protected.KeyID
	if id == "" {
		return nil, invalid("no kid")
	}
	keys, err := r.keysByID(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, invalid("the signature is not valid")
}

// keysByID returns the keys with an id, at least one. It fetches if there are none
// or if the keys are old, but not more often than fetchInterval allows.
func (r *remoteKeys) keysByID(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	keys, fetch := r.lookup(id)
	switch {
	case !fetch:
	case len(keys) > 0:
		// Old keys are good enough. The first call fetches new ones; the others do
		// not wait for it.
		select {
		case r.turn <- struct{}{}:
			keys = r.refresh(ctx, id)
		default:
		}
	default:
		select {
		case r.turn <- struct{}{}:
			keys = r.refresh(ctx, id)
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, r.failure)
	}
	return nil, invalid("unknown kid")
}

// lookup returns the keys with an id, and whether a fetch is needed and allowed.
func (r *remoteKeys) lookup(id string) (keys []jose.JSONWebKey, fetch bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.keys {
		if k.KeyID == id {
			keys = append(keys, k)
		}
	}
	now := r.now()
	if !r.tried.IsZero() && within(now, r.tried, fetchInterval) {
		return keys, false
	}
	return keys, len(keys) == 0 || !within(now, r.fetched, maxKeyAge)
}

// within reports whether now is less than d after since. If the clock was set back,
// it reports false.
func within(now, since time.Time, d time.Duration) bool {
	age := now.Sub(since)
	return age >= 0 && age < d
}

// refresh fetches the keys, unless another call did while this one waited, and
// returns those with an id. The caller has filled turn; refresh empties it.
func (r *remoteKeys) refresh(ctx context.Context, id string) []jose.JSONWebKey {
	defer func() { <-r.turn }()
	keys, fetch := r.lookup(id)
	if !fetch {
		return keys
	}
	now := r.now()
	fresh, err := r.fetch(ctx)
	r.mu.Lock()
	// Not before the fetch: other calls must wait until its outcome is known.
	r.tried, r.failure = now, err
	if err == nil {
		r.keys, r.fetched = fresh, now
	}
	r.mu.Unlock()
	keys, _ = r.lookup(id)
	return keys
}
