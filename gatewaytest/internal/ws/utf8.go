package ws

import "unicode/utf8"

// utf8Check checks text that arrives in pieces. It fails at the first byte that
// cannot be part of UTF-8, also when a character is split between pieces (RFC
// 6455 section 8.1).
type utf8Check struct {
	need   int  // continuation bytes that the current character still lacks
	lo, hi byte // the range of the next of them
}

// add checks the next piece and reports whether the text is valid so far.
func (u *utf8Check) add(p []byte) bool {
	if u.need == 0 && utf8.Valid(p) {
		return true // the usual case: a piece of whole characters
	}
	for _, b := range p {
		if u.need > 0 {
			if b < u.lo || b > u.hi {
				return false
			}
			u.need, u.lo, u.hi = u.need-1, 0x80, 0xBF
			continue
		}
		if !u.start(b) {
			return false
		}
	}
	return true
}

// start takes the first byte of a character.
func (u *utf8Check) start(b byte) bool {
	u.lo, u.hi = 0x80, 0xBF
	switch {
	case b < 0x80:
	case b >= 0xC2 && b <= 0xDF:
		u.need = 1
	case b >= 0xE0 && b <= 0xEF:
		u.need = 2
		switch b {
		case 0xE0:
			u.lo = 0xA0 // lower would be an overlong form
		case 0xED:
			u.hi = 0x9F // higher would be a surrogate
		}
	case b >= 0xF0 && b <= 0xF4:
		u.need = 3
		switch b {
		case 0xF0:
			u.lo = 0x90 // lower would be an overlong form
		case 0xF4:
			u.hi = 0x8F // higher would be beyond U+10FFFF
		}
	default:
		return false
	}
	return true
}

// complete reports whether the text may end here.
func (u *utf8Check) complete() bool { return u.need == 0 }
