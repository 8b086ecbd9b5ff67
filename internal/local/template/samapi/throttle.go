package samapi

import (
	"math"
	"slices"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// accountRate is the rate that an account has in a Region, in requests a second. It
// limits what has no rate of its own (G-LIMIT-10).
const accountRate = 10_000

// routeSettings are the settings of a route in a stage.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
var routeSettings = []string{
	"DataTraceEnabled", "DetailedMetricsEnabled", "LoggingLevel", "ThrottlingBurstLimit", "ThrottlingRateLimit",
}

// throttle returns the limits in the settings of a route, or of every route (G-LIMIT-11).
func (b *builder) throttle(settings cfn.Value, of string) gatewaytest.Throttle {
	b.noteUnknown(settings, routeSettings...)
	return b.limits(settings.Field("ThrottlingRateLimit"), settings.Field("ThrottlingBurstLimit"), "ThrottlingRateLimit",
		"ThrottlingBurstLimit", of)
}

// limits returns a throttle. A limit that is 0 lets nothing through.
func (b *builder) limits(rate, burst cfn.Value, rateName, burstName, of string) gatewaytest.Throttle {
	t := gatewaytest.Throttle{Rate: rate.Float(0), Burst: burst.Int(0)}
	switch {
	case !(t.Rate >= 0) || math.IsInf(t.Rate, 0):
		rate.Problem("%s %g: must be a number that is not negative", rateName, t.Rate)
	case t.Burst < 0:
		burst.Problem("%s %d: must not be negative", burstName, t.Burst)
	case rate.Known() && t.Rate == 0:
		rate.Note("%s is 0: %s answers 429 to everything", rateName, of)
		return gatewaytest.Throttle{Closed: true}
	case burst.Known() && t.Burst == 0:
		burst.Note("%s is 0: %s answers 429 to everything", burstName, of)
		return gatewaytest.Throttle{Closed: true}
	case t.Burst > 0 && t.Rate == 0:
		burst.Note("%s without %s: the rate is the account's, %d a second", burstName, rateName, accountRate)
		t.Rate = accountRate
	}
	return t
}

// noteUnknown notes the entries of a map that AWS does not know, such as misspelt ones.
func (b *builder) noteUnknown(v cfn.Value, known ...string) {
	for _, f := range v.Fields() {
		if !slices.Contains(known, f.Name) {
			b.Note(f.Pos, "there is no %s; there is %s", f.Name, orList(known))
		}
	}
}
