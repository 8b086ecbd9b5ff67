package gatewaytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4 (AWS General Reference, "Signing AWS API requests").
const (
	sigAlgorithm  = "AWS4-HMAC-SHA256"
	sigService    = "execute-api"
	sigTerminator = "aws4_request"
	sigTime       = "20060102T150405Z"
)

// maxSkew is how far the time of a signature may be from ours: 5 minutes, as the
// service's own refusals say. maxExpires bounds X-Amz-Expires: 7 days.
const (
	maxSkew    = 5 * time.Minute
	maxExpires = 7 * 24 * time.Hour
)

// signature is what a request says of its signature.
type signature struct {
	presigned     bool // in the query string
	accessKeyID   string
	scope         []string // date, region, service, terminator
	signedHeaders []string
	hash          string
	date          string
	expires       time.Duration // of a presigned request
	token         string
}

// verify finds the credential that a request is signed with, or says what is
// wrong. The wall clock counts, however far the gateway's clock was moved:
// signers know no other.
func (g *Gateway) verify(r *http.Request, payloadHash string) (*credential, *Error) {
	s, refused := g.readSignature(r)
	if refused != nil {
		return nil, refused
	}
	c := g.credentials[s.accessKeyID]
	if c == nil || s.token != c.SessionToken {
		return nil, forbidden("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if refused := s.checkScope(g.api.Region); refused != nil {
		return nil, refused
	}
	if refused := s.checkTime(time.Now()); refused != nil {
		return nil, refused
	}
	canonical := s.canonicalRequest(r, payloadHash)
	digest := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{sigAlgorithm, s.date, strings.Join(s.scope, "/"), hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + c.SecretAccessKey)
	for _, step := range append(slices.Clone(s.scope), toSign) {
		key = sign(key, step)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(s.hash)) {
		return nil, invalidSignature("The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n"+
			"The Canonical String for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n", canonical, toSign)
	}
	return c, nil
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// invalidSignature is a refusal of G-MGMT-13.
func invalidSignature(format string, args ...any) *Error {
	return forbidden("InvalidSignatureException", format, args...)
}

// readSignature finds the signature of a request, in its Authorization header
// or its query string.
func (g *Gateway) readSignature(r *http.Request) (signature, *Error) {
	query := parseQuery(r.URL.RawQuery)
	authorization := r.Header.Get("Authorization")
	switch {
	case authorization != "":
		return readAuthorization(r, authorization)
	case query.last("X-Amz-Algorithm", same) == sigAlgorithm:
		seconds, err := strconv.ParseInt(query.last("X-Amz-Expires", same), 10, 32)
		expires := time.Duration(seconds) * time.Second
		if err != nil || expires < 0 || expires > maxExpires {
			return signature{}, invalidSignature("X-Amz-Expires must be a number of seconds, at most %.0f", maxExpires.Seconds())
		}
		id, scope, _ := strings.Cut(query.last("X-Amz-Credential", same), "/")
		return signature{
			presigned: true, accessKeyID: id, scope: strings.Split(scope, "/"),
			signedHeaders: strings.Split(query.last("X-Amz-SignedHeaders", same), ";"),
			hash:          query.last("X-Amz-Signature", same), date: query.last("X-Amz-Date", same),
			expires: expires, token: query.last("X-Amz-Security-Token", same),
		}, nil
	}
	if g.api.Assumptions.UnsignedForbidden {
		return signature{}, ErrForbidden
	}
	return signature{}, forbidden("MissingAuthenticationTokenException", "Missing Authentication Token") // G-MGMT-12
}

// readAuthorization reads the header. What is missing is named as the service
// names it.
func readAuthorization(r *http.Request, authorization string) (signature, *Error) {
	parts := make(map[string]string)
	if rest, ok := strings.CutPrefix(authorization, sigAlgorithm); ok {
		for part := range strings.SplitSeq(rest, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			parts[name] = value
		}
	}
	date := r.Header.Get("X-Amz-Date")
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	if date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return signature{}, forbidden("IncompleteSignatureException", "%sAuthorization=%s", missing.String(), authorization)
	}
	id, scope, _ := strings.Cut(parts["Credential"], "/")
	return signature{
		accessKeyID: id, scope: strings.Split(scope, "/"), signedHeaders: strings.Split(parts["SignedHeaders"], ";"),
		hash: parts["Signature"], date: date, token: r.Header.Get("X-Amz-Security-Token"),
	}, nil
}

// checkScope checks date, region, service and terminator.
func (s signature) checkScope(region string) *Error {
	switch {
	case len(s.scope) != 4:
		return invalidSignature("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s/%s'",
			s.accessKeyID, strings.Join(s.scope, "/"))
	case s.scope[1] != region:
		return invalidSignature("Credential should be scoped to a valid region, not '%s'", s.scope[1]) // G-MGMT-13
	case s.scope[2] != sigService:
		return invalidSignature("Credential should be scoped to correct service: '%s'", sigService)
	case s.scope[3] != sigTerminator:
		return invalidSignature("Credential should be scoped with a valid terminator: '%s', not '%s'", sigTerminator, s.scope[3])
	case !strings.HasPrefix(s.date, s.scope[0]) || len(s.scope[0]) != len("20060102"):
		return invalidSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%.8s', from '%s'.",
			s.scope[0], s.date, s.date)
	case !slices.Contains(s.signedHeaders, "host"):
		return invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

// checkTime checks that the signature is neither too old nor of the future.
func (s signature) checkTime(now time.Time) *Error {
	at, err := time.Parse(sigTime, s.date)
	if err != nil {
		return invalidSignature("Date must be in ISO-8601 'basic format'. Got '%s'.", s.date)
	}
	now = now.UTC()
	format := func(t time.Time) string { return t.Format(sigTime) }
	lifetime := maxSkew
	if s.presigned {
		lifetime = s.expires
	}
	switch {
	case at.Before(now.Add(-lifetime)):
		return invalidSignature("Signature expired: %s is now earlier than %s (%s - %.0f min.)",
			s.date, format(now.Add(-lifetime)), format(now), lifetime.Minutes())
	case at.After(now.Add(maxSkew)):
		return invalidSignature("Signature not yet current: %s is still later than %s (%s + %.0f min.)",
			s.date, format(now.Add(maxSkew)), format(now), maxSkew.Minutes())
	}
	return nil
}
