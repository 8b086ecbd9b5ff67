package iam

import (
	"encoding/json"
	"testing"
)

// TestParser. Our own: a policy that is remembered is never that of another document.
func TestParser(t *testing.T) {
	document := func(effect string) json.RawMessage {
		return json.RawMessage(`{"Statement":{"Effect":"` + effect + `","Action":"*","Resource":"*"}}`)
	}
	var p Parser
	for _, effect := range []string{"Allow", "Allow", "Deny", "Allow", "Never", "Allow"} {
		policy, err := p.Parse(document(effect))
		if (err != nil) != (effect == "Never") {
			t.Errorf("%s: %v", effect, err)
		}
		if allows := policy.Allows("execute-api:Invoke", "arn"); allows != (effect == "Allow") {
			t.Errorf("%s: allows %t", effect, allows)
		}
	}
	if a, b := mustParse(t, &p, document("Allow")), mustParse(t, &p, document("Allow")); &a[0] != &b[0] {
		t.Error("the same document was parsed twice")
	}
}

func mustParse(t *testing.T, p *Parser, document json.RawMessage) Policy {
	t.Helper()
	policy, err := p.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}
