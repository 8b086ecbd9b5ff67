package samapi

import (
	"maps"
	"slices"
	"strings"
)

// typePermission lets API Gateway invoke a function.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html
const typePermission = "AWS::Lambda::Permission"

// checkPermissions notes the functions that API Gateway may not invoke in AWS. Those of
// other stacks may have permissions there.
func (b *builder) checkPermissions() {
	permitted := map[string]bool{}
	for _, r := range b.resources {
		if r.Type != typePermission {
			continue
		}
		principal, ok := r.Property("Principal").Try()
		if ok && !strings.HasPrefix(principal, "apigateway.") {
			continue
		}
		arn, ok := r.Property("FunctionName").Try()
		if m := functionARN.FindStringSubmatch(arn); ok && m != nil {
			permitted[m[1]] = true
		} else {
			return // it may be for any function
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.functions)) {
		f := b.functions[id]
		if f.InTemplate && f.needsPermission && !permitted[f.Name] {
			b.Note(f.Pos, "no AWS::Lambda::Permission lets API Gateway invoke %s: in AWS that fails with 500", id)
		}
	}
}
