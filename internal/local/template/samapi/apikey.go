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
		keyID, _ := r.Property("KeyId").Try()
		planID, _ := r.Property("UsagePlanId").Try()
		key, plan := b.byID(typeAPIKey, keyID), b.byID(typeUsagePlan, planID)
		switch {
		case key == nil:
			b.Note(r.Pos, "the KeyId of %s is an API key of another stack: it is not served", r.ID)
			b.imitated[r] = true
			continue
		case plan == nil:
			b.Note(r.Pos, "the UsagePlanId of %s is a usage plan of another stack: it is not served", r.ID)
			b.imitated[r] = true
			continue
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
		api, _ := apiStage.Field("ApiId").Try()
		stage, _ := apiStage.Field("Stage").Try()
		if api == b.api.Ref() && stage == b.result.API.Stage {
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
	b.noteUnknown(throttle, "BurstLimit", "RateLimit")
	b.result.API.APIKeys = append(b.result.API.APIKeys, gatewaytest.APIKey{
		ID: key.ID, Value: value, Throttle: b.limits(throttle.Field("RateLimit"), throttle.Field("BurstLimit"), "RateLimit",
			"BurstLimit", "the key "+key.ID),
	})
}
