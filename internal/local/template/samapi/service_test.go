package samapi_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// serviceIntegration is the integration of fullTemplate's MOCK as one with SQS.
const serviceIntegration = `IntegrationType: AWS
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/orders
      CredentialsArn: !Sub arn:aws:iam::${AWS::AccountId}:role/queue
      RequestParameters: {integration.request.header.Content-Type: "'application/x-www-form-urlencoded'"}`

func TestServices(t *testing.T) {
	result := mustBuild(t, replaceOnce(t, fullTemplate, mockType, serviceIntegration), samapi.Options{})
	want := fullAPI()
	ping := want.Routes["ping"]
	ping.Service = &gatewaytest.Service{
		URI: "arn:aws:apigateway:eu-central-1:sqs:path/123456789012/orders", Method: "POST",
		RequestParameters: map[string]string{
			"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
		},
	}
	want.Routes["ping"] = ping
	wantAPI(t, result.API, want)
	if !reflect.DeepEqual(result.Services, []string{"sqs"}) || len(result.Notes) > 0 {
		t.Errorf("got the services %q and the notes %q", result.Services, result.Notes)
	}
}

// TestServiceNotes: what AWS needs and nothing needs locally, and the other way round.
func TestServiceNotes(t *testing.T) {
	const role = "      CredentialsArn: !Sub arn:aws:iam::${AWS::AccountId}:role/queue\n"
	const own, other = "${Api}.execute-api:path/dev/@connections/", "abc.execute-api:path/dev/@connections/"
	const otherNote = "Mock calls another API; localhub sends its requests to this one"
	for name, tt := range map[string]struct{ old, new, want string }{
		"without a role": {role, "", "Mock has no CredentialsArn: in AWS, its requests to sqs need a role"},
		"another API":    {"sqs:path/${AWS::AccountId}/orders", other, otherNote},
		"its own API":    {"sqs:path/${AWS::AccountId}/orders", own, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := replaceOnce(t, replaceOnce(t, fullTemplate, mockType, serviceIntegration), tt.old, tt.new)
			notes := mustBuild(t, text, samapi.Options{}).Notes
			if got := strings.Join(notes, "\n"); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got the notes %q, want %q", got, tt.want)
			}
		})
	}
}

// TestTemplateMistakesHaveTheirLine: a mistake in a block of text is at its own line.
func TestTemplateMistakesHaveTheirLine(t *testing.T) {
	for name, block := range map[string]string{
		"a block": "\n        \"200\": |\n          {\n            #if(true)\n          }",
		"a block with Sub": "\n        \"200\": !Sub |\n          {\"${AWS::Region}\n" +
			"            #if(true)\n          }",
		"a block with the long form of Sub": "\n        \"200\":\n          Fn::Sub:\n            - |\n" +
			"              {\"${X}\n                #if(true)\n              }\n            - {X: 1}",
	} {
		t.Run(name, func(t *testing.T) {
			text := replaceOnce(t, fullTemplate, ` {"200": '{"type":"pong"}'}`, block)
			_, err := build(text, samapi.Options{})
			line, _, _ := strings.Cut(strings.TrimPrefix(position(t, text, "#if(true)"), "t.yaml:"), ":")
			want := "t.yaml:" + line + `:3: ResponseTemplates "200": #if without #end`
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
