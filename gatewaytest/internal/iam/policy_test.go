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
