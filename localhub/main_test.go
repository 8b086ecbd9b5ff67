package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(bootstrapVariable) != "" {
		lambda.Start(bootstrap)
		return
	}
	dir, err := os.MkdirTemp("", "localhub")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		_ = os.RemoveAll(dir)
		os.Exit(status)
	}))
}

// buildDir has what the tests build. It lives as long as the test binary.
var buildDir string

// running is a localhub on free ports.
type running struct {
	greeting string
	socket   string
	admin    string
}

// start runs localhub in process until the test ends.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, args...), in, io.Discard)
		in.Close()
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("localhub ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	r := readGreeting(t, out)
	go io.Copy(io.Discard, out)
	return r
}

var (
	socketLine = regexp.MustCompile(`ws://\S+`)
	adminLine  = regexp.MustCompile(`http://\S+/admin/stock/TEE-RED-M`)
)

func readGreeting(t *testing.T, out io.Reader) *running {
	t.Helper()
	var text strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Interrupt") {
			break
		}
	}
	r := &running{greeting: text.String()}
	r.socket = socketLine.FindString(r.greeting)
	r.admin = adminLine.FindString(r.greeting)
	if r.socket == "" || r.admin == "" {
		t.Fatalf("the greeting lacks something:\n%s", r.greeting)
	}
	return r
}

// wscatLine is what the greeting tells to type for somebody, without "npx wscat".
func (r *running) wscatLine(t *testing.T, who string) []string {
	t.Helper()
	_, rest, _ := strings.Cut(r.greeting, "  "+who+"\n    npx wscat ")
	line, _, _ := strings.Cut(rest, "\n")
	var args []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			args = append(args, part) // quoted
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	if len(args) == 0 {
		t.Fatalf("the greeting has no line for %s:\n%s", who, r.greeting)
	}
	return args
}

// curl does what the greeting's last line does.
func (r *running) curl(t *testing.T, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, r.admin, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl -d does
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", resp.Status, answer)
	}
}

func TestCommandLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte("[\n{\"sku\":\"A\",\"available\":-1}\n]"), 0o600); err != nil {
		t.Fatal(err)
	}
	busy := taken.Addr().String()
	for name, tt := range map[string]struct {
		args   []string
		status int
		stderr string // its beginning
	}{
		"an unknown flag":          {[]string{"-colour"}, 2, "localhub: flag provided but not defined: -colour (-h lists the flags)"},
		"an argument":              {[]string{"serve"}, 2, `localhub: "serve" is not a flag (-h lists the flags)`},
		"a duration that is none":  {[]string{"-max-age", "long"}, 2, `localhub: invalid value "long" for flag -max-age`},
		"no time at all":           {[]string{"-idle-timeout", "0s"}, 2, "localhub: -idle-timeout 0s: it must be above zero"},
		"an admin API for all":     {[]string{"-admin", "0.0.0.0:8788"}, 2, "localhub: -admin 0.0.0.0:8788: the admin API is for this machine only"},
		"a long life":              {[]string{"-max-age", "3h"}, 2, "localhub: -max-age 3h0m0s: it must be above zero and at most 2h0m0s"},
		"faults with a blank":      {[]string{"-faults", "gone=3"}, 2, `localhub: "gone=3" is not a flag (write -faults=gone=3 without a space)`},
		"a stage that is none":     {[]string{"-stage", "a/b"}, 2, `localhub: -stage "a/b"`},
		"a log that is none":       {[]string{"-log", "xml"}, 2, `localhub: -log "xml": it must be json or text`},
		"a fault that is none":     {[]string{"-faults=rain=3"}, 2, `localhub: invalid value "rain=3" for flag -faults: unknown fault "rain"`},
		"a fault without number":   {[]string{"-faults=gone"}, 2, `localhub: invalid value "gone" for flag -faults: gone=N needs a number above zero`},
		"an address that is none":  {[]string{"-addr", "nowhere"}, 2, "localhub: -addr nowhere: "},
		"a busy port":              {[]string{"-addr", busy}, 1, "localhub: " + busy + " is in use by another program; choose another address with -addr"},
		"a busy admin port":        {[]string{"-addr", "127.0.0.1:0", "-admin", busy}, 1, "localhub: " + busy + " is in use by another program; choose another address with -admin"},
		"a DynamoDB that is none":  {[]string{"-dynamodb", "here"}, 2, `localhub: -dynamodb "here": it must be a URL, for example http://127.0.0.1:8000, or aws`},
		"tables for nobody":        {[]string{"-create-tables"}, 2, "localhub: -create-tables needs -dynamodb"},
		"an attribute unheard of":  {[]string{"-inventory-attributes", "colour=hue"}, 2, `localhub: invalid value "colour=hue" for flag -inventory-attributes: unknown attribute "colour"; use sku, `},
		"two keys of one name":     {[]string{"-inventory-attributes", "sku=id", "-cart-attributes", "cart=id"}, 2, `localhub: the keys of inventory and carts are both "id"`},
		"bootstraps alone":         {[]string{"-lambda", "build"}, 2, "localhub: -lambda needs -dynamodb"},
		"bootstraps elsewhere":     {[]string{"-lambda", "build", "-dynamodb", "http://192.0.2.7:8000"}, 2, "localhub: -lambda needs a DynamoDB on this machine, and 192.0.2.7:8000 is not"},
		"bootstraps on real rows":  {[]string{"-lambda", "build", "-dynamodb", "aws"}, 2, "localhub: -lambda needs a DynamoDB on this machine"},
		"a seed that is not there": {[]string{"-seed", "/nowhere/seed.json"}, 1, "localhub: seed: open /nowhere/seed.json: no such file"},
		"a seed with an error":     {[]string{"-seed", bad}, 1, "localhub: seed " + bad + `: line 2: field "available" of product "A" must be a number from 0 to`},
		"a page that is not there": {[]string{"-web", "/nowhere"}, 1, "localhub: -web /nowhere: no such directory"},
		"an origin that is none":   {[]string{"-allowed-origins", "https://Shop.example/"}, 2, `localhub: invalid value "https://Shop.example/" for flag -allowed-origins: it is not a list of origins`},
		"an admin token in a file": {[]string{"-admin-token", "@/nowhere"}, 2, `localhub: invalid value "@/nowhere" for flag -admin-token: open /nowhere: no such file`},
		"an empty admin token":     {[]string{"-admin-token", "@" + os.DevNull}, 2, `localhub: invalid value "@` + os.DevNull + `" for flag -admin-token: an empty token protects nothing`},
		"an odd admin token":       {[]string{"-admin-token", "s3 cret"}, 2, "localhub: -admin-token: a token has printable ASCII characters and no spaces\n"},
		"a token for nobody":       {[]string{"token"}, 2, "localhub: token needs -user NAME"},
		"a token from nowhere":     {[]string{"token", "-user", "x", "-admin", busyNot(t)}, 1, "localhub: no localhub answers at"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := exitStatus(run(t.Context(), tt.args, &stdout, &stderr), &stderr)
			if status != tt.status || !strings.HasPrefix(stderr.String(), tt.stderr) {
				t.Errorf("got status %d, %q, want %d, %q", status, stderr.String(), tt.status, tt.stderr)
			}
			if strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
				t.Errorf("want one line on standard error and none on standard output, got %q and %q", stderr.String(), stdout.String())
			}
		})
	}
}

// busyNot is an address where nobody listens.
func busyNot(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

func TestHelpAndVersion(t *testing.T) {
	for args, want := range map[string]string{"-version": "localhub ", "-h": "usage of localhub:\n", "token -h": "usage of localhub token:\n"} {
		var stdout, stderr bytes.Buffer
		status := exitStatus(run(t.Context(), strings.Fields(args), &stdout, &stderr), &stderr)
		if status != 0 || !strings.HasPrefix(stdout.String(), want) || stderr.Len() > 0 {
			t.Errorf("%s: got status %d, %q, %q", args, status, stdout.String(), stderr.String())
		}
	}
}

func TestTokenCommand(t *testing.T) {
	hub := start(t)
	address := strings.TrimPrefix(strings.TrimSuffix(hub.admin, "/admin/stock/TEE-RED-M"), "http://")
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"token", "-user", "bob", "-admin", address}, &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	o := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + strings.TrimSpace(stdout.String())}}}
	conn, _, err := websocket.Dial(t.Context(), hub.socket, o)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	_, data, err := conn.Read(t.Context())
	if err != nil || !strings.Contains(string(data), `"user":"bob","role":"customer"`) {
		t.Errorf("got %s, %v", data, err)
	}
	err = run(t.Context(), []string{"token", "-user", "bob", "-role", "emperor", "-admin", address}, io.Discard, io.Discard)
	if err == nil || err.Error() != `"role" must be customer, vendor or admin` {
		t.Errorf("a role that is none: got %v", err)
	}
}

// TestAdminTokenFlag: with -admin-token, the admin API, its token command and the
// page's address want it.
func TestAdminTokenFlag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret-from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hub := start(t, "-admin-token", "@"+file)
	if !strings.Contains(hub.greeting, "/#admin-token=s3cret-from-a-file\n") || !strings.Contains(hub.greeting, `/admin/stock/TEE-RED-M -H "Authorization: Bearer s3cret-from-a-file" -d`) {
		t.Errorf("the greeting lacks the token:\n%s", hub.greeting)
	}
	address := strings.TrimPrefix(strings.TrimSuffix(hub.admin, "/admin/stock/TEE-RED-M"), "http://")
	for name, tt := range map[string]struct {
		args []string
		want string // of the error; "": none
	}{
		"none":    {nil, "send the token that localhub was started with (-admin-token) in Authorization: Bearer"},
		"another": {[]string{"-admin-token", "other"}, "send the token that localhub was started with (-admin-token) in Authorization: Bearer"},
		"typed":   {[]string{"-admin-token", "s3cret-from-a-file"}, ""},
		"a file":  {[]string{"-admin-token", "@" + file}, ""},
	} {
		var stdout bytes.Buffer
		err := run(t.Context(), append([]string{"token", "-user", "bob", "-admin", address}, tt.args...), &stdout, io.Discard)
		if tt.want == "" && (err != nil || strings.Count(stdout.String(), ".") != 2) || tt.want != "" && (err == nil || err.Error() != tt.want) {
			t.Errorf("%s: got %q, %v, want error %q", name, stdout.String(), err, tt.want)
		}
	}
}

// TestAllowedOrigins: the flag reaches the authorizer.
func TestAllowedOrigins(t *testing.T) {
	hub := start(t, "-allowed-origins", "https://shop.example")
	for origin, want := range map[string]int{"https://shop.example": http.StatusSwitchingProtocols, "http://localhost:5173": http.StatusForbidden} {
		conn, resp, err := websocket.Dial(t.Context(), hub.socket, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if err == nil {
			_ = conn.CloseNow()
		}
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: got %v, %v, want %d", origin, resp, err, want)
		}
	}
}

// TestInterrupt builds the program, interrupts it, and sees it say bye and end.
func TestInterrupt(t *testing.T) {
	program := filepath.Join(t.TempDir(), "localhub")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	hub := readGreeting(t, stdout)
	t.Logf("the greeting came after %s", time.Since(began).Round(time.Millisecond))
	conn, _, err := websocket.Dial(t.Context(), hub.socket, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, data, err := conn.Read(t.Context())
	if err != nil || string(data) != `{"type":"bye","code":"recycle","retry":true,"after":1000}` {
		t.Errorf("got %s, %v, want bye", data, err)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("got %v, want close code 1001", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v, want status 0", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it still runs after 5 s")
		_ = cmd.Process.Kill()
		<-ended
	}
}
