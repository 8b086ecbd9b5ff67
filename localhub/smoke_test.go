package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const smokeKey = "a-key-of-the-smoke-test"

// smoke runs scripts/smoke, and returns what it prints.
func smoke(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	out, err := smokeCommand(t, env, args...).CombinedOutput()
	return string(out), err
}

func smokeCommand(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			skipMissing(t, tool+" is not installed")
		}
	}
	cmd := exec.CommandContext(t.Context(), "../scripts/smoke", args...)
	cmd.Env = append(os.Environ(), mainVariable+"=1", "LOCALHUB="+testBinary(t))
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// nothingLeft checks that the stock has no row of a smoke test.
func nothingLeft(t *testing.T, hub *instance) {
	t.Helper()
	resp, err := http.Get("http://" + hub.adminAddress() + "/admin/stock")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if rows := string(body); err != nil || !strings.Contains(rows, "TEE-RED-M") || strings.Contains(rows, "SMOKE-") {
		t.Errorf("the stock is %s, %v", rows, err)
	}
}

// fakeStack is an aws command for a stack that is a localhub.
const fakeStack = `#!/bin/sh
sku=$(echo "$*" | sed -n 's/.*\(SMOKE-[0-9]*\).*/\1/p')
case "$*" in
"configure get region") echo eu-central-1 ;;
"cloudformation describe-stacks --stack-name sam-app --query Stacks[0].Outputs"*)
	printf '%s\t%s\n' SocketUrl "$SOCKET" RestUrl "$(echo "$SOCKET" | sed 's,^ws,http,; s,/v1$,,')" \
		SystemsUrl "$ADMIN" ${TABLE-InventoryTableName stock} PrivateUrl '' SystemsKeyId key-id ;;
"cloudformation describe-stacks --stack-name sam-app --query Stacks[0].Parameters"*) echo "$ATTRIBUTES" ;;
"cloudformation describe-stacks"*) echo Stack with id other does not exist >&2; exit 254 ;;
"apigateway get-api-key --api-key key-id --include-value "*) echo ${KEY-` + smokeKey + `} ;;
"dynamodb put-item --table-name stock "*"$WANT_ITEM"*)
	case "$*" in *'"available":{"N":"3"}'*) pieces=3 ;; *) pieces=9 ;; esac
	curl -fsS -X PUT -d "{\"available\":$pieces,\"lowAt\":5}" "$ADMIN/admin/stock/$sku" ;;
"dynamodb delete-item --table-name stock "*"$WANT_KEY"*) curl -fsS -X DELETE "$ADMIN/admin/stock/$sku" ;;
*) exit 9 ;;
esac
`

// TestSmoke: the script is content with a hub that works, and leaves nothing. It also asks a
// stack, which may have other names for its attributes.
func TestSmoke(t *testing.T) {
	hub := start(t, "-api-key", smokeKey)
	admin := "http://" + hub.adminAddress()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(fakeStack), 0o700); err != nil {
		t.Fatal(err)
	}
	stack := []string{"SOCKET=" + hub.socket, "ADMIN=" + admin,
		"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH")}
	mapped := append([]string{"ATTRIBUTES=sku=productId,version=rev", "WANT_KEY={\"productId\":{\"S\":\"SMOKE-",
		`WANT_ITEM="available":{"N":"9"},"lowAt":{"N":"5"},"rev":{"N":"1"}}`}, stack...)
	// The hub does not write to such a table.
	uncounted := append([]string{"ATTRIBUTES=version=none", `WANT_ITEM="lowAt":{"N":"5"}}`, "KEY=no"}, stack...)
	for name, tt := range map[string]struct{ env, args []string }{
		"a localhub":           {nil, []string{hub.socket, admin, smokeKey}},
		"a stack":              {stack, []string{"sam-app"}},
		"a stack with a table": {mapped, []string{"sam-app"}},
		"no versions":          {uncounted, []string{"sam-app"}},
		"a user's token":       {[]string{"LOCALHUB_TOKEN=nonsense"}, []string{hub.socket, admin, smokeKey}},
	} {
		out, err := smoke(t, tt.env, tt.args...)
		if err != nil || strings.Count(out, "ok  ") != 5 || !strings.Contains(out, "few left, 3") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		nothingLeft(t, hub)
	}
}

// fakeHub is a shopper's program that fails, hangs or lies at one word.
const fakeHub = `#!/bin/sh
case "$1 $BROKEN" in
"sub hang") exec sleep 60 ;;
"sub deny") set -- sub NO-SUCH-SKU -url "$4" ;;
"get lie") echo "cart empty (version 1)" && exit ;;
"$BROKEN "*) echo it is broken >&2 && exit 1 ;;
esac
exec "$REAL" "$@"
`

// TestSmokeFails: each step that fails is named with its reason, and what was written before
// is taken back. If that fails too, the script says what is left.
func TestSmokeFails(t *testing.T) {
	hub := start(t, "-api-key", smokeKey)
	admin := "http://" + hub.adminAddress()
	bin := t.TempDir()
	for name, text := range map[string]string{"aws": fakeStack, "hub": fakeHub} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// A shop's API that changes nothing, and keeps its rows.
	target, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	idle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/v1/"):
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			through.ServeHTTP(w, r)
		}
	}))
	defer idle.Close()
	env := []string{"PATIENCE=1", "SOCKET=" + hub.socket, "ADMIN=" + admin, "REAL=" + testBinary(t),
		"LOCALHUB=" + filepath.Join(bin, "hub"), "PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH")}
	here := []string{hub.socket, admin, smokeKey}
	for name, tt := range map[string]struct {
		env  string
		args []string
		want string
	}{
		"no hub": {"", []string{"ws://127.0.0.1:1/v1", admin, smokeKey}, "NO  no badge of SMOKE-"},
		"no admin API": {"", []string{hub.socket, "http://127.0.0.1:1", smokeKey},
			"NO  the shop cannot write the row of SMOKE-"},
		"no stack":                {"", []string{"other"}, "NO  the stack other cannot be read in eu-central-1"},
		"no name":                 {"", nil, "NO  samconfig.toml has no stack_name for the environment default"},
		"a stack of others":       {"TABLE=", []string{"sam-app"}, "NO  the stack sam-app has no output InventoryTableName"},
		"no right to write":       {"WANT_ITEM=nothing", []string{"sam-app"}, "NO  the shop cannot write the row of SMOKE-"},
		"a wrong key":             {"", []string{hub.socket, admin, "wrong"}, "NO  the shop cannot set the stock of SMOKE-"},
		"no badge":                {"BROKEN=sub", here, ": it is broken"},
		"a badge that hangs":      {"BROKEN=hang", here, "NO  no badge of SMOKE-"},
		"a badge that is refused": {"BROKEN=deny", here, "is not in stock: sku:NO-SUCH-SKU refused: denied"},
		"no cart":                 {"BROKEN=add", here, "NO  a guest cannot add to a cart: it is broken"},
		"no HTTP":                 {"BROKEN=get", here, "NO  get cart: it is broken"},
		"a lost cart":             {"BROKEN=lie", here, "NO  the cart has lost what was added: cart empty"},
		"a cart that stays":       {"BROKEN=set", here, "keeps 2 SMOKE-"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := smoke(t, append(env, tt.env), tt.args...)
			if err == nil || !strings.Contains(out, tt.want) || strings.Contains(out, "is left") && tt.args != nil &&
				tt.args[0] == hub.socket && tt.args[1] == admin {
				t.Errorf("%v, want %s\n%s", err, tt.want, out)
			}
			nothingLeft(t, hub)
		})
	}
	out, err := smoke(t, append(env, "LOCALHUB="+testBinary(t)), hub.socket, idle.URL, smokeKey)
	if err == nil || !strings.Contains(out, "has not moved in 1 s") || !strings.Contains(out, "is left in the stock") {
		t.Errorf("a shop that does not change: %v\n%s", err, out)
	}
	if out, err := smoke(t, nil, "1", "2"); err == nil || !strings.Contains(out, "scripts/smoke [STACK]") {
		t.Errorf("two arguments: %v\n%s", err, out)
	}
}

// TestSmokeStopped: a script that is stopped cleans up too.
func TestSmokeStopped(t *testing.T) {
	hub := start(t, "-api-key", smokeKey)
	for _, stop := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := smokeCommand(t, []string{"PATIENCE=60"}, hub.socket, "http://"+hub.adminAddress(), smokeKey)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() { // the row is there
			t.Fatal("it printed nothing")
		}
		if err := cmd.Process.Signal(stop); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := cmd.Wait(); err == nil {
			t.Errorf("%v: content", stop)
		}
		nothingLeft(t, hub)
	}
}
