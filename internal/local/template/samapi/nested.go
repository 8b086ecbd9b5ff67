package samapi

import (
	"path/filepath"
	"strings"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// nested are the types of nested stacks, with the property that names their template.
var nested = map[string]string{"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}

// nestedTemplate returns the template of a nested stack, as far as it is known.
func (b *builder) nestedTemplate(r *cfn.Resource) (name string, isNested bool) {
	property, isNested := nested[r.Type]
	if !isNested {
		return "", false
	}
	if v := r.Property(property); v.IsText() {
		name, _ = v.Try()
	}
	if path := r.Metadata("aws:asset:path"); path.IsText() {
		name, _ = path.Try() // CDK
	}
	if name != "" && !strings.Contains(name, "://") {
		name = filepath.Join(filepath.Dir(b.file), filepath.FromSlash(name))
	}
	return name, true
}

// noteNestedStacks notes the stacks whose templates are not read.
func (b *builder) noteNestedStacks() {
	for _, r := range b.resources {
		switch name, isNested := b.nestedTemplate(r); {
		case isNested && name == "":
			b.Note(r.Pos, "the nested stack %s is not read", r.ID)
		case isNested:
			b.Note(r.Pos, "the nested stack %s is not read; its template is %s", r.ID, name)
		}
	}
}

// nestedTemplates says which templates of nested stacks may have the API, or nothing.
func (b *builder) nestedTemplates() string {
	var names []string
	for _, r := range b.resources {
		if name, _ := b.nestedTemplate(r); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; a nested stack may have it: -template " + orList(names)
}
