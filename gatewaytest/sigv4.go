package gatewaytest

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
