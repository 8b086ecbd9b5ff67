package lambdaproc_test

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/lambdaproc"
)

// tunnel is a proxy that connects every name to one address, and answers nothing else.
func tunnel(address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			io.WriteString(w, "not for a proxy")
			return
		}
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		server, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer server.Close()
		io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(server, client)
		io.Copy(client, server)
	})
}

// TestNodeProxy: https of Node.js uses the proxy, by itself or by the module, and not both.
func TestNodeProxy(t *testing.T) {
	needInterpreters(t)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, "home")
	}))
	defer secure.Close()
	proxy := httptest.NewServer(tunnel(secure.Listener.Addr().String()))
	defer proxy.Close()
	folder := t.TempDir()
	roots := filepath.Join(folder, "roots.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(roots, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lambdaproc.WriteRuntimes(folder); err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{"{}", "{ agent: new https.Agent() }"} {
		program := `const https = require("https");
			https.get("https://example.com/", ` + options + `, (r) => r.pipe(process.stdout)).on("error", console.log);`
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", "--import="+filepath.Join(folder, lambdaproc.NodeProxy), "-e", program)
		cmd.Env = []string{"HTTPS_PROXY=" + proxy.URL, "NO_PROXY=127.0.0.1", "NODE_USE_ENV_PROXY=1",
			"NODE_EXTRA_CA_CERTS=" + roots}
		if got, err := cmd.CombinedOutput(); err != nil || string(got) != "home" {
			t.Errorf("%s: got %s, %v", options, got, err)
		}
	}
}
