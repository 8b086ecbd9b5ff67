package gatewaytest_test

import (
	"fmt"
	"testing"

	"github.com/securecart/hub/gatewaytest"
)

func TestAssumedTemplates(t *testing.T) {
	answer := func(template string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return nextAfter(t, gatewaytest.API{Assumptions: assumptions,
				Routes: map[string]gatewaytest.Route{"$default": mockRoute(template)}}, "x")
		}
	}
	testAssumptions(t, []assumptionTest{
		{"G-INTEG-13 no value", answer("[$nope.x][$!nope]"), "[][]",
			gatewaytest.Assumptions{UndefinedAsWritten: true}, "[$nope.x][]"},
		{"G-INTEG-14 the empty text", answer("#if('')yes#{else}no#end"), "no",
			gatewaytest.Assumptions{EmptyTextIsTrue: true}, "yes"},
		{"G-INTEG-22 #set to nothing", answer("#set($a = 1)#set($a = $nope)[$a]"), "[]",
			gatewaytest.Assumptions{SetSkipsNothing: true}, "[1]"},
		{"G-INTEG-23 nothing and the empty text", answer("#if($nope == '')equal#{else}not#end"), "equal",
			gatewaytest.Assumptions{NothingIsNotEmpty: true}, "not"},
		{"G-INTEG-24 a long loop", answer("#foreach($i in [1..1001])#if(!$foreach.hasNext)x#end#end."), ".",
			gatewaytest.Assumptions{LongLoopsFail: true}, "error Internal server error"},
		{"G-INTEG-26 not encoded", answer("[$util.base64Decode('%')][$util.urlDecode('%zz')]"), "[][]",
			gatewaytest.Assumptions{BadEncodingFails: true}, "error Internal server error"},
		{"G-INTEG-27 escaped", answer(`$util.escapeJavaScript("a/ä'")`), `a\/\u00E4\'`,
			gatewaytest.Assumptions{EscapesLess: true}, `a/ä\'`},
		{"G-INTEG-28 no value as JSON", answer("$input.json('$.nope')"), `""`,
			gatewaytest.Assumptions{MissingJSONIsNull: true}, "null"},
	})
}

func TestAssumedServices(t *testing.T) {
	connect := func(status int) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			service := newBackend(t, respondWith(status, "{}"))
			api := serviceAPI("$connect", "dynamodb", service.URL, gatewaytest.Route{Mapping: &gatewaytest.Mapping{},
				Service: &gatewaytest.Service{URI: "arn:aws:apigateway:eu-west-1:dynamodb:action/PutItem"}})
			api.Assumptions = assumptions
			return fmt.Sprint(handshakeStatus(t, newGateway(t, api), "/v1", nil))
		}
	}
	refuses := gatewaytest.Assumptions{ServiceStatusRefuses: true}
	for name, tt := range map[string]struct {
		status              int
		byDefault, refusing string
	}{
		"G-INTEG-18 refused": {400, "101", "400"},
		"G-INTEG-18 done":    {200, "101", "101"},
	} {
		t.Run(name, func(t *testing.T) { // with a network: not in a bubble
			if got := connect(tt.status)(t, gatewaytest.Assumptions{}); got != tt.byDefault {
				t.Errorf("by default: got %s, want %s", got, tt.byDefault)
			}
			if got := connect(tt.status)(t, refuses); got != tt.refusing {
				t.Errorf("with %+v: got %s, want %s", refuses, got, tt.refusing)
			}
		})
	}
}
