package rules

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// functions are the mains that run in AWS.
var functions = []string{"connect", "disconnect", "message", "authorize", "broadcast", "rest"}

// mayImport has our packages, and which of ours each may import. A new package
// needs a line here and in docs/architecture.md. The folder tells where a package runs:
//
//	internal/cloud   only in the functions in AWS
//	internal/local   only in localhub and tests
//	client           in programs of others, localhub and tests
//	…test, rules     only in tests
//	the rest         everywhere
var mayImport = map[string][]string{
	"gatewaytest": {
		"gatewaytest/internal/event", "gatewaytest/internal/expr", "gatewaytest/internal/fields", "gatewaytest/internal/iam",
		"gatewaytest/internal/plainjson", "gatewaytest/internal/sigv4", "gatewaytest/internal/vtl",
		"gatewaytest/internal/ws",
	},
	"gatewaytest/template":           {"gatewaytest", "internal/local/template/samapi"},
	"gatewaytest/internal/event":     {"gatewaytest/internal/plainjson"},
	"gatewaytest/internal/expr":      {"gatewaytest/internal/plainjson"},
	"gatewaytest/internal/fields":    {},
	"gatewaytest/internal/iam":       {"gatewaytest/internal/plainjson"},
	"gatewaytest/internal/plainjson": {},
	"gatewaytest/internal/sigv4":     {"gatewaytest/internal/fields"},
	"gatewaytest/internal/vtl":       {"gatewaytest/internal/plainjson"},
	"gatewaytest/internal/ws":        {},
	"web":                            {},
	"client":                         {"internal/wire"},

	"examples/authorizer": {"gatewaytest"},
	"examples/broadcast":  {"gatewaytest"},
	"examples/chat":       {"gatewaytest"},
	"examples/faults":     {"gatewaytest"},

	"scripts/gatewaylint":      {"scripts/gatewaylint/lint"},
	"scripts/gatewaylint/lint": {},
	"scripts/samconfig":        {},

	"internal/wire":            {},
	"internal/versions":        {},
	"internal/hub":             {"internal/wire"},
	"internal/hub/memstore":    {"internal/hub"},
	"internal/hub/dynamostore": {"internal/hub", "internal/parallel", "internal/table"},
	"internal/table":           {"internal/hub", "internal/wire"},
	"internal/auth":            {"internal/hub", "internal/redact", "internal/wire"},
	"internal/redact":          {},
	"internal/parallel":        {},
	"internal/auth/bearer":     {},
	"internal/script":          {},
	"internal/strictjson":      {"internal/wire"},
	"internal/stockjson":       {"internal/hub", "internal/strictjson", "internal/wire"},
	"internal/metrics":         {"internal/handler", "internal/hub"},
	"internal/handler": {
		"internal/auth/bearer", "internal/hub", "internal/table", "internal/versions", "internal/wire",
	},
	"internal/rest": {
		"internal/auth/bearer", "internal/handler", "internal/hub", "internal/script", "internal/stockjson",
		"internal/strictjson", "internal/versions", "internal/wire",
	},

	"internal/cloud/config": {"internal/handler", "internal/table", "internal/versions"},
	"internal/cloud/logs":   {"internal/hub", "internal/metrics"},
	"internal/cloud/apigw":  {"internal/hub", "internal/parallel"},
	"internal/cloud/boot": {
		"internal/cloud/config", "internal/cloud/logs", "internal/handler", "internal/hub", "internal/hub/dynamostore",
		"internal/metrics", "internal/versions",
	},
	"internal/cloud/tokens": {"internal/auth", "internal/cloud/config"},

	"internal/local/house": {
		"gatewaytest", "internal/auth", "internal/handler", "internal/hub", "internal/hub/memstore",
		"internal/local/account", "internal/local/admin", "internal/local/alarms", "internal/local/catalogue",
		"internal/local/devkeys", "internal/local/cost", "internal/local/esm", "internal/local/events",
		"internal/local/faults",
		"internal/local/issuer", "internal/local/lambdaproc", "internal/local/recording", "internal/local/replay",
		"internal/local/restapi", "internal/local/tap", "internal/local/trace", "internal/local/webserver",
		"internal/rest", "internal/script", "internal/stockjson", "internal/table", "internal/versions", "internal/wire",
	},
	"internal/local/admin": {
		"gatewaytest", "internal/auth/bearer", "internal/handler", "internal/hub", "internal/local/alarms",
		"internal/local/cost", "internal/local/events", "internal/local/faults", "internal/local/inspector",
		"internal/local/recording", "internal/local/replay", "internal/local/tap", "internal/local/webserver",
		"internal/stockjson", "internal/strictjson", "internal/wire",
	},
	"internal/load":            {"internal/wire"},
	"internal/local/account":   {"gatewaytest"},
	"internal/local/alarms":    {"internal/metrics"},
	"internal/local/cost":      {"gatewaytest", "internal/local/events", "internal/prices", "internal/wire"},
	"internal/local/inspector": {"internal/local/webserver"},
	"internal/local/restapi":   {},
	"internal/local/catalogue": {"internal/hub", "internal/strictjson", "internal/wire"},
	"internal/local/faults":    {"gatewaytest"},
	"internal/local/events":    {"gatewaytest", "internal/local/jsonedit", "internal/redact", "internal/wire"},
	"internal/local/jsonedit":  {},
	"internal/local/tap":       {"internal/local/events"},
	"internal/local/recording": {
		"gatewaytest", "internal/auth/bearer", "internal/local/jsonedit", "internal/redact", "internal/stockjson",
		"internal/wire",
	},
	"internal/local/replay": {
		"internal/hub", "internal/local/jsonedit", "internal/local/recording", "internal/stockjson",
	},
	"internal/local/trace": {"internal/hub", "internal/local/events", "internal/wire"},

	"internal/local/datafile":        {"internal/hub", "internal/hub/memstore", "internal/local/newfile"},
	"internal/local/devca":           {},
	"internal/local/devkeys":         {"internal/local/newfile"},
	"internal/local/shell":           {},
	"internal/local/newfile":         {},
	"internal/local/proxy":           {},
	"internal/local/webserver":       {},
	"internal/local/issuer":          {"internal/auth", "internal/hub", "internal/redact"},
	"internal/local/crowd":           {}, // its tests import what they measure
	"internal/local/speed":           {}, // its tests import what they measure
	"internal/local/esm":             {},
	"internal/local/streams":         {},
	"internal/local/dynamo":          {"internal/hub/dynamostore", "internal/local/esm", "internal/local/streams"},
	"internal/local/lambdaproc":      {"internal/local/webserver", "internal/redact"},
	"internal/local/template/cfn":    {},
	"internal/local/template/samapi": {"gatewaytest", "internal/local/template/cfn"},
	"internal/local/template/host": {
		"gatewaytest", "internal/local/account", "internal/local/admin", "internal/local/cost", "internal/local/devca",
		"internal/local/events", "internal/local/inspector", "internal/local/lambdaproc", "internal/local/proxy",
		"internal/local/shell", "internal/local/tap", "internal/local/template/samapi", "internal/redact",
	},

	"internal/hub/hubtest": {"internal/hub", "internal/wire"},
	"internal/dynamotest":  {},
	"internal/costtest":    {},
	"internal/planttest":   {},
	"internal/heaptest":    {},
	"internal/prices":      {},
	"internal/rules":       {},
	"internal/schematest":  {"internal/wire"},

	"connect":    {"internal/cloud/boot", "internal/cloud/config", "internal/handler"},
	"disconnect": {"internal/cloud/boot", "internal/cloud/config", "internal/handler"},
	"message": {
		"internal/cloud/apigw", "internal/cloud/boot", "internal/cloud/config", "internal/cloud/tokens", "internal/handler",
	},
	"authorize": {"internal/cloud/boot", "internal/cloud/config", "internal/cloud/tokens", "internal/handler"},
	"rest": {
		"internal/cloud/boot", "internal/cloud/config", "internal/cloud/tokens", "internal/rest", "web",
	},
	"broadcast": {"internal/cloud/apigw", "internal/cloud/boot", "internal/cloud/config", "internal/rest"},
	"localhub": {
		"client", "gatewaytest", "internal/handler", "internal/hub", "internal/hub/dynamostore", "internal/load",
		"internal/local/account", "internal/local/admin", "internal/local/catalogue", "internal/local/cost",
		"internal/local/datafile", "internal/local/devca", "internal/local/devkeys", "internal/local/dynamo",
		"internal/local/events", "internal/local/faults", "internal/local/house", "internal/local/inspector",
		"internal/local/recording", "internal/local/replay", "internal/local/shell", "internal/local/tap",
		"internal/local/template/host", "internal/local/webserver", "internal/redact", "internal/stockjson",
		"internal/table", "internal/versions", "internal/wire", "web",
	},
}

// mayImportModules are the modules of others that a package may import; the
// packages that are not here import the standard library only.
var mayImportModules = map[string][]string{
	"gatewaytest":                    {lambdaGo, "github.com/coder/websocket", "github.com/santhosh-tekuri/jsonschema"},
	"gatewaytest/template":           {lambdaGo},
	"client":                         {"github.com/coder/websocket"},
	"examples/authorizer":            {lambdaGo, "github.com/coder/websocket"},
	"examples/broadcast":             {lambdaGo},
	"examples/chat":                  {lambdaGo, "github.com/coder/websocket"},
	"examples/faults":                {lambdaGo, "github.com/coder/websocket"},
	"internal/table":                 {lambdaGo},
	"internal/handler":               {lambdaGo},
	"internal/rest":                  {lambdaGo},
	"internal/auth":                  {"github.com/coreos/go-oidc", "github.com/go-jose/go-jose"},
	"internal/hub/dynamostore":       {lambdaGo + "/events", awsSDK, "github.com/aws/smithy-go"},
	"internal/cloud/apigw":           {awsSDK, "github.com/aws/smithy-go"},
	"internal/cloud/boot":            {lambdaGo, awsSDK, "github.com/aws/smithy-go"},
	"internal/cloud/logs":            {lambdaGo},
	"internal/local/house":           {lambdaGo, "github.com/coder/websocket", "github.com/prometheus/client_golang"},
	"internal/local/admin":           {lambdaGo},
	"internal/local/tap":             {"github.com/coder/websocket"},
	"internal/load":                  {"github.com/coder/websocket"},
	"internal/local/datafile":        {"go.etcd.io/bbolt"},
	"internal/local/issuer":          {"github.com/go-jose/go-jose"},
	"internal/local/esm":             {lambdaGo},
	"internal/local/streams":         {awsSDK + "/service/dynamodbstreams"},
	"internal/local/dynamo":          {awsSDK},
	"internal/local/lambdaproc":      {lambdaGo},
	"internal/local/replay":          {"github.com/coder/websocket"},
	"internal/local/restapi":         {lambdaGo},
	"internal/local/template/cfn":    {"go.yaml.in/yaml/v3"},
	"internal/local/template/host":   {lambdaGo},
	"internal/local/template/samapi": {lambdaGo},
	"localhub":                       {"github.com/coder/websocket", "github.com/spf13/cobra", "github.com/spf13/pflag"},
	"scripts/gatewaylint":            {"golang.org/x/tools/go/analysis"},
	"scripts/gatewaylint/lint":       {"golang.org/x/tools/go/analysis", "go.yaml.in/yaml/v3"},
	"scripts/samconfig":              {"github.com/BurntSushi/toml"},
	"internal/schematest":            {"github.com/danielgtaylor/huma/v2", "github.com/santhosh-tekuri/jsonschema"},
}

// The modules that most packages use.
const (
	lambdaGo = "github.com/aws/aws-lambda-go"
	awsSDK   = "github.com/aws/aws-sdk-go-v2"
)

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		seen[s.pkg] = true
		allowed, ok := mayImport[s.pkg]
		if !ok {
			t.Errorf("%s: the package %s is not in the table of imports", s.name, s.pkg)
			continue
		}
		if s.isTest {
			continue
		}
		for _, p := range imports(s) {
			own, isOwn := strings.CutPrefix(p, module+"/")
			isModule := strings.Contains(strings.Split(p, "/")[0], ".")
			switch {
			case isOwn && !slices.Contains(allowed, own):
				t.Errorf("%s imports %s, which %s may not", s.name, own, s.pkg)
			case !isOwn && isModule && !hasPrefixOf(p, mayImportModules[s.pkg]):
				t.Errorf("%s imports %s, which %s may not", s.name, p, s.pkg)
			case p == "testing" && wing(s.pkg) != testWing:
				t.Errorf("%s imports testing: programs would carry its flags", s.name)
			case slices.Contains([]string{"math/rand", "math/rand/v2", "os"}, p) && s.pkg == "internal/hub":
				t.Errorf("%s imports %s: the hub is deterministic", s.name, p)
			}
		}
	}
	for pkg := range mayImport {
		if !seen[pkg] {
			t.Errorf("there is no package %s", pkg)
		}
	}
}

// hasPrefixOf reports whether an import path is in one of the modules.
func hasPrefixOf(p string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return strings.HasPrefix(p, m) })
}

// The wings of the repository: where a package may run.
const (
	cloudWing  = "cloud"  // functions in AWS
	localWing  = "local"  // localhub and tests
	testWing   = "test"   // tests
	sharedWing = "shared" // everywhere
)

// wing tells by its folder where a package may run.
func wing(pkg string) string {
	switch {
	case slices.Contains(functions, pkg) || strings.HasPrefix(pkg, "internal/cloud/"):
		return cloudWing
	case slices.Contains([]string{"localhub", "gatewaytest", "client", "internal/hub/memstore", "internal/load"}, pkg),
		strings.HasPrefix(pkg, "internal/local/"), strings.HasPrefix(pkg, "gatewaytest/"):
		return localWing
	case pkg == "internal/rules", strings.HasSuffix(path.Base(pkg), "test"), strings.HasPrefix(pkg, "examples/"),
		strings.HasPrefix(pkg, "scripts/"):
		return testWing
	}
	return sharedWing
}

// TestFoldersTellWhereCodeRuns holds the table of imports to the folders: no arrow
// leads from one wing into another, nor from shared code into a wing.
func TestFoldersTellWhereCodeRuns(t *testing.T) {
	into := map[string][]string{
		cloudWing:  {cloudWing, sharedWing},
		localWing:  {localWing, sharedWing},
		sharedWing: {sharedWing},
		testWing:   {testWing, localWing, sharedWing},
	}
	for pkg, imported := range mayImport {
		for _, p := range imported {
			if !slices.Contains(into[wing(pkg)], wing(p)) {
				t.Errorf("%s (%s) may import %s (%s)", pkg, wing(pkg), p, wing(p))
			}
		}
	}
}

// TestImportsHaveNoCycle: with the table above there is an order of the packages
// in which each imports only those before it.
func TestImportsHaveNoCycle(t *testing.T) {
	for pkg := range mayImport {
		if importedBy(pkg)[pkg] {
			t.Errorf("%s reaches itself", pkg)
		}
	}
}

// importedBy are the packages that a package may import, directly or through others.
func importedBy(pkg string) map[string]bool {
	reached := map[string]bool{}
	queue := []string{pkg}
	for len(queue) > 0 {
		for _, next := range mayImport[queue[0]] {
			if !reached[next] {
				reached[next] = true
				queue = append(queue, next)
			}
		}
		queue = queue[1:]
	}
	return reached
}

// linked are our packages that a program of this module consists of, and whether
// the AWS SDK is linked, as go list sees it.
func linked(t *testing.T, program, tags string) (own []string, sdk bool) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-tags", tags, "./"+program)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		if pkg, ok := strings.CutPrefix(p, module+"/"); ok {
			own = append(own, pkg)
		}
		sdk = sdk || strings.HasPrefix(p, "github.com/aws/aws-sdk-go")
	}
	if !slices.Contains(own, program) {
		t.Fatalf("go list -deps ./%s names %q", program, own)
	}
	return own, sdk
}

// TestProgramsLinkTheirWing asks go list what each program really consists of: no
// function has a package of localhub or of tests, and localhub none of the
// functions'. Without the tag dynamodb, localhub has no AWS SDK either, so that the
// first go run is quick.
func TestProgramsLinkTheirWing(t *testing.T) {
	for _, f := range functions {
		own, _ := linked(t, f, "lambda.norpc")
		for _, pkg := range own {
			if w := wing(pkg); w != cloudWing && w != sharedWing {
				t.Errorf("the function %s links %s (%s)", f, pkg, w)
			}
		}
	}
	for tags, want := range map[string]bool{"": false, "dynamodb": true} {
		own, sdk := linked(t, "localhub", tags)
		for _, pkg := range own {
			if w := wing(pkg); w != localWing && w != sharedWing {
				t.Errorf("with the tags %q: localhub links %s (%s)", tags, pkg, w)
			}
		}
		if sdk != want {
			t.Errorf("with the tags %q: localhub links the AWS SDK: %t, want %t", tags, sdk, want)
		}
	}
}
