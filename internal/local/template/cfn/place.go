package cfn

import "go.yaml.in/yaml/v3"

// ProblemIn records a mistake in a text that is a language of its own, at a line and a
// column of the text, which count from 1. If the text is a block of YAML, the place is
// that in the template, otherwise the message has it.
func (v Value) ProblemIn(line, column int, format string, args ...any) {
	pos := v.Pos()
	n := writtenText(v.node)
	if n == nil || n.Style&yaml.LiteralStyle == 0 {
		v.stack.Problem(pos, format+" (line %d, column %d of the text)", append(args, line, column)...)
		return
	}
	// The line after that of the "|". How far the block is indented is not known here.
	pos.Line, pos.Column = n.Line+line, column
	v.stack.Problem(pos, format, args...)
}

// writtenText returns the node with the text of a value: itself, or the argument of
// its Fn::Sub.
func writtenText(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind != yaml.ScalarNode {
		isSub := n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Fn::Sub"
		switch {
		case isSub:
			n = n.Content[1]
		case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
			n = n.Content[0]
		default:
			return nil
		}
	}
	return n
}
