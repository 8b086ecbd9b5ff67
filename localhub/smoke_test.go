package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const smokeKey = "a-key-of-the-smoke-test"

// smoke runs scripts/smoke, and returns what it prints.
func smoke(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			skipMissing(t, tool+" is not installed")
		}
	}
	cmd := exec.CommandContext(t.Context(), "../scripts/smoke", args...)
	cmd.Env = append(os.Environ(), mainVariable+"=1", "LOCALHUB="+testBinary(t))
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
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
*"'SocketUrl'"*) echo "$SOCKET" ;;
*"'RestUrl'"*) echo "$SOCKET" | sed 's,^ws,http,; s,/v1$,,' ;;
*"'SystemsUrl'"*) echo "$ADMIN" ;;
*"'InventoryTableName'"*) echo stock ;;
*"'SystemsKeyId'"*) echo key-id ;;
"apigateway get-api-key --api-key key-id --include-value "*) echo ` + smokeKey + ` ;;
"dynamodb put-item --table-name stock "*) curl -fsS -X PUT -d '{"available":9,"lowAt":5}' "$ADMIN/admin/stock/$sku" ;;
"dynamodb delete-item --table-name stock "*) curl -fsS -X DELETE "$ADMIN/admin/stock/$sku" ;;
*) exit 9 ;;
esac
`

// TestSmoke: the script is content with a hub that works, and leaves nothing. The second
// time it asks a stack.
func TestSmoke(t *testing.T) {
	hub := start(t, "-api-key", smokeKey)
	admin := "http://" + hub.adminAddress()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(fakeStack), 0o700); err != nil {
		t.Fatal(err)
	}
	stack := []string{"SOCKET=" + hub.socket, "ADMIN=" + admin,
		"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH")}
	for name, tt := range map[string]struct{ env, args []string }{
		"a localhub": {nil, []string{hub.socket, admin, smokeKey}},
		"a stack":    {stack, []string{"sam-app"}},
	} {
		out, err := smoke(t, tt.env, tt.args...)
		if err != nil || strings.Count(out, "ok  ") != 5 || !strings.Contains(out, "few left, 3") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		nothingLeft(t, hub)
	}
}

// TestSmokeFails: a hub whose sockets cannot be reached fails, and its row is removed.
func TestSmokeFails(t *testing.T) {
	hub := start(t, "-api-key", smokeKey)
	out, err := smoke(t, []string{"PATIENCE=1"}, "ws://127.0.0.1:1/v1", "http://"+hub.adminAddress(), smokeKey)
	if err == nil || !strings.Contains(out, "NO  no badge of SMOKE-") {
		t.Errorf("%v\n%s", err, out)
	}
	nothingLeft(t, hub)
	if out, err := smoke(t, nil); err == nil || !strings.Contains(out, "scripts/smoke STACK") {
		t.Errorf("without arguments: %v\n%s", err, out)
	}
}
