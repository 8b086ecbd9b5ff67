package cfn

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// expander replaces aliases and merge keys by what they stand for, and reports keys
// that a template cannot have. What has several aliases stays one node.
type expander struct {
	t     *Template
	sizes map[*yaml.Node]int // of nodes with all parts, at most MaxBody+1; 0: not yet known
	alias *yaml.Node         // the first one
}

// expand returns the node that stands in place of n.
func (e *expander) expand(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		if e.alias == nil {
			e.alias = n
		}
		n = n.Alias
	}
	if size, seen := e.sizes[n]; seen {
		if size == 0 {
			e.t.problem(n, "the anchor %s contains its own alias", n.Anchor)
		}
		return n
	}
	e.sizes[n] = 0
	size := 1 + len(n.Value) // at least one byte more than its text, such as a comma
	for i, part := range n.Content {
		n.Content[i] = e.expand(part)
		size = min(size+e.sizes[n.Content[i]], MaxBody+1)
	}
	if n.Kind == yaml.MappingNode {
		e.merge(n)
		e.t.checkKeys(n)
	}
	e.sizes[n] = size // with what a merge key has replaced, too
	return n
}

// merge replaces the merge keys of a map by the entries of their maps that the map does
// not have itself.
// https://yaml.org/type/merge.html
func (e *expander) merge(n *yaml.Node) {
	isMerge := func(key *yaml.Node) bool { return key.Tag == "!!merge" }
	if !slices.ContainsFunc(n.Content, isMerge) {
		return
	}
	own, merged, has := []*yaml.Node{}, []*yaml.Node{}, map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; !isMerge(key) {
			own = append(own, key, n.Content[i+1])
			has[key.Value] = true
		} else if e.alias == nil {
			e.alias = key
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		maps := []*yaml.Node{n.Content[i+1]}
		if maps[0].Kind == yaml.SequenceNode {
			maps = maps[0].Content
		}
		for _, m := range maps {
			if m.Kind != yaml.MappingNode {
				e.t.problem(n.Content[i], "a merge key takes a map or a list of maps")
				continue
			}
			merged = append(merged, missingEntries(m, has)...)
		}
	}
	n.Content = append(own, merged...)
}

// missingEntries returns the entries of a map whose keys are not in has, and adds them
// to it.
func missingEntries(m *yaml.Node, has map[string]bool) []*yaml.Node {
	var missing []*yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		if key := m.Content[i]; !has[key.Value] {
			has[key.Value] = true
			missing = append(missing, key, m.Content[i+1])
		}
	}
	return missing
}

// checkKeys reports keys that a template cannot have.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
func (t *Template) checkKeys(n *yaml.Node) {
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			t.problem(key, "a key must be a string")
		case seen[key.Value]:
			t.problem(key, "%s occurs twice", key.Value)
		}
		seen[key.Value] = true
		t.hasLoops = t.hasLoops || strings.HasPrefix(key.Value, loopPrefix)
	}
}
