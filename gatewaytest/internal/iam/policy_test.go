package iam

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWildcard(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "A", false}, {"a", "ab", false},
		{"*", "", true}, {"*", "a/b:c", true}, {"a*", "a", true}, {"*a", "ba", true}, {"*a", "ab", false},
		{"a*c", "abbc", true}, {"a*c", "abcd", false}, {"*b*", "abc", true}, {"**", "a", true},
		{"?", "", false}, {"?", "a", true}, {"a?c", "abc", true}, {"a??", "ab", false},
		{"*?", "", false}, {"*?", "ab", true}, {"a*b*c", "axbxbxc", true}, {"a*b*d", "axbxbxc", false},
		{strings.Repeat("*a", 200) + "b", strings.Repeat("a", 5000), false}, // must end quickly
	}
	for _, tt := range tests {
		t.Run("G-AUTH-12 "+tt.pattern[:min(20, len(tt.pattern))], func(t *testing.T) {
			if got := wildcard(tt.pattern, tt.text); got != tt.want {
				t.Errorf("%q against %.40q: got %v, want %v", tt.pattern, tt.text, got, tt.want)
			}
		})
	}
}

// part is a part of a statement, and whether it applies to the action or the
// resource of [TestPolicies].
type part struct {
	json    string
	applies bool
}

// TestPolicies compares every pair of statements of these parts with the rules of
// IAM: a Deny that applies overrides every Allow, and nothing is allowed without an
// Allow that applies.
func TestPolicies(t *testing.T) {
	actions := []part{
		{`"Action":"execute-api:Invoke"`, true}, {`"Action":["s3:*","EXECUTE-API:inv?ke"]`, true},
		{`"Action":"execute-api:ManageConnections"`, false},
		{`"NotAction":"s3:*"`, true}, {`"NotAction":["s3:*","execute-api:*"]`, false},
	}
	resources := []part{
		{`"Resource":"arn:a/v1/$connect"`, true}, {`"Resource":["arn:b","arn:a/*"]`, true},
		{`"Resource":"arn:A/v1/$connect"`, false}, {`"Resource":"arn:a/v2/*"`, false},
		{`"NotResource":"arn:b"`, true}, {`"NotResource":["arn:b","arn:?/v1/*"]`, false},
	}
	conditions := []part{
		{``, true}, {`,"Condition":{}`, true}, {`,"Condition":{"Bool":{"aws:SecureTransport":"true"}}`, false},
	}
	type expected struct {
		json        string
		allow, deny bool
	}
	var statements []expected
	for _, action := range actions {
		for _, resource := range resources {
			for _, condition := range conditions {
				both := action.applies && resource.applies
				rest := action.json + "," + resource.json + condition.json + "}"
				statements = append(statements,
					expected{`{"Effect":"Allow",` + rest, both && condition.applies, false},
					expected{`{"Effect":"Deny",` + rest, false, both}) // a condition that is not evaluated denies
			}
		}
	}
	if len(statements) != 180 {
		t.Fatalf("%d statements, want 180", len(statements))
	}
	check := func(document string, want bool) {
		policy, err := ParsePolicy(json.RawMessage(document))
		if err != nil {
			t.Fatalf("%s: %v", document, err)
		}
		if got := policy.Allows("execute-api:Invoke", "arn:a/v1/$connect"); got != want {
			t.Errorf("G-AUTH-12: %s allows it: %t, want %t", document, got, want)
		}
	}
	check(`{"Statement":[]}`, false)
	for _, a := range statements {
		check(`{"Statement":`+a.json+`}`, a.allow)
		for _, b := range statements {
			check(`{"Statement":[`+a.json+`,`+b.json+`]}`, (a.allow || b.allow) && !a.deny && !b.deny)
		}
	}
}

// FuzzPolicy. Our own: a policy document never makes the parser or the evaluation
// panic, and a policy that denies everything allows nothing.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:*"}}`, "execute-api:Invoke", "arn:x")
	f.Add(`{"Statement":[{"Effect":"Deny","NotAction":["a"],"NotResource":"?"}]}`, "b", "")
	f.Fuzz(func(t *testing.T, document, action, resource string) {
		policy, err := ParsePolicy(json.RawMessage(document))
		if err != nil {
			return
		}
		policy.Allows(action, resource)
		everything := statement{actions: []string{"*"}, resources: []string{"*"}}
		if append(policy, everything).Allows(action, resource) {
			t.Errorf("%s allows %q on %q in spite of a Deny", document, action, resource)
		}
	})
}
