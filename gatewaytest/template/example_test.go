package template_test

import (
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/gatewaytest/template"
)

// A team's functions behind the team's own template, once more with faults.
func TestExample(t *testing.T) {
	api := template.Load(t, "testdata/chat.yaml", template.Options{
		Handlers:   map[string]any{"Join": join, "Say": say}, // what main passes to lambda.Start
		Parameters: map[string]string{"StageName": "test"},
	})
	for _, faults := range []*gatewaytest.Faults{nil, gatewaytest.Rough(t.Name())} {
		api.Faults = faults
		s := gatewaytest.Start(t, api)
		ann := s.Client("", nil)
		ann.Send(`{"action":"say"}`)
		ann.Expect(`you said {"action":"say"}`)
	}
}
