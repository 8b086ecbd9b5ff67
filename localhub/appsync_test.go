package main

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const appSyncExample = "../examples/appsync"

// appSync is the example behind an imitation of AppSync, in Node.js.
type appSync struct {
	stdin io.Writer
	lines *bufio.Scanner
}

// appSyncAnswer is an answer, and the requests that its resolvers made.
type appSyncAnswer struct {
	Data struct {
		Stock []map[string]any
		Cart  map[string]any
	}
	Errors   []string
	Requests []struct {
		Operation string
		Key       map[string]map[string]string
	}
}

// appSyncTemplate is what a test reads of the template. Functions of CloudFormation are texts.
type appSyncTemplate struct {
	Resources map[string]struct {
		Type       string            `yaml:"Type"`
		Properties appSyncProperties `yaml:"Properties"`
	} `yaml:"Resources"`
}

type appSyncProperties struct {
	AuthenticationType   string            `yaml:"AuthenticationType"`
	EnvironmentVariables map[string]string `yaml:"EnvironmentVariables"`
	DefinitionS3Location string            `yaml:"DefinitionS3Location"`
	TypeName             string            `yaml:"TypeName"`
	FieldName            string            `yaml:"FieldName"`
	DataSourceName       string            `yaml:"DataSourceName"`
	CodeS3Location       string            `yaml:"CodeS3Location"`
	Expires              []string          `yaml:"Expires"`
	DynamoDBConfig       struct {
		TableName string `yaml:"TableName"`
	} `yaml:"DynamoDBConfig"`
	Policies []struct {
		PolicyDocument struct {
			Statement []struct {
				Action   string `yaml:"Action"`
				Resource string `yaml:"Resource"`
			} `yaml:"Statement"`
		} `yaml:"PolicyDocument"`
	} `yaml:"Policies"`
}

func readAppSyncTemplate(t *testing.T) (template appSyncTemplate) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(appSyncExample, "template.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &template)
	}
	if err != nil || len(template.Resources) == 0 {
		t.Fatalf("%d resources, %v", len(template.Resources), err)
	}
	return template
}

// setup is what testdata/appsync/run.js needs: the template's resolvers with their tables.
func (tt appSyncTemplate) setup(t *testing.T, engine string) string {
	t.Helper()
	tables := map[string]string{
		"InventoryTableName": "securecart-inventory", "CartTableName": "securecart-carts",
	}
	resolvers, env := map[string]map[string]string{}, map[string]string{}
	for _, r := range tt.Resources {
		if p := r.Properties; r.Type == "AWS::AppSync::Resolver" {
			source, _, _ := strings.Cut(p.DataSourceName, ".")
			resolvers[p.TypeName+"."+p.FieldName] = map[string]string{
				"code": "./" + p.CodeS3Location, "table": tables[tt.Resources[source].Properties.DynamoDBConfig.TableName],
			}
		}
	}
	api := tt.Resources["Api"].Properties
	for name, parameter := range api.EnvironmentVariables {
		env[name] = tables[parameter]
	}
	if mode := api.AuthenticationType; mode != "AMAZON_COGNITO_USER_POOLS" {
		t.Errorf("by default the API takes %s, and the imitation takes a token of a user pool", mode)
	}
	setup, err := json.Marshal(map[string]any{
		"schema":    tt.Resources["Schema"].Properties.DefinitionS3Location,
		"resolvers": resolvers, "env": env, "dynamodb": engine,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(setup)
}

// appSyncFolder is a folder with the example, the imitation, and what both import.
func appSyncFolder(t *testing.T) (folder string) {
	t.Helper()
	needPrograms(t, "node")
	installed := needTool(t, "appsync/node_modules")
	folder = t.TempDir()
	utils := filepath.Join(folder, "node_modules/@aws-appsync/utils")
	for _, err := range []error{
		os.CopyFS(folder, os.DirFS(appSyncExample)), os.CopyFS(folder, os.DirFS("testdata/appsync")),
		os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"type":"module"}`), 0o600),
		os.MkdirAll(utils, 0o700), os.Rename(filepath.Join(folder, "utils.js"), filepath.Join(utils, "index.js")),
		os.WriteFile(filepath.Join(utils, "package.json"), []byte(`{"type":"module","exports":"./index.js"}`), 0o600),
		os.Symlink(filepath.Join(installed, "graphql"), filepath.Join(folder, "node_modules/graphql")),
		os.Symlink(filepath.Join(installed, "@aws-appsync/eslint-plugin"),
			filepath.Join(folder, "node_modules/@aws-appsync/eslint-plugin")),
		os.Symlink(filepath.Join(installed, "typescript"), filepath.Join(folder, "node_modules/typescript")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func startAppSync(t *testing.T, engine string) *appSync {
	t.Helper()
	folder := appSyncFolder(t)
	cmd := exec.CommandContext(t.Context(), "node", "run.js", readAppSyncTemplate(t).setup(t, engine))
	cmd.Dir = folder
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	a := &appSync{stdin, bufio.NewScanner(startCommand(t, cmd))}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	return a
}

// identity is what AppSync knows of a caller; nil: a guest with the API key.
type identity map[string]string

// ask sends a query.
func (a *appSync) ask(t *testing.T, who identity, query string) (answer appSyncAnswer) {
	t.Helper()
	request := map[string]any{"query": query, "identity": who}
	if err := json.NewEncoder(a.stdin).Encode(request); err != nil {
		t.Fatal(err)
	}
	if !a.lines.Scan() {
		t.Fatalf("no answer to %s: %v", query, a.lines.Err())
	}
	if err := json.Unmarshal(a.lines.Bytes(), &answer); err != nil {
		t.Fatalf("%v: %s", err, a.lines.Text())
	}
	return answer
}

// TestAppSync reads the tables of a hub through the example, and compares what it answers
// with what the hub answers.
func TestAppSync(t *testing.T) {
	engine := startEngine(t)
	clearAWS(t)
	api := startAppSync(t, engine)
	hub := startProgram(t, withSDK(t), "-dynamodb", engine, "-create-tables", "-limits", "skus=0,guest=0,customer=0")
	t.Run("stock", func(t *testing.T) { testAppSyncStock(t, api, hub, chatTable{engine}) })
	t.Run("names", func(t *testing.T) { testAppSyncNames(t, api, hub, chatTable{engine}) })
	t.Run("carts", func(t *testing.T) { testAppSyncCarts(t, api, hub) })
	t.Run("odd carts", func(t *testing.T) { testOddCarts(t, api, hub, chatTable{engine}) })
}

// testAppSyncCarts: a token reads its own cart, and nobody else reads one.
func testAppSyncCarts(t *testing.T, api *appSync, hub *instance) {
	hub.answers(t, hub.token(t), "add TEE-RED-M 2", "add MUG", "set MUG 0") // alice
	const noArgument = `Unknown argument "id" on field "Query.cart".`
	const cart = `{cart {version lines {sku quantity}}}`
	alice := api.ask(t, identity{"sub": "alice"}, cart)
	lines := []any{map[string]any{"sku": "TEE-RED-M", "quantity": 2.0}}
	if len(alice.Errors) > 0 || !reflect.DeepEqual(alice.Data.Cart["lines"], lines) || alice.Data.Cart["version"] == 0.0 {
		t.Errorf("alice: got %v, %q", alice.Data.Cart, alice.Errors)
	}
	if len(alice.Requests) != 1 || alice.Requests[0].Key["cart"]["S"] != "u~alice" {
		t.Errorf("alice: got the requests %v, want her row", alice.Requests)
	}
	bob := api.ask(t, identity{"sub": "bob"}, cart)
	empty := map[string]any{"version": 0.0, "lines": []any{}}
	if len(bob.Errors) > 0 || !reflect.DeepEqual(bob.Data.Cart, empty) {
		t.Errorf("bob: got %v, %q, want an empty cart", bob.Data.Cart, bob.Errors)
	}
	for name, tt := range map[string]struct {
		who            identity
		query, problem string
	}{
		"a guest":          {nil, cart, "Not Authorized to access cart on type Query"},
		"nobody":           {identity{"username": "alice"}, cart, "Not authorized"},
		"a name to hash":   {identity{"sub": "al ice"}, cart, "Not authorized"},
		"a name too long":  {identity{"sub": strings.Repeat("a", 63)}, cart, "Not authorized"},
		"the id of others": {identity{"sub": "bob"}, `{cart(id: "u~alice") {version}}`, noArgument},
	} {
		got := api.ask(t, tt.who, tt.query)
		if got.Data.Cart != nil || len(got.Requests) != 0 || !slices.Equal(got.Errors, []string{tt.problem}) {
			t.Errorf("%s: got %v, %q and %d requests, want only %q", name, got.Data.Cart, got.Errors, len(got.Requests),
				tt.problem)
		}
	}
}

// TestAppSyncRights: a data source may read its own table by one operation.
func TestAppSyncRights(t *testing.T) {
	got := map[string]string{}
	for id, r := range readAppSyncTemplate(t).Resources {
		for _, p := range r.Properties.Policies {
			for _, s := range p.PolicyDocument.Statement {
				_, table, _ := strings.Cut(s.Resource, ":table/")
				got[id] += s.Action + " " + table
			}
		}
	}
	want := map[string]string{
		"InventoryRole": "dynamodb:BatchGetItem ${InventoryTableName}", "CartRole": "dynamodb:GetItem ${CartTableName}",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got the rights %q, want %q", got, want)
	}
}

// TestAppSyncGuestKey: whoever deploys chooses when the key of the guests ends. AppSync ends it
// after a week otherwise.
func TestAppSyncGuestKey(t *testing.T) {
	got := readAppSyncTemplate(t).Resources["GuestKey"].Properties.Expires
	if want := []string{"GuestKeyHasEnd", "GuestKeyEnds", "AWS::NoValue"}; !slices.Equal(got, want) {
		t.Errorf("the key ends at !If %q, want %q", got, want)
	}
}

// TestAppSyncLint: AWS's own linter finds nothing in the resolvers that the runtime
// APPSYNC_JS does not have, and all of it in a specimen.
func TestAppSyncLint(t *testing.T) {
	folder := appSyncFolder(t)
	if err := os.WriteFile(filepath.Join(folder, "specimen.js"), []byte(appSyncSpecimen), 0o600); err != nil {
		t.Fatal(err)
	}
	eslint := filepath.Join(needTool(t, "appsync/node_modules"), "eslint/bin/eslint.js")
	cmd := exec.CommandContext(t.Context(), "node", eslint, "--format", "json", "stock.js", "cart.js", "specimen.js")
	cmd.Dir, cmd.Stderr = folder, t.Output()
	out, _ := cmd.Output() // it fails, because it finds something
	var files []struct {
		FilePath string
		Messages []struct{ RuleID, Message string }
	}
	if err := json.Unmarshal(out, &files); err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v\n%s", len(files), err, out)
	}
	got := map[string][]string{}
	for _, file := range files {
		for _, m := range file.Messages {
			name := filepath.Base(file.FilePath)
			got[name] = append(got[name], strings.TrimPrefix(m.RuleID, "@aws-appsync/"))
		}
	}
	want := map[string][]string{"specimen.js": {
		"no-while", "no-for", "no-in-operator", "no-continue", "no-disallowed-unary-operators", "no-try",
		"no-disallowed-methods", "no-regex",
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// appSyncSpecimen is a resolver that AppSync refuses.
const appSyncSpecimen = `export function request(ctx) {
	while (ctx.args.n > 0) { }
	for (let i = 0; i < 9; i += 1) { }
	for (const n of ctx.args.list) { if (n in ctx.args) continue }
	let n = 1
	n++
	try { return Object.freeze(ctx.args) } catch { return /a/ }
}`
