// Package sigv4 signs requests with AWS Signature Version 4, and checks signatures in
// their headers or in their query string (AWS General Reference, "Signing AWS API
// requests"). Its errors are worded as the service words them.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/fields"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
)

const (
	// maxSkew is how far the time of a signature may be from ours: 5 minutes, as
	// the service's own errors say.
	maxSkew = 5 * time.Minute

	// maxExpires is the largest X-Amz-Expires: 7 days.
	maxExpires = 7 * 24 * time.Hour
)

// Verifier checks the signatures of requests to one service in one Region.
type Verifier struct {
	Region, Service string

	// Credential finds an access key by its id. It reports false if there is none.
	Credential func(accessKeyID string) (Credential, bool)

	// NeedsExpiry refuses a presigned request without X-Amz-Expires. Otherwise it
	// is valid as long as one that is signed in its headers (G-AUTH-24).
	NeedsExpiry bool
}

// Credential is the secret part of an access key.
type Credential struct {
	SecretAccessKey string
	SessionToken    string // of temporary credentials, or empty
}

// Error is why a request is refused, always with status 403.
type Error struct{ Code, Message string }

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// ErrUnsigned is the error for a request without a signature (G-MGMT-12).
var ErrUnsigned = &Error{"MissingAuthenticationTokenException", "Missing Authentication Token"}

// invalid is an error of G-MGMT-13.
func invalid(format string, args ...any) *Error {
	return &Error{"InvalidSignatureException", fmt.Sprintf(format, args...)}
}

// signature is what a request says about its signature.
type signature struct {
	presigned     bool // in the query string
	accessKeyID   string
	scope         []string // date, Region, service, terminator
	signedHeaders []string
	hash          string
	date          string
	expires       time.Duration // of a presigned request
	token         string
}

// Verify returns the id of the access key that the request is signed with.
// payloadHash is the SHA-256 of the body, in hex.
func (v *Verifier) Verify(r *http.Request, payloadHash string, now time.Time) (accessKeyID string, err *Error) {
	s, err := v.readSignature(r)
	if err != nil {
		return "", err
	}
	credential, ok := v.Credential(s.accessKeyID)
	if !ok || s.token != credential.SessionToken {
		return "", &Error{"UnrecognizedClientException", "The security token included in the request is invalid."}
	}
	if err := s.checkScope(v.Region, v.Service); err != nil {
		return "", err
	}
	if err := s.checkTime(now); err != nil {
		return "", err
	}
	hash, canonical, toSign := s.calculate(r, payloadHash, credential.SecretAccessKey)
	if !hmac.Equal([]byte(hash), []byte(s.hash)) {
		return "", invalid("The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n"+
			"The Canonical String for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n",
			canonical, toSign)
	}
	return s.accessKeyID, nil
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// readSignature finds the signature of a request, in its Authorization header or
// in its query string.
func (v *Verifier) readSignature(r *http.Request) (signature, *Error) {
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		return readHeader(r, authorization)
	}
	query := fields.ParseQuery(r.URL.RawQuery)
	last := func(name string) string { return query.Last(name, fields.Exact) }
	if last("X-Amz-Algorithm") != algorithm {
		return signature{}, ErrUnsigned
	}
	expires, ok := maxSkew, true
	if text := last("X-Amz-Expires"); text != "" || v.NeedsExpiry {
		expires, ok = readExpiry(text)
	}
	if !ok {
		return signature{}, invalid("X-Amz-Expires must be a number of seconds, at most %.0f", maxExpires.Seconds())
	}
	id, scope, _ := strings.Cut(last("X-Amz-Credential"), "/")
	return signature{
		presigned: true, accessKeyID: id, scope: strings.Split(scope, "/"),
		signedHeaders: strings.Split(last("X-Amz-SignedHeaders"), ";"),
		hash:          last("X-Amz-Signature"), date: last("X-Amz-Date"),
		expires: expires, token: last("X-Amz-Security-Token"),
	}, nil
}

// readExpiry reads X-Amz-Expires. It reports false if it is not a number of
// seconds that is allowed.
func readExpiry(text string) (time.Duration, bool) {
	seconds, err := strconv.ParseInt(text, 10, 32)
	expires := time.Duration(seconds) * time.Second
	return expires, err == nil && expires >= 0 && expires <= maxExpires
}

// readHeader reads the Authorization header. The error lists everything that is
// missing, in the words of the service.
func readHeader(r *http.Request, authorization string) (signature, *Error) {
	parts := make(map[string]string)
	if rest, ok := strings.CutPrefix(authorization, algorithm); ok {
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
		return signature{}, &Error{"IncompleteSignatureException", missing.String() + "Authorization=" + authorization}
	}
	id, scope, _ := strings.Cut(parts["Credential"], "/")
	return signature{
		accessKeyID: id, scope: strings.Split(scope, "/"), signedHeaders: strings.Split(parts["SignedHeaders"], ";"),
		hash: parts["Signature"], date: date, token: r.Header.Get("X-Amz-Security-Token"),
	}, nil
}

// checkScope checks date, Region, service and terminator.
func (s signature) checkScope(region, service string) *Error {
	switch {
	case len(s.scope) != 4:
		return invalid("Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%s/%s'",
			s.accessKeyID, strings.Join(s.scope, "/"))
	case s.scope[1] != region:
		return invalid("Credential should be scoped to a valid region, not '%s'", s.scope[1]) // G-MGMT-13
	case s.scope[2] != service:
		return invalid("Credential should be scoped to correct service: '%s'", service)
	case s.scope[3] != terminator:
		return invalid("Credential should be scoped with a valid terminator: '%s', not '%s'", terminator, s.scope[3])
	case !strings.HasPrefix(s.date, s.scope[0]) || len(s.scope[0]) != len("20060102"):
		return invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"'%s' != '%.8s', from '%s'.", s.scope[0], s.date, s.date)
	case !slices.Contains(s.signedHeaders, "host"):
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

// checkTime checks that the signature is neither expired nor from the future.
func (s signature) checkTime(now time.Time) *Error {
	signed, err := time.Parse(timeFormat, s.date)
	if err != nil {
		return invalid("Date must be in ISO-8601 'basic format'. Got '%s'.", s.date)
	}
	now = now.UTC()
	format := func(t time.Time) string { return t.Format(timeFormat) }
	lifetime := maxSkew
	if s.presigned {
		lifetime = s.expires
	}
	switch {
	case signed.Before(now.Add(-lifetime)):
		return invalid("Signature expired: %s is now earlier than %s (%s - %.0f min.)",
			s.date, format(now.Add(-lifetime)), format(now), lifetime.Minutes())
	case signed.After(now.Add(maxSkew)):
		return invalid("Signature not yet current: %s is still later than %s (%s + %.0f min.)",
			s.date, format(now.Add(maxSkew)), format(now), maxSkew.Minutes())
	}
	return nil
}
