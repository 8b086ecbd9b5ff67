package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"go.uber.org/goleak"

	"github.com/securecart/hub/internal/dynamotest"
)

// These variables make the test binary run another program than the tests.
const (
	mainVariable      = "LOCALHUB_TEST_MAIN"      // localhub
	bootstrapVariable = "LOCALHUB_TEST_BOOTSTRAP" // a Lambda function, see echoFunction
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(mainVariable) != "":
		main()
	case os.Getenv(bootstrapVariable) != "":
		lambda.Start(echoFunction)
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

// patience limits the waits for what must come. A busy machine is many times slower.
const patience = 3 * time.Minute

// buildDir has the programs that tests build, each once. It is removed after the last
// test.
var buildDir string

// goBuild builds packages of the repository.
func goBuild(args ...string) error {
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// testBinary is the path of this test binary.
func testBinary(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// skipMissing skips a test whose tool is missing, or fails it where tools are
// required.
func skipMissing(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv(dynamotest.ToolsVariable) == "required" {
		t.Fatalf("%s, and %s=required", reason, dynamotest.ToolsVariable)
	}
	t.Skip(reason)
}

// instance is a running localhub.
type instance struct {
	banner string
	socket string // ws://HOST:PORT/STAGE
	stock  string // URL of the admin API for the stock of TEE-RED-M; "": a template has none
}

// adminAddress is the host and port of the admin API.
func (i *instance) adminAddress() string {
	return strings.TrimPrefix(strings.TrimSuffix(i.stock, "/admin/stock/TEE-RED-M"), "http://")
}

// anyPort makes localhub listen on ports that are free.
var anyPort = []string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}

// withNewKeys returns arguments with which localhub keeps no keys in the user's cache
// folder, whatever they say of rows.
func withNewKeys(args []string) []string {
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if slices.Contains([]string{"keys", "data", "dynamodb", "template"}, name) {
			return args
		}
	}
	return append([]string{"-keys", noKeys}, args...)
}

// start runs localhub in this process until the test ends.
func start(t *testing.T, args ...string) *instance {
	t.Helper()
	i := runInProcess(t, t.Output(), append(anyPort, args...)...)
	if i.stock == "" {
		t.Fatalf("the banner has no address of the admin API:\n%s", i.banner)
	}
	return i
}

// runInProcess runs localhub in this process until the test ends, and returns after the
// banner.
func runInProcess(t *testing.T, stderr io.Writer, args ...string) *instance {
	t.Helper()
	return runExactly(t, stderr, withNewKeys(args)...)
}

// runExactly is runInProcess with these arguments only, for a test that has a cache
// folder of its own.
func runExactly(t *testing.T, stderr io.Writer, args ...string) *instance {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, in, stderr)
		in.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("localhub ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	i := readBanner(t, out)
	go io.Copy(io.Discard, out)
	return i
}

// startCommand starts a program. Its standard error appears only if the test fails.
func startCommand(t *testing.T, cmd *exec.Cmd) (stdout io.Reader) {
	t.Helper()
	cmd.Stderr = t.Output()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stdout
}

// startProgram runs a localhub that was built until the test ends, and interrupts it
// then.
func startProgram(t *testing.T, program string, args ...string) *instance {
	t.Helper()
	cmd := exec.Command(program, withNewKeys(append(anyPort, args...))...)
	stdout := startCommand(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("localhub ended with %v", err)
		}
	})
	return readBanner(t, stdout)
}

var (
	socketURL = regexp.MustCompile(`ws://\S+`)
	adminURL  = regexp.MustCompile(`(?m)^  admin +(http://\S+)/$`)
)

// readBanner reads what localhub prints at start.
func readBanner(t *testing.T, stdout io.Reader) *instance {
	t.Helper()
	var text strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Interrupt") { // the last line
			break
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	i := &instance{banner: text.String()}
	i.socket = socketURL.FindString(i.banner)
	if m := adminURL.FindStringSubmatch(i.banner); m != nil {
		i.stock = m[1] + "/admin/stock/TEE-RED-M"
	}
	if i.socket == "" {
		t.Fatalf("the banner has no socket:\n%s", i.banner)
	}
	return i
}

// wscatArgs are the arguments of the banner's wscat command for a client, such as
// "alice's phone".
func (i *instance) wscatArgs(t *testing.T, client string) []string {
	t.Helper()
	_, rest, _ := strings.Cut(i.banner, "  "+client+"\n    npx wscat ")
	line, _, _ := strings.Cut(strings.ReplaceAll(rest, "\\\n", " "), "\n")
	var args []string
	for n, part := range strings.Split(line, `"`) {
		if quoted := n%2 == 1; quoted {
			args = append(args, i.substituted(t, part))
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	if len(args) == 0 {
		t.Fatalf("the banner has no command for %s:\n%s", client, i.banner)
	}
	return args
}

// substituted is a word of the shell in which the banner's command for a token was replaced
// by what it prints.
func (i *instance) substituted(t *testing.T, word string) string {
	t.Helper()
	before, command, found := strings.Cut(word, "$(")
	if !found {
		return word
	}
	_, args, _ := strings.Cut(strings.TrimSuffix(command, ")"), " token ")
	var printed strings.Builder
	args = "token " + args
	if err := run(t.Context(), strings.Fields(args), &printed, t.Output()); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return before + strings.TrimSpace(printed.String())
}

// token is a token of alice, as the banner says how to get it.
func (i *instance) token(t *testing.T) string {
	t.Helper()
	args := strings.Join(i.wscatArgs(t, alicesDevices), " ")
	_, token, _ := strings.Cut(args, "Bearer ")
	return token
}

// alicesDevices is how the banner calls the command for a customer.
const alicesDevices = "alice, on as many devices as you like"

// putStock changes the stock of TEE-RED-M by the admin API, as curl -d does.
func (i *instance) putStock(t *testing.T, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, i.stock, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("PUT %s: got %s %s", i.stock, resp.Status, answer)
	}
}

// onlyConnection is the id of the one open connection.
func (h *instance) onlyConnection(t *testing.T) string {
	t.Helper()
	var open struct {
		Connections []struct{ ConnectionID string }
	}
	getAdmin(t, "http://"+h.adminAddress()+"/admin/connections", &open)
	if len(open.Connections) != 1 {
		t.Fatalf("got %+v, want one connection", open.Connections)
	}
	return open.Connections[0].ConnectionID
}

// unusedAddress is an address on which no program listens until the test ends: its port
// is that of a connection.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client.LocalAddr().String()
}

// freeAddress is an address for a program that cannot choose one itself. Another program
// may be faster, so use it only where the address must be known before the start.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestErrorsAreShort: a file with many mistakes does not fill the terminal.
func TestErrorsAreShort(t *testing.T) {
	for lines, want := range map[int]int{1: 1, 200: 200, 201: 201, 5000: 201} {
		var stderr bytes.Buffer
		exitStatus(errors.New(strings.TrimSuffix(strings.Repeat("a mistake\n", lines), "\n")), &stderr)
		got := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		if len(got) != want || (lines > 200) != (got[len(got)-1] == "and more") {
			t.Errorf("%d mistakes: got %d lines, the last %q, want %d", lines, len(got), got[len(got)-1], want)
		}
	}
}
