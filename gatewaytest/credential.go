package gatewaytest

import (
	"errors"
	"fmt"
	"net/http"
)

// Credential is an access key of the account.
type Credential struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // of temporary credentials; empty: none

	// Policy is an IAM policy document. Empty: everything is allowed. The
	// actions asked are execute-api:ManageConnections for @connections, where
	// execute-api:Invoke does as well, and execute-api:Invoke for $connect
	// (G-MGMT-2, G-AUTH-22). What it does not allow is AccessDeniedException
	// (G-MGMT-10).
	Policy string
}

// credential is a Credential made ready.
type credential struct {
	Credential
	policy policy // nil: everything is allowed
}

// userARN is who the credential belongs to. The name is assumed.
func (c *credential) userARN(api *API) string {
	return "arn:aws:iam::" + api.AccountID + ":user/" + c.AccessKeyID
}

// newCredentials makes the credentials ready, by access key id.
func newCredentials(api *API) (map[string]*credential, error) {
	var errs []error
	made := make(map[string]*credential, len(api.Credentials))
	for i, c := range api.Credentials {
		ready := &credential{Credential: c}
		var err error
		switch {
		case c.AccessKeyID == "" || c.SecretAccessKey == "":
			err = errors.New("no AccessKeyID or no SecretAccessKey")
		case made[c.AccessKeyID] != nil:
			err = errors.New("the AccessKeyID of another")
		case c.Policy != "":
			ready.policy, err = parsePolicy([]byte(c.Policy))
		}
		if err != nil {
			errs = append(errs, fieldError(fmt.Sprintf("Credentials[%d]", i), err))
		}
		made[c.AccessKeyID] = ready
	}
	if api.IAM && len(api.Credentials) == 0 {
		errs = append(errs, errors.New("IAM: there are no Credentials"))
	}
	if api.IAM && api.Authorizer != nil {
		errs = append(errs, errors.New("IAM: there is an Authorizer too"))
	}
	return made, errors.Join(errs...)
}

const manageAction = "execute-api:ManageConnections"

// permit checks the signature of a request, and that its credential allows one
// of the actions. The first action is the one that a refusal names.
func (g *Gateway) permit(r *http.Request, payloadHash, resource string, actions ...string) (*credential, *Error) {
	c, refused := g.verify(r, payloadHash)
	if refused != nil || c.policy == nil {
		return c, refused
	}
	for _, action := range actions {
		if c.policy.allows(action, resource) {
			return c, nil
		}
	}
	return nil, forbidden("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s",
		c.userARN(&g.api), actions[0], resource) // G-MGMT-10
}

// forbidden is one of the many answers with status 403.
func forbidden(code, format string, args ...any) *Error {
	return &Error{StatusCode: http.StatusForbidden, Code: code, Message: fmt.Sprintf(format, args...)}
}
