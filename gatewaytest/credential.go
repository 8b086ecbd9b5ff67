package gatewaytest

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/iam"
	"github.com/securecart/hub/gatewaytest/internal/sigv4"
)

// Credential is an access key of the account.
type Credential struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // of temporary credentials, or empty

	// Policy is an IAM policy document. Empty: everything is allowed. Requests
	// to @connections need the action execute-api:ManageConnections or
	// execute-api:Invoke, and $connect needs execute-api:Invoke (G-MGMT-2,
	// G-AUTH-22). A request that the policy does not allow gets
	// AccessDeniedException (G-MGMT-10).
	Policy string
}

// credential is a Credential with its parsed policy.
type credential struct {
	Credential
	policy iam.Policy // nil: everything is allowed
}

// userARN is the user that the credential belongs to. The user name is assumed.
func (c *credential) userARN(api *API) string {
	return "arn:aws:iam::" + api.AccountID + ":user/" + c.AccessKeyID
}

// newCredentials prepares the credentials, by access key id.
func newCredentials(api *API) (map[string]*credential, error) {
	var errs []error
	byID := make(map[string]*credential, len(api.Credentials))
	for i, c := range api.Credentials {
		prepared := &credential{Credential: c}
		var err error
		switch {
		case c.AccessKeyID == "" || c.SecretAccessKey == "":
			err = errors.New("no AccessKeyID or no SecretAccessKey")
		case byID[c.AccessKeyID] != nil:
			err = errors.New("duplicate AccessKeyID")
		case c.Policy != "":
			prepared.policy, err = iam.ParsePolicy([]byte(c.Policy))
		}
		if err != nil {
			errs = append(errs, fieldError(fmt.Sprintf("Credentials[%d]", i), err))
		}
		byID[c.AccessKeyID] = prepared
	}
	if api.IAM && len(api.Credentials) == 0 {
		errs = append(errs, errors.New("IAM: needs Credentials"))
	}
	if api.IAM && api.Authorizer != nil {
		errs = append(errs, errors.New("IAM: not allowed with Authorizer"))
	}
	return byID, errors.Join(errs...)
}

// The actions of a policy that clients need: to connect (G-AUTH-11), and to call
// @connections.
const (
	invokeAction = "execute-api:Invoke"
	manageAction = "execute-api:ManageConnections"
)

// executeAPI is the service that requests are signed for.
const executeAPI = "execute-api"

// findCredential finds the credential that a request is signed with. It uses the
// wall clock, even after Warp: signers know no other.
func (g *Gateway) findCredential(r *http.Request, payloadHash string) (*credential, *Error) {
	id, err := g.verifier.Verify(r, payloadHash, time.Now())
	switch {
	case err == sigv4.ErrUnsigned && g.api.Assumptions.UnsignedForbidden:
		return nil, ErrForbidden // G-MGMT-12
	case err != nil:
		return nil, &Error{StatusCode: http.StatusForbidden, Code: err.Code, Message: err.Message}
	}
	return g.credentials[id], nil
}

// newVerifier returns the verifier for requests that are signed with one of the
// credentials.
func newVerifier(api *API, credentials map[string]*credential) sigv4.Verifier {
	find := func(id string) (sigv4.Credential, bool) {
		c, ok := credentials[id]
		if !ok {
			return sigv4.Credential{}, false
		}
		return sigv4.Credential{SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, true
	}
	return sigv4.Verifier{Region: api.Region, Service: executeAPI, Credential: find,
		NeedsExpiry: api.Assumptions.PresignedNeedsExpiry} // G-AUTH-24
}

// checkCredential checks the signature of a request, and that its credential
// allows one of the actions. An error names the first action.
func (g *Gateway) checkCredential(
	r *http.Request, payloadHash, resource string, actions ...string,
) (*credential, *Error) {
	c, refusal := g.findCredential(r, payloadHash)
	if refusal != nil || c.policy == nil {
		return c, refusal
	}
	for _, action := range actions {
		if c.policy.Allows(action, resource) {
			return c, nil
		}
	}
	return nil, &Error{StatusCode: http.StatusForbidden, Code: "AccessDeniedException", Message: fmt.Sprintf(
		"User: %s is not authorized to perform: %s on resource: %s", c.userARN(&g.api), actions[0], resource)} // G-MGMT-10
}

// keepPolicy keeps the policy that allowed the handshake, if messages are
// checked against it too (G-AUTH-23).
func (c *conn) keepPolicy(p iam.Policy) {
	if c.g.api.Assumptions.PolicyPerMessage {
		c.policy = p
	}
}
