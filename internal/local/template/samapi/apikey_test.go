package samapi_test

import (
	"slices"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// TestAPIKeys: a key counts if it is enabled and in a usage plan of the stage.
func TestAPIKeys(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "      RouteKey: ping\n", "      RouteKey: ping\n      ApiKeyRequired: true\n")
	text = replaceOnce(t, text, "  Spare:\n", `  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties: {ApiStages: [{ApiId: !Ref Api, Stage: !Ref Stage}], Throttle: {RateLimit: 5, BurstLimit: 2}}
  OtherPlan: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: other, Stage: dev}]}}
  Given: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: true, Value: 0123456789abcdefghij}}
  Made: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: true}}
  Off: {Type: AWS::ApiGateway::ApiKey}
  GivenInPlan:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Given, KeyType: API_KEY, UsagePlanId: !Ref Plan}
  MadeInPlan:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Made, KeyType: API_KEY, UsagePlanId: !Ref Plan}
  OffInPlan:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Off, KeyType: API_KEY, UsagePlanId: !Ref Plan}
  GivenInOther:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Given, KeyType: API_KEY, UsagePlanId: !Ref OtherPlan}
  Spare:
`)
	result := mustBuild(t, text, samapi.Options{})
	throttle := gatewaytest.Throttle{Rate: 5, Burst: 2}
	keys := result.API.APIKeys
	if len(keys) != 2 || keys[0] != (gatewaytest.APIKey{ID: "Given", Value: "0123456789abcdefghij", Throttle: throttle}) ||
		keys[1].ID != "Made" || len(keys[1].Value) != 40 {
		t.Fatalf("got %+v", keys)
	}
	want := []string{
		position(t, text, "Made:") + ": Made has no Value; the local value is " + keys[1].Value,
		position(t, text, "Off:") + ": Off is not Enabled: AWS refuses it",
	}
	if !slices.Equal(result.Notes, want) {
		t.Errorf("got %q, want %q", result.Notes, want)
	}
	if !result.API.Routes["ping"].APIKeyRequired || result.API.Routes["send"].APIKeyRequired {
		t.Error("the wrong routes require a key")
	}
	if got := result.NotImitated["AWS::ApiGateway::ApiKey"]; got != 0 {
		t.Errorf("%d keys are not imitated", got)
	}
}
