package sigv4

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/fields"
)

// canonicalRequest is the text that is signed (AWS General Reference, "Create a
// canonical request"): method, path, query string, the signed headers, their
// names, and the hash of the body.
func (s signature) canonicalRequest(r *http.Request, payloadHash string) string {
	var b strings.Builder
	// Every service but S3 encodes the path once more than it was sent (G-MGMT-3):
	// a raw "=" is %3D here, and %3D is %253D.
	b.WriteString(r.Method + "\n" + encodeURI(r.URL.EscapedPath(), "/") + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range s.signedHeaders {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.signedHeaders, ";") + "\n" + payloadHash)
	return b.String()
}

// canonicalQuery sorts the pairs of a query string, without the signature.
func canonicalQuery(raw string) string {
	var pairs fields.List
	for _, pair := range fields.ParseQuery(raw) {
		if pair.Name != "X-Amz-Signature" {
			pairs = append(pairs, fields.Field{Name: encodeURI(pair.Name, ""), Value: encodeURI(pair.Value, "")})
		}
	}
	slices.SortFunc(pairs, func(a, b fields.Field) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	texts := make([]string, len(pairs))
	for i, pair := range pairs {
		texts[i] = pair.Name + "=" + pair.Value
	}
	return strings.Join(texts, "&")
}

// canonicalHeader returns all values of a header, with single blanks only.
func canonicalHeader(r *http.Request, name string) string {
	if name == "host" {
		return r.Host // net/http moves it there
	}
	values := slices.Clone(r.Header.Values(name))
	if name == "content-length" && len(values) == 0 && r.ContentLength >= 0 {
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	for i, value := range values {
		values[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(values, ",")
}

// encodeURI percent-encodes everything except the unreserved characters of RFC
// 3986 section 2.3 and those in keep.
func encodeURI(text, keep string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			strings.IndexByte("-._~", c) >= 0, strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}
