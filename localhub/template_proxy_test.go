package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/devca"
)

// TestTemplatePostsComeHome: a function posts to the name of the API in AWS, and the client
// here gets it. The function knows of the proxy and of the roots by its variables alone.
func TestTemplatePostsComeHome(t *testing.T) {
	for region, domain := range map[string]string{
		"eu-central-1": "API_ID.execute-api.eu-central-1.amazonaws.com",
		"us-west-2":    "API_ID.execute-api.us-west-2.amazonaws.com",
		"cn-north-1":   "API_ID.execute-api.cn-north-1.amazonaws.com.cn",
	} {
		t.Run(region, func(t *testing.T) {
			api, _ := serveEcho(t, "-env", "AWS_REGION="+region)
			wantPostHome(t, api.socket, "https://"+domain)
		})
	}
	t.Run("custom domain", func(t *testing.T) {
		text := strings.Replace(echoTemplate, "  Echo:\n", `  Domain:
    Type: AWS::ApiGatewayV2::DomainName
    Properties: {DomainName: ws.shop.example}
  Mapping:
    Type: AWS::ApiGatewayV2::ApiMapping
    Properties: {ApiId: !Ref Api, DomainName: !Ref Domain, Stage: !Ref Stage, ApiMappingKey: live}
  Echo:
`, 1)
		api, _ := serveEchoTemplate(t, text)
		wantPostHome(t, api.socket, "https://ws.shop.example")
	})
}

// wantPostHome lets a function post to a client at a URL of the API.
func wantPostHome(t *testing.T, socket, url string) {
	t.Helper()
	c := dial(t, socket, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	message := fmt.Sprintf(`{"do":"post","name":"%s/live"}`, url)
	if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"posted", "200 OK"} {
		_, got, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestTemplateOtherServices: functions trust what the developer trusts, beside localhub.
func TestTemplateOtherServices(t *testing.T) {
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	defer other.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw})
	if err := os.WriteFile(roots, root, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CA_BUNDLE", roots)
	api, _ := serveEcho(t)
	c := dial(t, api.socket, nil)
	if got := ask(t, c, fmt.Sprintf(`{"do":"call","name":%q}`, other.URL)); got != "418 I'm a teapot" {
		t.Errorf("got %s", got)
	}
}

// TestTemplateTLS: the port accepts TLS too, for handlers that post to
// https://domainName/stage.
func TestTemplateTLS(t *testing.T) {
	api, _ := serveEcho(t)
	trusted, err := os.ReadFile(authorityFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	address := strings.TrimPrefix(api.socket, "ws")
	c := dial(t, "wss"+address, &websocket.DialOptions{HTTPClient: client})
	if got := ask(t, c, `{}`); got != "MESSAGE" {
		t.Errorf("got %s, want MESSAGE", got)
	}
	url := "https" + address + "/@connections/L0SM9cOFvHcCIhw="
	resp, err := client.Post(url, "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusGone {
		t.Errorf("got %s, want 410", resp.Status)
	}
	t.Run("the authority outlives a localhub", func(t *testing.T) {
		if _, err := devca.Open(); err != nil {
			t.Fatal(err)
		}
		if again, err := os.ReadFile(authorityFile()); err != nil || !bytes.Equal(trusted, again) {
			t.Errorf("got another authority, %v", err)
		}
	})
}

// TestTemplateFolders: two localhubs that serve one template at once have two folders, and one that
// starts again has its own.
func TestTemplateFolders(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	folder := func(template string, port int) string {
		t.Helper()
		folder, err := templateFolder(template, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			t.Fatal(err)
		}
		return folder
	}
	first := folder("t.yaml", 8787)
	if again := folder("t.yaml", 8787); again != first {
		t.Errorf("got %s and %s for one address", first, again)
	}
	for _, other := range []string{folder("t.yaml", 8788), folder("u.yaml", 8787)} {
		if other == first {
			t.Errorf("got %s twice", other)
		}
	}
}
