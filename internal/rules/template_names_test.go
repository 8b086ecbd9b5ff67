package rules

import "strings"

// maxName is the longest name that a stack may have, and the longest that these
// resources may have. cfn-lint does not know theirs:
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html and
// vpclinks.html, and CDK's CachePolicy. It knows others, such as 60 for a log's
// delivery: scripts/cfn-lint/run asks it.
const maxName = 128

// named are the paths of such names in the properties of a type.
var named = map[string][]string{
	kindAPI:                         {"Name"},
	"AWS::Serverless::HttpApi":      {"DefinitionBody", "info", "title"},
	"AWS::ApiGatewayV2::VpcLink":    {"Name"},
	"AWS::CloudFront::CachePolicy":  {"CachePolicyConfig", "Name"},
	"AWS::CloudFront::Distribution": {"DistributionConfig", "Comment"},
}

// checkNames: a stack with the longest name can be made.
func (k *checker) checkNames(scenes []*scene) {
	for _, s := range scenes {
		s.given["AWS::StackName"] = strings.Repeat("s", maxName)
		for kind, path := range named {
			for _, r := range k.t.ofType(kind) {
				last := len(path) - 1
				name, _ := sub(s.props(r), path[:last]...)[path[last]].(string)
				if s.made(r) && len(name) > maxName {
					k.failf("the name of %s can be too long: %s", r.id, name)
				}
			}
		}
	}
}

// nameMutations are names that a long name of the stack makes too long.
var nameMutations = []mutation{
	{"names", "a link", "  OrdersLink:", "Name: !Ref AWS::StackName", "Name: !Sub ${AWS::StackName}-orders"},
	{"names", "an HTTP API", "  OrdersApi:", "title: !Ref AWS::StackName", `title: !Sub "${AWS::StackName} orders"`},
	{"names", "a WebSocket API", "  Api:", "Name: !Ref AWS::StackName", "Name: !Sub ${AWS::StackName}-sockets"},
}
