package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// withEscape is a template whose route key has a command for the terminal.
var withEscape = strings.NewReplacer("RouteKey: $default", `RouteKey: "a\e[31mb"`).Replace(echoTemplate)

// TestTemplateEscapes: nothing of a template reaches the terminal as a command.
func TestTemplateEscapes(t *testing.T) {
	api := serveTemplate(t, writeTemplate(t, withEscape), "-function", "Echo=http://127.0.0.1:1")
	want := `  routes        a\x1b[31mb` + "\n"
	if !strings.Contains(api.banner, want) || strings.Contains(api.banner, "\x1b") {
		t.Errorf("the banner lacks %q:\n%q", want, api.banner)
	}
	var stderr bytes.Buffer
	file := writeTemplate(t, strings.Replace(echoTemplate, "Target: !Sub \"integrations/${Integration}\"",
		`Target: !ImportValue "a\e[31mb"`, 1))
	status := exitStatus(run(t.Context(), []string{"-template", file, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"},
		io.Discard, io.Discard), &stderr)
	got := stderr.String()
	if status != 1 || !strings.Contains(got, `a\x1b[31mb is a value`) || strings.Contains(got, "\x1b") {
		t.Errorf("got status %d, %q", status, got)
	}
}

// TestTemplateTimeoutOfEndpoint: a function behind -function has its timeout, too.
func TestTemplateTimeoutOfEndpoint(t *testing.T) {
	asked := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the end of the request
		<-r.Context().Done()
		close(asked)
	}))
	defer slow.Close()
	api := serveTemplate(t, writeTemplate(t, echoWithin(1)), "-function", "Echo="+slow.URL)
	c := dial(t, api.socket, nil)
	if got := ask(t, c, `{}`); got != errorFrame {
		t.Errorf("got %s, want the error frame", got)
	}
	<-asked
}

// TestTemplateImport: -import gives a value of another stack.
func TestTemplateImport(t *testing.T) {
	text := strings.Replace(echoTemplate, "functions/${Echo.Arn}/invocations",
		"functions/${Arn}/invocations", 1)
	text = strings.Replace(text, "IntegrationUri: !Sub arn", "IntegrationUri: !Sub\n        - arn", 1)
	text = strings.Replace(text, "/invocations\n", "/invocations\n        - Arn: !ImportValue functions:Echo\n", 1)
	file := writeTemplate(t, text)
	const arn = "arn:aws:lambda:eu-central-1:123456789012:function:theirs"
	api := serveTemplate(t, file, "-import", "functions:Echo="+arn, "-function", "theirs=http://127.0.0.1:1")
	if want := "  function      theirs  at http://127.0.0.1:1\n"; !strings.Contains(api.banner, want) {
		t.Errorf("the banner lacks %q:\n%s", want, api.banner)
	}
	testTemplateError(t, []string{"-template", file, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, 1,
		"functions:Echo is a value of another stack; set it with -import functions:Echo=VALUE")
}
