package gatewaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// invokeAction is what connecting needs (G-AUTH-11).
const invokeAction = "execute-api:Invoke"

// policy is an IAM policy, as far as an authorizer can use one.
type policy []statement

type statement struct {
	allow       bool
	actions     []string
	resources   []string
	notAction   bool // actions are those not meant
	notResource bool // resources are those not meant
	conditional bool // has a Condition
}

// oneOrMany reads what IAM lets be a string or a list of strings.
type oneOrMany []string

func (m *oneOrMany) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*m = make(oneOrMany, 1)
		return json.Unmarshal(raw, &(*m)[0])
	}
	return json.Unmarshal(raw, (*[]string)(m))
}

// writtenStatement is a statement as it is written.
type writtenStatement struct {
	Effect                                   string
	Action, NotAction, Resource, NotResource oneOrMany
	Condition                                json.RawMessage
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *writtenStatement) UnmarshalJSON(raw []byte) error {
	return byKey(raw, map[string]any{
		"Effect": &s.Effect, "Action": &s.Action, "NotAction": &s.NotAction,
		"Resource": &s.Resource, "NotResource": &s.NotResource, "Condition": &s.Condition,
	})
}

// byKey reads members of a JSON object by their exact keys. Into the fields of a
// struct Go would take "statement" for Statement, which IAM does not.
func byKey(raw []byte, into map[string]any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	for key, target := range into {
		if value, ok := members[key]; ok {
			if err := json.Unmarshal(value, target); err != nil {
				return err
			}
		}
	}
	return nil
}

// parsePolicy reads a policy document with one statement or a list of them.
func parsePolicy(raw json.RawMessage) (policy, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, errors.New("missing")
	}
	var written json.RawMessage
	if err := byKey(raw, map[string]any{"Statement": &written}); err != nil {
		return nil, err
	}
	var statements []writtenStatement
	switch text := string(written); {
	case text == "" || text == "null":
		return nil, errors.New("no Statement")
	case text[0] == '{':
		statements = make([]writtenStatement, 1)
		if err := json.Unmarshal(written, &statements[0]); err != nil {
			return nil, err
		}
	default:
		if err := json.Unmarshal(written, &statements); err != nil {
			return nil, err
		}
	}
	var p policy
	for i, w := range statements {
		s := statement{
			allow: w.Effect == "Allow", actions: w.Action, resources: w.Resource,
			notAction: w.NotAction != nil, notResource: w.NotResource != nil,
			conditional: len(w.Condition) > 0 && string(w.Condition) != "null" && string(w.Condition) != "{}",
		}
		if s.notAction {
			s.actions = append(s.actions, w.NotAction...)
		}
		if s.notResource {
			s.resources = append(s.resources, w.NotResource...)
		}
		switch {
		case w.Effect != "Allow" && w.Effect != "Deny":
			return nil, fmt.Errorf("statement %d: Effect %q", i, w.Effect)
		case len(s.actions) == 0 || s.notAction && w.Action != nil:
			return nil, fmt.Errorf("statement %d: needs Action or NotAction", i)
		case len(s.resources) == 0 || s.notResource && w.Resource != nil:
			return nil, fmt.Errorf("statement %d: needs Resource or NotResource", i)
		}
		for _, resource := range s.resources {
			if len(resource) > maxPolicyARN {
				return nil, fmt.Errorf("statement %d: a resource of %d characters, at most %d", i, len(resource), maxPolicyARN)
			}
		}
		p = append(p, s)
	}
	return p, nil
}

// judgeMessages keeps the policy that opened the connection for its messages, if
// they are to be held against it (G-AUTH-23).
func (c *conn) judgeMessages(p policy) {
	if c.g.api.Assumptions.PolicyPerMessage {
		c.policy = p
	}
}

// allows evaluates the policy as IAM does: an explicit Deny wins, without a
// matching Allow the answer is no (G-AUTH-12). Conditions are not evaluated;
// they are taken the safe way, so that a conditional Allow never holds and a
// conditional Deny always does.
func (p policy) allows(action, resource string) bool {
	allowed := false
	for _, s := range p {
		if !s.matches(action, resource) {
			continue
		}
		if !s.allow {
			return false
		}
		allowed = allowed || !s.conditional
	}
	return allowed
}

func (s statement) matches(action, resource string) bool {
	action = strings.ToLower(action) // actions ignore case, resources do not
	matched := false
	for _, pattern := range s.actions {
		matched = matched || wildcard(strings.ToLower(pattern), action)
	}
	if matched == s.notAction {
		return false
	}
	matched = false
	for _, pattern := range s.resources {
		matched = matched || wildcard(pattern, resource)
	}
	return matched != s.notResource
}

// wildcard matches a pattern in which * is any text, slashes and colons
// included, and ? any one character. It goes back only to the last star, so
// it needs no more than pattern times text steps.
func wildcard(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
