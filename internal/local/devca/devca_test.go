package devca_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/devca"
)

// setCacheDir gives the test a cache folder of its own.
func setCacheDir(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir) // macOS
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
}

func open(t *testing.T) *devca.Authority {
	t.Helper()
	a, err := devca.Open()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// keyFile is the file of the authority's private key, beside its certificate.
func keyFile(a *devca.Authority) string { return strings.TrimSuffix(a.File(), ".pem") + ".key" }

// TestTLSOrPlain: one port serves clients without TLS, and clients with TLS that trust
// File.
func TestTLSOrPlain(t *testing.T) {
	setCacheDir(t)
	authority := open(t)
	address := serve(t, authority, "127.0.0.1", "localhost")
	_, port, _ := net.SplitHostPort(address)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(readFile(t, authority.File())) {
		t.Fatal("File has no certificate")
	}
	trusting := newClient(t, roots)
	for _, url := range []string{
		"http://" + address, "https://" + address, "http://localhost:" + port, "https://localhost:" + port,
	} {
		if got, err := get(trusting, url); err != nil || got != "hello" {
			t.Errorf("%s: got %q, %v, want hello", url, got, err)
		}
	}

	t.Run("client without the authority", func(t *testing.T) {
		_, err := get(newClient(t, x509.NewCertPool()), "https://"+address)
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			t.Errorf("got %v, want an unknown authority", err)
		}
	})
	t.Run("name that the certificate does not have", func(t *testing.T) {
		client := newClient(t, roots)
		client.Transport.(*http.Transport).TLSClientConfig.ServerName = "shop.example"
		_, err := get(client, "https://"+address)
		var wrongName x509.HostnameError
		if !errors.As(err, &wrongName) {
			t.Errorf("got %v, want a wrong host name", err)
		}
	})
}

// TestDeadlines: a server's limits end a client that is silent before it says whether it
// speaks TLS, or in the middle of the handshake. Without them this test does not end.
func TestDeadlines(t *testing.T) {
	setCacheDir(t)
	certificate, err := open(t).Certificate([]string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 20 * time.Millisecond, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error)
	go func() { done <- server.Serve(devca.TLSOrPlain(l, certificate)) }()
	for _, text := range []string{"", "\x16", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\n"} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, conn) // returns when the server has closed
		_ = conn.Close()
	}
	_ = server.Close()
	<-done
}

// serve serves "hello" with and without TLS until the test ends.
func serve(t *testing.T, authority *devca.Authority, names ...string) (address string) {
	t.Helper()
	certificate, err := authority.Certificate(names)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(devca.TLSOrPlain(l, certificate))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return l.Addr().String()
}

func newClient(t *testing.T, roots *x509.CertPool) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func get(client *http.Client, url string) (body string, err error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return string(data), err
}

func TestOpenAgain(t *testing.T) {
	setCacheDir(t)
	first := open(t)
	certificate := readFile(t, first.File())
	again := open(t)
	if again.File() != first.File() || !bytes.Equal(readFile(t, again.File()), certificate) {
		t.Error("the second Open made another authority")
	}
	info, err := os.Stat(keyFile(first))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("private key: got mode %o, want 600", mode)
	}
}

// TestOpenDamaged: a file that is not what Open wrote is an error that names the file.
// Open does not replace it: functions may trust it.
func TestOpenDamaged(t *testing.T) {
	for name, file := range map[string]func(*devca.Authority) string{
		"certificate": (*devca.Authority).File, "private key": keyFile,
	} {
		t.Run(name, func(t *testing.T) {
			setCacheDir(t)
			authority := open(t)
			damaged := []byte("not PEM")
			if err := os.WriteFile(file(authority), damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := devca.Open(); err == nil || !strings.HasPrefix(err.Error(), authority.File()+": ") ||
				!strings.Contains(err.Error(), "delete it") {
				t.Errorf("got %v, want an error that begins with %s and says what to do", err, authority.File())
			}
			if got := readFile(t, file(authority)); !bytes.Equal(got, damaged) {
				t.Errorf("Open replaced the file with %s", got)
			}
		})
	}
}

// TestOpenMissingKey: without its private key an authority is useless, so Open makes
// another one.
func TestOpenMissingKey(t *testing.T) {
	setCacheDir(t)
	authority := open(t)
	certificate := readFile(t, authority.File())
	if err := os.Remove(keyFile(authority)); err != nil {
		t.Fatal(err)
	}
	if again := open(t); bytes.Equal(readFile(t, again.File()), certificate) {
		t.Error("Open kept the authority without a key")
	}
}
