package samapi_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// nameOfFunction is a handler that answers with the id of its function.
type nameOfFunction string

func (n nameOfFunction) Invoke(context.Context, []byte) ([]byte, error) {
	return json.Marshal(map[string]any{"statusCode": 200, "body": "from " + string(n)})
}

// imports are the values that shapes take from other stacks.
var imports = map[string]string{"functions:SayArn": "arn:aws:lambda:eu-central-1:123456789012:function:say-it"}

// TestShapes: templates in the shapes that people deploy are served and answer, with a
// note for each of these texts.
func TestShapes(t *testing.T) {
	for file, tt := range map[string]struct {
		o           samapi.Options
		send, reply string // no reply: the template is only loaded
		notes       []string
	}{
		"burst-only.yaml": {samapi.Options{}, `{}`, "from Say", []string{"the rate is the account's, 10000 a second"}},
		"imported-function.yaml": {samapi.Options{Imports: imports}, `{"action":"say"}`, "from say-it",
			[]string{"Theirs is not served"}},
		"two-apis.yaml": {samapi.Options{API: "Orders"}, `{}`, "from OrdersFunction", nil},
		"own-domain.yaml": {samapi.Options{}, `{}`, "from Say", []string{
			"DisableExecuteApiEndpoint", "the ARN of a function in place of a URI", "Second is not served",
			"no AWS::Lambda::Permission lets API Gateway invoke Say",
		}},
		"mock-cdk.json": {samapi.Options{Stage: "dev"}, `{"action":"say"}`, "from Say5C6D",
			[]string{"Api has no stage in the template; it is served as dev"}},
		"anchors.yaml": {samapi.Options{}, `{"action":"say"}`, "from Main", []string{
			"aliases and merge keys are expanded", "it is served as dev",
		}},
		"loops.yaml": {samapi.Options{}, `{"action":"move-on"}`, "from Functionmoveon", nil},
		"services.yaml": {samapi.Options{}, "", "", []string{
			"RequestTemplates of PublishIntegration: without a TemplateSelectionExpression",
		}},
	} {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "shapes", file))
			if err != nil {
				t.Fatal(err)
			}
			tt.o.Handler = func(f *samapi.Function) (lambda.Handler, error) { return nameOfFunction(f.ID), nil }
			result, err := samapi.Build(file, data, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			notes := strings.Join(result.Notes, "\n")
			for _, note := range tt.notes {
				if !strings.Contains(notes, note) {
					t.Errorf("no note %q in\n%s", note, notes)
				}
			}
			if len(result.Notes) != len(tt.notes) {
				t.Errorf("got %d notes, want %d:\n%s", len(result.Notes), len(tt.notes), notes)
			}
			if want := []string{"dynamodb", "sqs", "states"}; tt.reply == "" && !slices.Equal(result.Services, want) {
				t.Errorf("got the services %v, want %v", result.Services, want)
			}
			synctest.Test(t, func(t *testing.T) { converse(t, result.API, tt.send, tt.reply) })
		})
	}
}

// converse opens a connection to an API, sends a message and compares the reply.
func converse(t *testing.T, api gatewaytest.API, send, reply string) {
	gateway, err := gatewaytest.New(api)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := gateway.Close(); err != nil {
			t.Error(err)
		}
	}()
	if reply == "" {
		return
	}
	c, _, err := gateway.Dial(t.Context(), "/"+api.Stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(send)); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(t.Context()); err != nil || string(got) != reply {
		t.Errorf("got %s, %v, want %s", got, err, reply)
	}
}
