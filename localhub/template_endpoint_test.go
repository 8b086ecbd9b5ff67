package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestTemplateNoFunction: if the Invoke API answers that a function does not exist, or
// may not be invoked, the handshake fails with 500 (G-HANDSHAKE-8).
func TestTemplateNoFunction(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
		}))
		defer server.Close()
		text := strings.Replace(echoTemplate, "RouteKey: $default", "RouteKey: $connect", 1)
		api := serveTemplate(t, writeTemplate(t, text), "-function", "Echo="+server.URL)
		_, resp, err := websocket.Dial(t.Context(), api.socket, nil)
		if err == nil || resp == nil || resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("when Invoke answers %d: got %v, %v, want a handshake refused with 500", status, resp, err)
		}
	}
}

// TestTemplateEndpoint: -function invokes a function at a URL. While nothing serves the
// URL, the client gets the error frame.
func TestTemplateEndpoint(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"statusCode":200,"body":"from `+r.URL.Path+`"}`)
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	api, _ := serveEcho(t, "-function", "Echo="+address)
	c := dial(t, api.socket, nil)
	if got, want := ask(t, c, `{}`), "from /2015-03-31/functions/Echo/invocations"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_ = server.Close()
	<-served
	if got := ask(t, c, `{}`); got != errorFrame {
		t.Errorf("with the endpoint down: got %s", got)
	}
	api.stderr.waitFor(t, "Echo | failed: function Echo: ")
}

// serveInvoke serves Lambda's Invoke API until the test ends, and returns its URL.
func serveInvoke(t *testing.T, f func(w http.ResponseWriter, r *http.Request)) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(f))
	t.Cleanup(server.Close)
	return server.URL
}

// TestTemplateFunctionsURL: -functions is for all functions, -function for one, which wins.
func TestTemplateFunctionsURL(t *testing.T) {
	answer := func(text string) string {
		return serveInvoke(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"statusCode":200,"body":"`+text+" "+r.URL.Path+`"}`)
		})
	}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"all": {[]string{"-functions", answer("all")}, "all /2015-03-31/functions/Echo/invocations"},
		"one": {[]string{"-functions", answer("all"), "-function", "Echo=" + answer("one")},
			"one /2015-03-31/functions/Echo/invocations"},
	} {
		t.Run(name, func(t *testing.T) {
			api, _ := serveEcho(t, tt.args...)
			if got := ask(t, dial(t, api.socket, nil), `{}`); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestTemplateEndpointTimeout: a function behind Lambda's Invoke API has its timeout too,
// and 3 seconds if the template has none.
func TestTemplateEndpointTimeout(t *testing.T) {
	hang := serveInvoke(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	withoutTimeout := strings.Replace(echoTemplate, "      Timeout: 60\n", "", 1)
	for text, want := range map[string]string{echoWithin(1): "1s", withoutTimeout: "3s"} {
		api, _ := serveEchoTemplate(t, text, "-functions", hang)
		if got := ask(t, dial(t, api.socket, nil), `{}`); got != errorFrame {
			t.Errorf("got %s", got)
		}
		api.stderr.waitFor(t, "Echo | failed: function Echo timed out after "+want+", its Timeout\n")
	}
}

// sourceLine is the line of the banner with the variables of a function.
var sourceLine = regexp.MustCompile(`(?m)^  (source .+/Echo\.env)$`)

// TestTemplateEnvFile: the line of the banner gives a shell the variables of a function that
// the developer starts: those of the template, of -env, and of the API's address here.
func TestTemplateEnvFile(t *testing.T) {
	text := strings.Replace(echoTemplate, "          OWN: template\n", `          OWN: template
          TWO: "it's $HOME\n and more"
          FAR: !ImportValue elsewhere
          SECRET: "{{resolve:ssm:secret}}"
          "X; echo injected; Y": "1"
          "Z\\necho injected\\n": !ImportValue elsewhere
`, 1)
	api, folder := serveEchoTemplate(t, text, "-functions", "http://127.0.0.1:1", "-env", "Echo.MORE=given")
	m := sourceLine.FindStringSubmatch(api.banner)
	if m == nil {
		t.Fatalf("the banner has no line for Echo:\n%s", api.banner)
	}
	host := strings.TrimSuffix(strings.TrimPrefix(api.socket, "ws://"), "/live")
	script := m[1] + ` && printf '%s|' "$OWN" "$TWO" "$MORE" "$CALLBACK" "$AWS_LAMBDA_FUNCTION_NAME" "$FAR" ` +
		`"$HTTPS_PROXY" "$AWS_CA_BUNDLE" "$LAMBDA_TASK_ROOT" "$PATH"`
	cmd := exec.CommandContext(t.Context(), "/bin/bash", "-c", script)
	cmd.Env = []string{"PATH=/own/path"}
	out, err := cmd.CombinedOutput()
	want := strings.Join([]string{"template", "it's $HOME\n and more", "given", "http://" + host + "/live", "echo-it", "",
		"http://" + host, bundleFile(t), folder + "/echo", "/own/path", ""}, "|")
	if err != nil || string(out) != want {
		t.Errorf("got %s, %v\nwant %s", out, err, want)
	}
	file := strings.Trim(strings.TrimPrefix(m[1], "source "), "'")
	written, err := os.ReadFile(file)
	info, _ := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if strings.Contains(string(written), "injected") {
		t.Errorf("a name of the template is a command:\n%s", written)
	}
	for _, name := range []string{"FAR", "SECRET"} {
		if !strings.Contains(string(written), "# "+name+" has a value in AWS only: set it with -env Echo."+name+"=VALUE\n") {
			t.Errorf("%s is not explained:\n%s", name, written)
		}
	}
}

// TestTemplateFunctionNames: a name of the template is no file elsewhere.
func TestTemplateFunctionNames(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	uri := "!Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations"
	text := strings.Replace(echoTemplate, uri, `!Join ["", [
        "arn:aws:apigateway:x:lambda:path/2015-03-31/functions/", !GetAtt [../../Echo, Arn], /invocations]]`, 1)
	text = strings.Replace(text, "  Echo:\n", "  ../../Echo:\n", 1)
	args := []string{"-template", writeTemplate(t, text), "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0",
		"-functions", "http://127.0.0.1:1"}
	testTemplateError(t, args, 1, `resource name "../../Echo": only letters and digits`)
}

// TestTemplateEnvFileNode: a program in Node.js that has these variables posts to the name of
// the API in AWS, and reaches the API here.
func TestTemplateEnvFileNode(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		skipMissing(t, "Node.js is not installed")
	}
	text := strings.Replace(echoTemplate, "Runtime: provided.al2023", "Runtime: nodejs22.x", 1)
	text = strings.Replace(text, "          CALLBACK: !Sub https://", "          NAME: !Sub ", 1)
	api, _ := serveEchoTemplate(t, text, "-functions", "http://127.0.0.1:1", "-env", "NODE_OPTIONS=--no-warnings")
	m := sourceLine.FindStringSubmatch(api.banner)
	if m == nil {
		t.Fatalf("the banner has no line for Echo:\n%s", api.banner)
	}
	const program = `require("https").request("https://" + process.env.NAME + "/@connections/L0SM9cOFvHcCIhw=",
		{ method: "POST" }, (response) => console.log(response.resume().statusCode)).end("x")`
	cmd := exec.CommandContext(t.Context(), "/bin/bash", "-c", m[1]+" && exec node -e '"+program+"'")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "410\n" {
		t.Errorf("got %s, %v, want 410", out, err)
	}
}
