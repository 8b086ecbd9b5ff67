package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
)

// addressBits is how much of an IPv6 address stands for one client: a subscriber
// has at least a /64 (RFC 6177 section 2) and may take any address in it.
const addressBits = 64

// AddressID stands for a client's address where its connections are counted: a
// hash under the first guest key, so that nobody without the key can find the
// address by trying all. It is "" for what is not an address.
func (v *Verifier) AddressID(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || len(v.config.GuestKeys) == 0 {
		return ""
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		prefix, _ := ip.Prefix(addressBits) // 64 is in range
		ip = prefix.Addr()
	}
	mac := hmac.New(sha256.New, v.config.GuestKeys[0])
	mac.Write([]byte("address " + ip.String()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
