package devca_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/devca"
)

// countCertificates returns how many certificates a PEM text has.
func countCertificates(t *testing.T, text []byte) int {
	t.Helper()
	n := 0
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return n
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Error(err)
		}
		n++
	}
}

// TestBundle: the bundle has the authority, what the system trusts, and what its user
// trusts.
func TestBundle(t *testing.T) {
	setCacheDir(t)
	authority := open(t)
	folder, own := t.TempDir(), filepath.Join(t.TempDir(), "own.pem")
	// Without a line end, as some editors leave it.
	if err := os.WriteFile(own, bytes.TrimSpace(readFile(t, authority.File())), 0o600); err != nil {
		t.Fatal(err)
	}
	hasSystem, err := authority.WriteBundle(folder, map[string]string{"A": "", "B": own, "C": own})
	if err != nil {
		t.Fatal(err)
	}
	bundle := readFile(t, devca.BundleFile(folder))
	if !bytes.Contains(bundle, bytes.TrimSpace(readFile(t, authority.File()))) {
		t.Error("the bundle lacks the authority")
	}
	want := 2
	if hasSystem {
		want += 2 // at least
	}
	if n := countCertificates(t, bundle); n < want || !hasSystem && n != want {
		t.Errorf("%d certificates, want %d; of the system: %t", n, want, hasSystem)
	}

	t.Run("its own file does not make it grow", func(t *testing.T) {
		if _, err := authority.WriteBundle(folder, map[string]string{"A": own, "B": devca.BundleFile(folder)}); err != nil {
			t.Fatal(err)
		}
		if again := readFile(t, devca.BundleFile(folder)); !bytes.Equal(again, bundle) {
			t.Errorf("%d bytes, want %d", len(again), len(bundle))
		}
	})
	t.Run("missing file", func(t *testing.T) {
		_, err := authority.WriteBundle(folder, map[string]string{"SSL_CERT_FILE": own + ".missing"})
		if err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE") {
			t.Errorf("the error %v does not name the variable", err)
		}
	})
	t.Run("an authority that was made anew meanwhile", func(t *testing.T) {
		if _, err := open(t).Certificate([]string{"new.example"}); err != nil {
			t.Fatal(err)
		}
		if _, err := authority.WriteBundle(folder, map[string]string{"A": own}); err != nil {
			t.Fatal(err)
		}
		if again := readFile(t, devca.BundleFile(folder)); !bytes.Equal(again, bundle) {
			t.Error("the bundle has another authority than the one that signs")
		}
	})
	t.Run("no other files are left", func(t *testing.T) {
		left, err := filepath.Glob(devca.BundleFile(folder) + ".*")
		if err != nil || len(left) != 0 {
			t.Errorf("got %v, %v", left, err)
		}
	})
}
