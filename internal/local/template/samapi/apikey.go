package samapi

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// WebSocket APIs use the API keys and usage plans of REST APIs.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html
const (
	typeAPIKey       = "AWS::ApiGateway::ApiKey"
	typeUsagePlan    = "AWS::ApiGateway::UsagePlan"
	typeUsagePlanKey = "AWS::ApiGateway::UsagePlanKey"
)

// readAPIKeys reads the keys that are in a usage plan of the stage.
func (b *builder) readAPIKeys() {
	for _, r := range b.resources {
		if r.Type != typeUsagePlanKey {
			continue
		}
		key, plan := b.byID(typeAPIKey, r.Property("KeyId").Text()), b.byID(typeUsagePlan, r.Property("UsagePlanId").Text())
		switch {
		case key == nil:
			r.Property("KeyId").Problem("there is no API key %q", r.Property("KeyId").Text())
		case plan == nil:
			r.Property("UsagePlanId").Problem("there is no usage plan %q", r.Property("UsagePlanId").Text())
		case !b.hasStage(plan):
		case !key.Property("Enabled").Bool():
			b.Note(key.Pos, "%s is not Enabled: AWS refuses it", key.ID)
		default:
			b.readAPIKey(key, plan)
		}
		b.imitated[r], b.imitated[key], b.imitated[plan] = true, true, true
	}
	api := &b.result.API
	for _, key := range slices.Sorted(maps.Keys(api.Routes)) {
		if api.Routes[key].APIKeyRequired && len(api.APIKeys) == 0 {
			api.APIKeys = []gatewaytest.APIKey{{ID: "local", Value: generatedKey(b.api.ID)}}
			b.Note(b.api.Pos, "%s requires an API key, but the stage has none in the template; the local key is %s", key,
				api.APIKeys[0].Value)
		}
	}
}

// generatedKey returns a value for a key without one. It is always the same for an
// id.
func generatedKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:20])
}

// hasStage reports whether a usage plan is for the stage that is served.
func (b *builder) hasStage(plan *cfn.Resource) bool {
	for _, apiStage := range plan.Property("ApiStages").List() {
		if apiStage.Field("ApiId").Text() == b.api.Ref() && apiStage.Field("Stage").Text() == b.result.API.Stage {
			return true
		}
	}
	return false
}

func (b *builder) readAPIKey(key, plan *cfn.Resource) {
	value := key.Property("Value").Text()
	if value == "" { // AWS generates one
		value = generatedKey(key.ID)
		b.Note(key.Pos, "%s has no Value; the local value is %s", key.ID, value)
	}
	throttle := plan.Property("Throttle")
	b.result.API.APIKeys = append(b.result.API.APIKeys, gatewaytest.APIKey{
		ID: key.ID, Value: value,
		Throttle: gatewaytest.Throttle{
			Rate: throttle.Field("RateLimit").Float(0), Burst: throttle.Field("BurstLimit").Int(0),
		},
	})
}
