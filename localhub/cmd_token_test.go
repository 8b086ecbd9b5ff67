package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func TestTokenCommand(t *testing.T) {
	hub := start(t)
	var stdout bytes.Buffer
	args := []string{"token", "-user", "bob", "-admin", hub.adminAddress()}
	if err := run(t.Context(), args, &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Authorization": {"Bearer " + strings.TrimSpace(stdout.String())}}
	conn := dial(t, hub.socket, &websocket.DialOptions{HTTPHeader: header})
	if got := ask(t, conn, "hello"); !strings.Contains(got, `"user":"bob","role":"customer"`) {
		t.Errorf("got %s, want the customer bob", got)
	}
	err := run(t.Context(), append(args, "-role", "vendor"), io.Discard, io.Discard)
	if err == nil || err.Error() != `a vendor's token needs a "vendor"` {
		t.Errorf("a vendor without a name: got %v", err)
	}
}

// TestAdminTokenFlag: with -admin-token, the admin API requires the token, localhub
// token can send it, and the banner has it.
func TestAdminTokenFlag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret-from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hub := start(t, "-admin-token", "@"+file)
	for _, want := range []string{
		"/#admin-token=s3cret-from-a-file\n",
		" token -admin " + hub.adminAddress() + " -admin-token @" + file + " -user alice)",
		" stock -admin " + hub.adminAddress() + " -admin-token @" + file + " TEE-RED-M 3\n",
	} {
		if !strings.Contains(hub.banner, want) {
			t.Errorf("the banner lacks %q:\n%s", want, hub.banner)
		}
	}
	const required = "send the token that localhub was started with (-admin-token) in Authorization: Bearer"
	for name, tt := range map[string]struct {
		args []string
		want string // the error; "": none
	}{
		"no token":    {nil, required},
		"wrong token": {[]string{"-admin-token", "other"}, required},
		"token":       {[]string{"-admin-token", "s3cret-from-a-file"}, ""},
		"file":        {[]string{"-admin-token", "@" + file}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"token", "-user", "bob", "-admin", hub.adminAddress()}, tt.args...)
			var stdout bytes.Buffer
			got := ""
			if err := run(t.Context(), args, &stdout, io.Discard); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got error %q, want %q", got, tt.want)
			}
			if isJWT := strings.Count(stdout.String(), ".") == 2; isJWT != (tt.want == "") {
				t.Errorf("got %q on standard output, want a token: %t", stdout.String(), tt.want == "")
			}
		})
	}
}

// TestTokenWord: the token in JSON, and the admin token of the environment.
func TestTokenWord(t *testing.T) {
	hub := start(t, "-admin-token", "s3cret")
	token := []string{"token", "-user", "bob", "-admin", hub.adminAddress()}
	process{args: token, status: 1, stderr: "localhub: send the token that localhub was started with"}.run(t)
	process{
		args: append(token, "-o=json"), env: []string{"LOCALHUB_ADMIN_TOKEN=s3cret"},
		stdout: `{"expires":…,"token":"…"}` + "\n",
	}.run(t)
	process{
		args: append(token, "bob"), status: 2,
		stderr: `localhub: "bob" is not a flag (localhub token -h lists the flags)`,
	}.run(t)
	process{
		args: append(token, "-role", "emperor"), status: 2,
		stderr: `localhub: invalid value "emperor" for flag -role: it must be customer, vendor or admin`,
	}.run(t)
}
