package devkeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
)

// guestKeySize is the size of a guest key in bytes: that of the hash of HS256 (RFC 7518,
// section 3.2).
const guestKeySize = 32

// Keys are the keys of a localhub.
type Keys struct {
	Guest  []byte
	Issuer *ecdsa.PrivateKey // on the curve P-256
}

// New returns new keys.
func New() (Keys, error) {
	k := Keys{Guest: make([]byte, guestKeySize)}
	if _, err := rand.Read(k.Guest); err != nil {
		return k, err
	}
	var err error
	k.Issuer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return k, err
}

// ErrDamaged: there are keys, but they cannot be read. New ones would make strangers of
// all guests, so somebody has to decide that.
var ErrDamaged = errors.New("the development keys are damaged: restore them, or delete them to make new ones " +
	"(guests then lose their carts, and users sign in again)")

// Keeper keeps a text from one start to the next.
type Keeper interface {
	// Keep returns the text that it has. If it has none, it takes fresh and returns
	// that. Of two callers at the same time, both get the text of one of them.
	Keep(ctx context.Context, fresh []byte) (kept []byte, err error)
}

// Load returns the keys of a keeper, or new ones that it keeps from now on.
func Load(ctx context.Context, k Keeper) (Keys, error) {
	fresh, err := New()
	if err != nil {
		return Keys{}, err
	}
	text, err := encode(fresh)
	if err != nil {
		return Keys{}, err
	}
	if text, err = k.Keep(ctx, text); err != nil {
		return Keys{}, fmt.Errorf("development keys: %w", err)
	}
	return decode(text)
}

// text is the form in which keys are kept.
type text struct {
	Guest  []byte `json:"guest"`
	Issuer []byte `json:"issuer"` // PKCS #8
}

func encode(k Keys) ([]byte, error) {
	issuer, err := x509.MarshalPKCS8PrivateKey(k.Issuer)
	if err != nil {
		return nil, err
	}
	return json.Marshal(text{k.Guest, issuer})
}

// decode returns the keys in a text. The error has nothing of the text.
func decode(data []byte) (Keys, error) {
	var t text
	if json.Unmarshal(data, &t) != nil || len(t.Guest) != guestKeySize {
		return Keys{}, ErrDamaged
	}
	key, _ := x509.ParsePKCS8PrivateKey(t.Issuer)
	issuer, ok := key.(*ecdsa.PrivateKey)
	if !ok || issuer.Curve != elliptic.P256() {
		return Keys{}, ErrDamaged
	}
	return Keys{t.Guest, issuer}, nil
}
