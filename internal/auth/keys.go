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
	// fetchInterval is the least time between two fetches of the keys. Anybody
	// can name an unknown key; this is what it may cost the issuer.
	fetchInterval = 30 * time.Second
	// fetchTimeout ends one fetch.
	fetchTimeout = 5 * time.Second
	// maxKeyAge is when keys are fetched again though they would do, so that one
	// that was withdrawn goes away.
	maxKeyAge = time.Hour
)

// remoteKeys are the keys of a JWKS. go-oidc's RemoteKeySet fetches again for
// every unknown key id, from a goroutine that nobody waits for, hence our own.
type remoteKeys struct {
	// Fixed after construction.
	url    string
	client *http.Client
	now    func() time.Time
	turn   chan struct{} // holds a token while a fetch is under way

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when keys were fetched
	tried   time.Time // when the last fetch that is over began, or zero
	failure error     // what the last fetch ended with
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
	keys, err := r.named(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, invalid("the signature does not hold")
}

// named returns the keys called id, of which there is at least one. It fetches
// when there is none, or when the keys are old, unless it did so just now.
func (r *remoteKeys) named(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	keys, wanted := r.cached(id)
	switch {
	case !wanted:
	case len(keys) > 0:
		// Old keys still do. Whoever comes first looks for new ones; nobody
		// waits for that.
		select {
		case r.turn <- struct{}{}:
			keys = r.refreshed(ctx, id)
		default:
		}
	default:
		select {
		case r.turn <- struct{}{}:
			keys = r.refreshed(ctx, id)
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

// cached returns the keys called id and whether a fetch is called for and
// allowed.
func (r *remoteKeys) cached(id string) (keys []jose.JSONWebKey, wanted bool) {
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

// within says whether now is less than d after since. A clock that was set back
// does not make the past last longer.
func within(now, since time.Time, d time.Duration) bool {
	age := now.Sub(since)
	return age >= 0 && age < d
}

// refreshed fetches, unless another call did while this one waited for its turn,
// and looks again. The caller has put its token into turn.
func (r *remoteKeys) refreshed(ctx context.Context, id string) []jose.JSONWebKey {
	defer func() { <-r.turn }()
	keys, wanted := r.cached(id)
	if !wanted {
		return keys
	}
	now := r.now()
	fresh, err := r.fetch(ctx)
	r.mu.Lock()
	// Only now: until the outcome is known, others have to wait for it.
	r.tried, r.failure = now, err
	if err == nil {
		r.keys, r.fetched = fresh, now
	}
	r.mu.Unlock()
	keys, _ = r.cached(id)
	return keys
}
