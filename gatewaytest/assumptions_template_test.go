package gatewaytest_test

import (
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
	})
}
