package rules

import (
	"encoding/json"
	"slices"
	"strings"
)

// secretSettings are the settings of functions that have a secret's value.
var secretSettings = []string{"GUEST_KEYS", "ADDRESS_KEY", "EDGE_SECRETS"}

// checkSecrets: the value of a secret is nowhere but in the settings of functions that read
// it, where KmsKeyArn encrypts it. checkSettings knows which functions do.
func checkSecrets(k *checker) {
	for _, s := range k.scenes() {
		for id, r := range k.t.resources {
			if !s.made(r) {
				continue
			}
			p := s.props(r)
			if variables := sub(p, "Environment", "Variables"); r.kind == kindFunction {
				for _, name := range secretSettings {
					delete(variables, name)
				}
			}
			k.wantNoSecret(s.name+": "+id, p)
		}
		for id, output := range k.t.outputs {
			if condition, _ := output["Condition"].(string); s.holds(condition) {
				k.wantNoSecret(s.name+": the output "+id, s.value(output["Value"]))
			}
		}
	}
	for id, output := range k.t.outputs {
		names := map[string]bool{}
		references(output, names)
		for _, secret := range k.t.ofType(kindSecret) {
			if names[secret.id] {
				k.failf("the output %s names %s", id, secret.id)
			}
		}
	}
}

// wantNoSecret checks that CloudFormation puts no secret into a value.
func (k *checker) wantNoSecret(where string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		k.failf("%s: %v", where, err)
	}
	forms := []string{"resolve:secretsmanager", "resolve:ssm-secure", `"SecretString":`}
	if slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(string(data), form) }) {
		k.failf("%s has the value of a secret", where)
	}
}

var secretMutations = []mutation{
	{"secrets", "a key in a description", "  ConnectLog:\n", "LogGroupName: !Sub /${AWS::StackName}/connect",
		`LogGroupName: !Sub "{{resolve:secretsmanager:${GuestKey}:SecretString}}"`},
	{"secrets", "a key under another name", "  MessageFunction:\n", "          LIMITS: !Ref Limits\n",
		"          LIMITS: !Sub \"{{resolve:secretsmanager:${GuestKey}:SecretString}}\"\n"},
	{"secrets", "a key in an output", "  BroadcastFunctionName:\n", "Value: !Ref BroadcastFunction.Alias",
		`Value: !Sub "{{resolve:secretsmanager:${AddressKey}:SecretString}}"`},
	{"secrets", "the ARN of a key in an output", "  BroadcastFunctionName:\n", "Value: !Ref BroadcastFunction.Alias",
		"Value: !Ref GuestKey"},
	{"secrets", "a key that CloudFormation shows", "  AddressKey:\n", "      GenerateSecretString:\n",
		"      SecretString: abc\n      Other:\n"},
}
