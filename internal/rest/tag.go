package rest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// bodyTag returns the entity tag of a body: another body has another tag.
func bodyTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// cartTag returns the entity tag of a cart.
func cartTag(epoch string, version int64) string { return fmt.Sprintf(`"%s.%d"`, epoch, version) }

// matches reports whether a list of entity tags has tag, by weak comparison (RFC 9110,
// section 13.1.2). * matches every tag.
func matches(lists []string, tag string) bool {
	for rest := strings.Join(lists, ","); ; {
		rest = strings.TrimLeft(rest, " \t,")
		if strings.HasPrefix(rest, "*") {
			return true
		}
		rest = strings.TrimPrefix(rest, "W/")
		if !strings.HasPrefix(rest, `"`) {
			return false
		}
		end := strings.IndexByte(rest[1:], '"') + 2
		if end < 2 {
			return false
		}
		if rest[:end] == tag {
			return true
		}
		rest = rest[end:]
	}
}

// ifMatch returns the fields of a message that say what the If-Match header says: the
// version of the cart, and its epoch. * is any cart: everybody has one.
func ifMatch(lists []string) (map[string]any, error) {
	if len(lists) == 0 || len(lists) == 1 && strings.TrimSpace(lists[0]) == "*" {
		return map[string]any{}, nil
	}
	tag := strings.TrimSpace(strings.Join(lists, ","))
	inner, ok := strings.CutPrefix(tag, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	at := strings.LastIndexByte(inner, '.')
	if !ok || !closed || at < 1 || strings.Contains(inner, `"`) {
		return nil, errIfMatch
	}
	version, err := strconv.ParseInt(inner[at+1:], 10, 64)
	if err != nil {
		return nil, errIfMatch
	}
	return map[string]any{"epoch": inner[:at], "version": version}, nil
}

// errIfMatch refuses a tag that no cart can have: a list, a weak tag, another's tag.
var errIfMatch error = &wire.Error{
	Code: wire.CodeConflict, Message: `If-Match has one tag as GET /v1/cart returns it: "<epoch>.<version>"`,
}
