package redact

import (
	"regexp"
	"strings"
)

// The forms of secrets. Nothing tells a password from a word; what a machine made can be told
// from what a person named. The lengths are our own choice, unless a source is named.
const (
	minToken  = 9  // bytes of a signed token that was cut off: "eyJ" and six
	ticketLen = 26 // bytes of crypto/rand.Text, of which tickets are
	keyIDLen  = 20 // bytes of an AWS access key ID
	minRandom = 32 // bytes of a random text: ids of rows, connections and messages are shorter
)

// uuid matches an id in the form of RFC 9562, which names things and is no secret.
var uuid = regexp.MustCompile(`[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}`)

// Tokens replaces what has the form of a signed token (RFC 7519, whole or cut off), of a
// ticket or of an AWS access key ID in a text of any form. In a JSON text it stays valid
// JSON if stand does not need escapes.
func Tokens(text string, stand func(secret string) string) string {
	return replace(text, stand, false)
}

// Secrets replaces what [Tokens] does, and long random texts: of 32 bytes or more in which
// letters, digits and cases change as often as chance makes them. UUIDs stay, and ids of guests
// and of carts, which follow "guest:", "cart:" or "~".
func Secrets(text string, stand func(secret string) string) string {
	return replace(text, stand, true)
}

func replace(text string, stand func(string) string, random bool) string {
	var b strings.Builder
	done := 0
	for start := 0; start < len(text); start++ {
		end := start
		for end < len(text) && isTokenByte(text[end]) {
			end++
		}
		if end-start >= minToken {
			from, to := find(text, start, end, random)
			if from < to {
				b.WriteString(text[done:from])
				b.WriteString(stand(text[from:to]))
				done = to
			}
		}
		start = end
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// find returns where a secret is in a run of bytes that tokens may have.
func find(text string, start, end int, random bool) (from, to int) {
	run := text[start:end]
	if i := signedToken(text, start, end); i >= 0 {
		return i, end
	}
	at := start
	for part := range strings.FieldsFuncSeq(run, func(r rune) bool { return !isAlphanumeric(byte(r)) }) {
		i := at + strings.Index(text[at:end], part)
		at = i + len(part)
		if isTicket(part) || isKeyID(part) {
			return i, at
		}
	}
	if random && isRandom(run) && !isNamed(text[:start]) {
		return start, end
	}
	return 0, 0
}

// signedToken returns where a signed token begins in a run, -1 if there is none.
func signedToken(text string, start, end int) int {
	for i := start; i+minToken <= end; i++ {
		if text[i:i+3] != "eyJ" || !isBoundary(text, i) {
			continue
		}
		if before := strings.TrimSuffix(text[start:i], "guest."); len(before) < i-start {
			return start + len(before)
		}
		return i
	}
	return -1
}

// isBoundary reports whether a word may begin at i: behind the letter of an escape in JSON too.
func isBoundary(text string, i int) bool {
	return i == 0 || !isAlphanumeric(text[i-1]) || i > 1 && text[i-2] == '\\'
}

func isTicket(part string) bool {
	return len(part) == ticketLen && strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// isKeyID tells AWS access key IDs by their prefixes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func isKeyID(part string) bool {
	return len(part) == keyIDLen && (strings.HasPrefix(part, "AKIA") || strings.HasPrefix(part, "ASIA")) &&
		strings.ToUpper(part) == part
}

// isRandom reports whether the classes of neighbours in a run differ as often as chance makes
// them: in base64 some 60 % of them do, in hexadecimal digits 47 %, in words that people join
// hardly 20 %.
func isRandom(run string) bool {
	if len(run) < minRandom {
		return false
	}
	if run = uuid.ReplaceAllString(run, ""); len(run) < minRandom {
		return false
	}
	changes := 0
	for i := 1; i < len(run); i++ {
		if a, b := classes[run[i-1]], classes[run[i]]; a != b && a != 0 && b != 0 {
			changes++
		}
	}
	return 4*changes >= len(run)
}

// isNamed reports whether the text before a run says that an id of ours follows.
func isNamed(before string) bool {
	return strings.HasSuffix(before, "guest:") || strings.HasSuffix(before, "cart:") || strings.HasSuffix(before, "~")
}

// classes has the kind of each letter and digit; 0: neither.
var classes = func() (all [256]byte) {
	for i, letters := range []string{"0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		for _, c := range []byte(letters) {
			all[c] = byte(i + 1)
		}
	}
	return all
}()

func isAlphanumeric(c byte) bool { return classes[c] != 0 }

// isTokenByte reports whether tokens have a byte: those of base64, its URL form, and the dot
// between the parts of a signed token.
func isTokenByte(c byte) bool {
	return classes[c] != 0 || c == '-' || c == '_' || c == '.' || c == '+' || c == '/'
}
