package cfn

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// CloudFormation's own limits. A template above one is refused.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	MaxBody = 1 << 20 // bytes of a template in S3, and of what a transform makes of it

	maxParameters = 200
	maxMappings   = 200
	maxAttributes = 200 // of a mapping
	maxOutputs    = 200
	maxResources  = 500 // with those that a transform makes
)

const (
	// maxWork limits the evaluation of a template: one for each function and for each byte
	// that functions make, and elementWork for each element of a list or a map. Our own
	// choice: a large template needs a tenth of it, and it takes less than a second.
	maxWork = 4 << 20

	elementWork = 16
)

// checkBounds reports sections with more entries than CloudFormation accepts.
func (t *Template) checkBounds() {
	t.checkCount("Parameters", t.sections["Parameters"], maxParameters)
	t.checkCount("Mappings", t.sections["Mappings"], maxMappings)
	t.checkCount("Outputs", t.sections["Outputs"], maxOutputs)
	t.checkCount("Resources", t.sections["Resources"], maxResources)
	mappings := t.sections["Mappings"]
	if mappings == nil {
		return
	}
	for i := 0; i+1 < len(mappings.Content); i += 2 {
		name, mapping := mappings.Content[i].Value, mappings.Content[i+1]
		t.checkCount("mapping "+name, mapping, maxAttributes)
		for _, attributes := range mapping.Content {
			t.checkCount("mapping "+name, attributes, maxAttributes)
		}
	}
}

func (t *Template) checkCount(what string, n *yaml.Node, most int) {
	if n != nil && len(n.Content)/2 > most {
		t.problem(n, "%s: %d entries, CloudFormation accepts at most %d", what, len(n.Content)/2, most)
	}
}

// spend counts work, and reports false if there was too much.
func (s *Stack) spend(at *yaml.Node, work int) bool {
	if s.work > maxWork {
		return false
	}
	if s.work += work; s.work > maxWork {
		s.fail(at, "the template takes too much work to evaluate: its functions make more than %d bytes", maxWork)
		return false
	}
	return true
}

// checkResources reports more resources than CloudFormation accepts, and drops them.
func (s *Stack) checkResources() {
	if count := len(s.resources); count > maxResources {
		s.Problem(s.resources[maxResources].Pos, "the template has %d resources, CloudFormation accepts at most %d", count,
			maxResources)
		s.resources = slices.Clip(s.resources[:maxResources])
	}
}
