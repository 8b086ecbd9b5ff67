// Package iam evaluates IAM policy documents, as far as API Gateway uses them
// for the calls of clients: actions, resources and wildcards, but no conditions.
package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// MaxResource is the longest resource in a policy, in characters (G-AUTH-17).
const MaxResource = 512

// Policy is a parsed policy document.
type Policy []statement

type statement struct {
	allow       bool
	actions     []string
	resources   []string
	notAction   bool // actions lists what does not match
	notResource bool // resources lists what does not match
	conditional bool // has a Condition
}

// stringOrList decodes what IAM allows to be a string or a list of strings.
type stringOrList []string

// UnmarshalJSON implements [json.Unmarshaler].
func (l *stringOrList) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*l = make(stringOrList, 1)
		return json.Unmarshal(raw, &(*l)[0])
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// rawStatement is a statement of a policy document.
type rawStatement struct {
	Effect                                   string
	Action, NotAction, Resource, NotResource stringOrList
	Condition                                json.RawMessage
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *rawStatement) UnmarshalJSON(raw []byte) error {
	return plainjson.Members(raw, map[string]any{
		"Effect": &s.Effect, "Action": &s.Action, "NotAction": &s.NotAction,
		"Resource": &s.Resource, "NotResource": &s.NotResource, "Condition": &s.Condition,
	})
}

// ParsePolicy reads a policy document with one statement or a list of them.
func ParsePolicy(document json.RawMessage) (Policy, error) {
	if len(document) == 0 || string(document) == "null" {
		return nil, errors.New("missing")
	}
	var raw json.RawMessage
	if err := plainjson.Members(document, map[string]any{"Statement": &raw}); err != nil {
		return nil, err
	}
	var statements []rawStatement
	switch text := string(raw); {
	case text == "" || text == "null":
		return nil, errors.New("no Statement")
	case text[0] == '{':
		statements = make([]rawStatement, 1)
		if err := json.Unmarshal(raw, &statements[0]); err != nil {
			return nil, err
		}
	default:
		if err := json.Unmarshal(raw, &statements); err != nil {
			return nil, err
		}
	}
	var p Policy
	for i, raw := range statements {
		s, err := raw.parse()
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i, err)
		}
		p = append(p, s)
	}
	return p, nil
}

func (r rawStatement) parse() (statement, error) {
	s := statement{
		allow: r.Effect == "Allow", actions: r.Action, resources: r.Resource,
		notAction: r.NotAction != nil, notResource: r.NotResource != nil,
		conditional: len(r.Condition) > 0 && string(r.Condition) != "null" && string(r.Condition) != "{}",
	}
	if s.notAction {
		s.actions = append(s.actions, r.NotAction...)
	}
	if s.notResource {
		s.resources = append(s.resources, r.NotResource...)
	}
	switch {
	case r.Effect != "Allow" && r.Effect != "Deny":
		return s, fmt.Errorf("has Effect %q", r.Effect)
	case len(s.actions) == 0 || s.notAction && r.Action != nil:
		return s, errors.New("needs Action or NotAction")
	case len(s.resources) == 0 || s.notResource && r.Resource != nil:
		return s, errors.New("needs Resource or NotResource")
	}
	for _, resource := range s.resources {
		if len(resource) > MaxResource {
			return s, fmt.Errorf("a resource of %d characters, at most %d", len(resource), MaxResource)
		}
	}
	return s, nil
}

// Allows reports whether the policy allows an action on a resource. As in IAM, a
// Deny overrides every Allow, and without a matching Allow the answer is no
// (G-AUTH-12). Conditions are not evaluated, which errs on the safe side: an
// Allow with a condition never applies, a Deny with one always does.
func (p Policy) Allows(action, resource string) bool {
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

// String lists the statements, for people: "Allow execute-api:Invoke on arn:…".
func (p Policy) String() string {
	if len(p) == 0 {
		return "no statement"
	}
	texts := make([]string, len(p))
	for i, s := range p {
		texts[i] = s.String()
	}
	return strings.Join(texts, "; ")
}

// String is one statement of [Policy.String].
func (s statement) String() string {
	effect, not := "Deny", map[bool]string{true: "all but "}
	if s.allow {
		effect = "Allow"
	}
	text := effect + " " + not[s.notAction] + strings.Join(s.actions, ", ") +
		" on " + not[s.notResource] + strings.Join(s.resources, ", ")
	if s.conditional {
		text += " with a Condition, which is not evaluated"
	}
	return text
}

// matches ignores the letter case of actions, but not of resources.
func (s statement) matches(action, resource string) bool {
	action = strings.ToLower(action)
	matchesAction := slices.ContainsFunc(s.actions, func(pattern string) bool {
		return wildcard(strings.ToLower(pattern), action)
	})
	if matchesAction == s.notAction {
		return false
	}
	matchesResource := slices.ContainsFunc(s.resources, func(pattern string) bool { return wildcard(pattern, resource) })
	return matchesResource != s.notResource
}

// wildcard matches a pattern in which * stands for any text, including slashes
// and colons, and ? for any one character. On a mismatch it returns only to the
// last star, so it needs at most len(pattern) times len(text) steps.
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
