package iam

import (
	"encoding/json"
	"sync"
)

// Parser parses policy documents, and remembers the last one: most authorizers return the
// same policy for everybody. The zero value is ready to use.
type Parser struct {
	mu       sync.Mutex
	document string
	policy   Policy // of document
}

// Parse is [ParsePolicy]. Nobody may change the policy.
func (p *Parser) Parse(document json.RawMessage) (Policy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.policy != nil && string(document) == p.document {
		return p.policy, nil
	}
	policy, err := ParsePolicy(document)
	if err == nil {
		p.document, p.policy = string(document), policy
	}
	return policy, err
}
