package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
)

// addressBits is the length of the IPv6 prefix that identifies a client: a subscriber
// of an Internet provider has at least a /64 (RFC 6177 section 2) and can use any
// address in it.
const addressBits = 64

// HashAddress returns a hash of an IP address, to count what clients of it do.
// The hash is keyed, so that trying all addresses does not reveal the address. It is ""
// if address is not an IP address, or without an AddressKey.
func (v *Verifier) HashAddress(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || len(v.config.AddressKey) == 0 {
		return ""
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		prefix, _ := ip.Prefix(addressBits) // 64 is in range
		ip = prefix.Addr()
	}
	mac := hmac.New(sha256.New, v.config.AddressKey)
	mac.Write([]byte(ip.String()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
