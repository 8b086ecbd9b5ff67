package rules

import (
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/cloud/config"
)

// functionID returns the logical id of a function.
func functionID(f config.Function) string {
	return strings.ToUpper(string(f)[:1]) + string(f)[1:] + "Function"
}

// checkFunctions: each function of package config is there, built from the folder
// of its main.
func checkFunctions(k *checker) {
	var want []string
	for _, f := range config.Functions {
		want = append(want, functionID(f))
	}
	var got []string
	for _, r := range k.t.ofType(kindFunction) {
		got = append(got, r.id)
	}
	slices.Sort(want)
	k.want("the functions", got, want)
	for _, f := range config.Functions {
		id := functionID(f)
		p := k.t.resources[id].properties
		for name, want := range map[string]any{
			"Runtime": "provided.al2023", "Architectures": []any{"arm64"}, "Handler": "bootstrap", "Tracing": "Active",
			"CodeUri": "build/" + string(f) + "/",
			"Role":    object{"Fn::GetAtt": []any{roleID(f), "Arn"}},
			// Policies and Events generate resources that are not in this file.
			"Policies": nil, "Events": nil,
			// The alias moves with each change of a function; make deploy replaces the description.
			"AutoPublishAlias": "live", "AutoPublishAliasAllProperties": true, "Description": "unknown-settings",
			"DeploymentPreference": object{
				"Enabled": object{"Ref": "GradualDeployment"}, "Type": "Canary10Percent5Minutes", "Alarms": brakes,
			},
		} {
			k.want(name+" of "+id, p[name], want)
		}
		if seconds, ok := number(p["Timeout"]); !ok || seconds < 1 || seconds*1000 >= gatewayTimeout {
			k.failf("%s may run %v s", id, p["Timeout"])
		}
		if mb, ok := number(p["MemorySize"]); !ok || mb < 128 || mb > 3008 {
			k.failf("%s has %v MB", id, p["MemorySize"])
		}
		main, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, string(f), "main.go"), nil,
			parser.PackageClauseOnly)
		if err != nil || main.Name.Name != "main" {
			k.failf("%s has no package main", f)
		}
	}
	k.want("the default of GradualDeployment", k.t.parameters["GradualDeployment"]["Default"], "false")
	k.checkReserved()
	// API Gateway waits 10 seconds for an authorizer.
	if seconds, _ := number(k.t.resources[functionID(config.Authorize)].properties["Timeout"]); seconds > 9 {
		k.failf("the authorizer may run %d s", seconds)
	}
}

// brakes are the alarms that stop a gradual deployment.
var brakes = []any{
	object{"Ref": "BroadcastErrorsAlarm"}, object{"Ref": "FunctionErrorsAlarm"}, object{"Ref": "HandshakeFailuresAlarm"},
	object{"Ref": "FailedAlarm"},
}

// checkReserved checks that nothing is reserved by default: a new account may run ten
// functions at once, and a stack that reserves some of them cannot be created. Only
// the broadcaster may reserve, since what it has no other function has.
func (k *checker) checkReserved() {
	k.want("the default of BroadcastConcurrency", k.t.parameters["BroadcastConcurrency"]["Default"], 0)
	for _, s := range k.scenes() {
		for _, f := range config.Functions {
			var want any
			if n := s.given["BroadcastConcurrency"]; f == config.Broadcast && n != "" {
				want = n
			}
			got := s.props(k.t.resources[functionID(f)])["ReservedConcurrentExecutions"]
			if got != nil {
				got = fmt.Sprint(got)
			}
			k.want(fmt.Sprintf("%s: what is reserved for %s", s.name, f), got, want)
		}
	}
}

func roleID(f config.Function) string { return strings.TrimSuffix(functionID(f), "Function") + "Role" }
func logID(f config.Function) string  { return strings.TrimSuffix(functionID(f), "Function") + "Log" }

// environment returns the environment variables of a function.
func (k *checker) environment(s *scene, f config.Function) map[string]string {
	env := map[string]string{}
	for name, value := range sub(k.t.resources[functionID(f)].properties, "Environment", "Variables") {
		env[name] = s.text(value)
	}
	return env
}

// checkSettings: each function has exactly the settings that it reads, with values
// that it accepts.
func checkSettings(k *checker) {
	for _, s := range k.scenes() {
		values := k.wantSettings(s)
		for _, f := range config.Functions {
			env := k.environment(s, f)
			var want []string
			for _, setting := range config.Table {
				if setting.UsedBy(f) {
					want = append(want, setting.Name)
				}
			}
			slices.Sort(want)
			k.want("the settings of "+string(f), slices.Sorted(maps.Keys(env)), want)
			for name, value := range env {
				if want, ok := values[name]; ok {
					k.want(fmt.Sprintf("%s: %s of %s", s.name, name, f), value, want)
				}
			}
			env["GUEST_KEYS"], env["ADDRESS_KEY"] = k.generated("GuestKey"), k.generated("AddressKey")
			if env["EDGE_SECRETS"] != "" {
				env["EDGE_SECRETS"] = madeEdgeSecrets
			}
			if _, err := config.Load(f, func(name string) string { return env[name] }); err != nil {
				k.failf("%s: %v", s.name, err)
			}
		}
	}
	k.checkDefaults()
}

// wantSettings returns the values of settings in a scene.
func (k *checker) wantSettings(s *scene) map[string]string {
	table := func(id, own string) string {
		if r := k.t.resources[id]; s.made(r) {
			return "<" + id + ">"
		}
		return own
	}
	group := func(parameter string) string {
		if g, ok := s.given[parameter]; ok {
			return g
		}
		return "securecart-" + strings.ToLower(strings.TrimSuffix(parameter, "Group"))
	}
	jwks := issuer + "/.well-known/jwks.json"
	switch s.name {
	case "domain":
		jwks = "https://keys.test/jwks"
	case "guests":
		jwks = ""
	}
	return map[string]string{
		"HUB_TABLE": "<HubTable>", "INVENTORY_TABLE": table("InventoryTable", "stock"),
		"CART_TABLE":           table("CartTable", "carts"),
		"INVENTORY_ATTRIBUTES": map[string]string{"own tables": "sku=productId", "own inventory": "version=rev"}[s.name],
		"CART_ATTRIBUTES":      map[string]string{"own tables": "cart=id"}[s.name],
		"TOKEN_ISSUER":         s.given["TokenIssuer"], "TOKEN_JWKS_URL": jwks, "TOKEN_CLIENTS": s.given["TokenClients"],
		"ALLOWED_ORIGINS": s.given["AllowedOrigins"], "EDGE_SECRETS": edgeSecrets(s),
		"SHORTHAND": strconv.FormatBool(s.name == "domain"), "POSTS_PER_SECOND": "500",
		"SWEEP_POSTS_PER_SECOND": "1500", "SWEEP_TABLE": "<SweepTable>", "METRICS_NAMESPACE": "SecureCartHub",
		"LIMITS": "", "ADDRESS_KEY": "{{resolve:secretsmanager:<AddressKey>:SecretString}}",
		"ADMIN_GROUP": group("AdminGroup"), "VENDOR_GROUP": group("VendorGroup"),
		"COMMIT": s.text(k.t.outputs["Commit"]["Value"]),
	}
}

// checkDefaults checks that the defaults of the template are those of the code.
func (k *checker) checkDefaults() {
	def, err := config.Load(config.Broadcast, func(name string) string {
		return map[string]string{
			"HUB_TABLE": "h", "INVENTORY_TABLE": "i", "CART_TABLE": "c", "SWEEP_TABLE": "s", "CALLBACK_URL": "https://x.test",
		}[name]
	})
	if err != nil {
		k.failf("%v", err)
	}
	k.want("the default of PostsPerSecond", k.t.parameters["PostsPerSecond"]["Default"], def.PostsPerSecond)
	k.want("the default of MetricsNamespace", k.t.parameters["MetricsNamespace"]["Default"], def.MetricsNamespace)
}

// generated returns a secret as Secrets Manager generates it.
func (k *checker) generated(id string) string {
	return generatePassword(sub(k.t.resources[id].properties, "GenerateSecretString"))
}

// generatePassword returns a password as Secrets Manager generates it.
func generatePassword(g object) string {
	n, _ := number(g["PasswordLength"])
	chars := "aB1!"
	if g["ExcludePunctuation"] == true {
		chars = "aB1"
	}
	return strings.Repeat(chars, n)[:n]
}

// checkKeys: Secrets Manager generates keys that the functions can read, and they get
// them by reference.
func checkKeys(k *checker) {
	secret := k.t.resources["GuestKey"]
	k.wantRetained(secret)
	env := map[string]string{
		"HUB_TABLE": "hub", "TOKEN_ISSUER": issuer, "TOKEN_JWKS_URL": issuer, "TOKEN_CLIENTS": "web",
		"GUEST_KEYS": k.generated("GuestKey"), "ADDRESS_KEY": k.generated("AddressKey"),
	}
	if _, err := config.Load(config.Authorize, func(name string) string { return env[name] }); err != nil {
		k.failf("the generated key: %v", err)
	}
	for _, id := range []string{"GuestKey", "AddressKey"} {
		g := sub(k.t.resources[id].properties, "GenerateSecretString")
		if g["ExcludePunctuation"] != true || len(g) != 2 {
			k.failf("%s is generated with %v", id, g)
		}
	}
	for _, s := range k.scenes() {
		want := "{{resolve:secretsmanager:<" + secret.id + ">:SecretString}}"
		if v := s.given["GuestKeyVersion"]; v != "" {
			want = "{{resolve:secretsmanager:<" + secret.id + ">:SecretString:::" + v + "}}"
		}
		for _, f := range []config.Function{config.Authorize, config.Message, config.Rest} {
			k.want(fmt.Sprintf("%s: GUEST_KEYS of %s", s.name, f), k.environment(s, f)["GUEST_KEYS"], want)
		}
	}
}

// checkLogs: each function and each API have their own log group, with a
// retention.
func checkLogs(k *checker) {
	names := map[string]string{
		"AccessLog": "/${AWS::StackName}/access", "RestAccessLog": "/${AWS::StackName}/rest-access",
		"OrdersAccessLog": "/aws/vendedlogs/${AWS::StackName}/orders-access",
	}
	for _, f := range config.Functions {
		names[logID(f)] = "/${AWS::StackName}/" + string(f)
		k.want("the log of "+string(f), sub(k.t.resources[functionID(f)].properties, "LoggingConfig"),
			object{"LogGroup": object{"Ref": logID(f)}, "LogFormat": "JSON", "SystemLogLevel": "WARN"})
	}
	for _, r := range k.t.ofType(kindLog) {
		k.want(r.id, withoutKey(r), object{
			"LogGroupName":    object{"Fn::Sub": names[r.id]},
			"RetentionInDays": object{"Ref": "LogRetentionDays"},
		})
		delete(names, r.id)
	}
	for id := range names {
		k.failf("there is no %s", id)
	}
}
