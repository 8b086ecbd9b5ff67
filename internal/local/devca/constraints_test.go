package devca_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/devca"
)

const apiHost = "abc123.execute-api.eu-central-1.amazonaws.com"

// stored is what is in the files of an authority: whoever reads them can sign.
func stored(t *testing.T, a *devca.Authority) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.File(), keyFile(a))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// signLeaf signs a certificate for a name with the stored key, as a thief would.
func signLeaf(t *testing.T, ca tls.Certificate, name string, usage x509.ExtKeyUsage) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Leaf, key.Public(), ca.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// TestNameConstraints: trust in the authority does not reach beyond its names, even if
// its key is stolen.
func TestNameConstraints(t *testing.T) {
	setCacheDir(t)
	authority := open(t)
	if _, err := authority.Certificate([]string{"localhost", "::1", apiHost, "ws.shop.example"}); err != nil {
		t.Fatal(err)
	}
	ca := stored(t, authority)
	roots := x509.NewCertPool()
	roots.AddCert(ca.Leaf)
	for name, permitted := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.10": true, "::1": true, apiHost: true,
		"other.execute-api.eu-central-1.amazonaws.com": true, "ws.shop.example": true,
		"bank.example": false, "shop.example": false, "www.shop.example": false, "amazonaws.com": false,
		"s3.eu-central-1.amazonaws.com": false, "abc123.execute-api.us-east-1.amazonaws.com": false,
		"notlocalhost": false, "192.0.2.1": false, "10.0.0.1": false, "::2": false, "2001:db8::1": false,
	} {
		leaf := signLeaf(t, ca, name, x509.ExtKeyUsageServerAuth)
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		var invalid x509.CertificateInvalidError
		isRefused := errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName
		if isRefused == permitted {
			t.Errorf("%s: got %v, want it permitted: %t", name, err, permitted)
		}
	}
	code := signLeaf(t, ca, "localhost", x509.ExtKeyUsageCodeSigning)
	signing := []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	if _, err := code.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: signing}); err == nil {
		t.Error("the authority may sign programs")
	}
	if ca.Leaf.MaxPathLen != 0 || !ca.Leaf.MaxPathLenZero {
		t.Error("the authority may make other authorities")
	}
}

// TestAuthorityGrows: the authority is made anew for a name that it does not permit, and
// only then. Names of one Region need one authority.
func TestAuthorityGrows(t *testing.T) {
	setCacheDir(t)
	certificate := func(names ...string) []byte {
		t.Helper()
		authority := open(t)
		if _, err := authority.Certificate(names); err != nil {
			t.Fatal(err)
		}
		return readFile(t, authority.File())
	}
	first := certificate("localhost", apiHost)
	if again := certificate("127.0.0.1", "other.execute-api.eu-central-1.amazonaws.com"); !bytes.Equal(first, again) {
		t.Error("another API of the Region made another authority")
	}
	domain := certificate("localhost", "ws.shop.example")
	if bytes.Equal(first, domain) {
		t.Error("a new domain did not make another authority")
	}
	if again := certificate(apiHost); !bytes.Equal(domain, again) {
		t.Error("the authority does not permit the earlier names any more")
	}
	if _, err := open(t).Certificate([]string{"192.0.2.1"}); err == nil {
		t.Error("the authority signs for another machine")
	}
}

// TestUnconstrainedAuthorityIsReplaced: such a file is from an earlier version.
func TestUnconstrainedAuthorityIsReplaced(t *testing.T) {
	setCacheDir(t)
	authority := open(t)
	ca := stored(t, authority)
	key := ca.PrivateKey.(*ecdsa.PrivateKey)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, ca.Leaf, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	old := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(authority.File(), old, 0o600); err != nil {
		t.Fatal(err)
	}
	again := stored(t, open(t))
	if !again.Leaf.PermittedDNSDomainsCritical || key.Equal(again.PrivateKey) {
		t.Error("the old authority, or its key, is still there")
	}
}

// TestOtherPrograms: programs that trust File accept what localhub serves under its
// names, and refuse a certificate for another name.
func TestOtherPrograms(t *testing.T) {
	setCacheDir(t)
	authority := open(t)
	address := serve(t, authority, "127.0.0.1", "localhost", apiHost)
	_, port, _ := net.SplitHostPort(address)
	stolen := signLeaf(t, stored(t, authority), "bank.example", x509.ExtKeyUsageServerAuth)
	leaf := t.TempDir() + "/leaf.pem"
	stolenPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stolen.Raw})
	if err := os.WriteFile(leaf, stolenPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	ca := authority.File()
	fetchHost := `const https = require('https');
		https.get({host: '127.0.0.1', port: ` + port + `, servername: '` + apiHost + `', headers: {host: '` + apiHost + `'}},
			(r) => r.pipe(process.stdout)).on('error', (e) => { console.log(e.message); process.exit(1); });`
	for name, tt := range map[string]struct {
		command []string
		env     string
		output  string
		fails   bool
	}{
		"curl, localhost":  {[]string{"curl", "-sS", "--cacert", ca, "https://localhost:" + port}, "", "hello", false},
		"curl, an address": {[]string{"curl", "-sS", "--cacert", ca, "https://127.0.0.1:" + port}, "", "hello", false},
		"curl, a name in AWS": {
			[]string{"curl", "-sS", "--cacert", ca, "--connect-to", apiHost + ":443:" + address, "https://" + apiHost},
			"", "hello", false,
		},
		"node, localhost": {
			[]string{"node", "-e", "fetch('https://localhost:" + port + "').then((r) => r.text()).then(console.log)"},
			"NODE_EXTRA_CA_CERTS=" + ca, "hello", false,
		},
		"node, a name in AWS": {[]string{"node", "-e", fetchHost}, "NODE_EXTRA_CA_CERTS=" + ca, "hello", false},
		"openssl, another name": {
			[]string{"openssl", "verify", "-CAfile", ca, leaf}, "", "permitted subtree violation", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(tt.command[0]); err != nil {
				if os.Getenv("HUB_TEST_TOOLS") == "required" {
					t.Fatal(tt.command[0] + " is missing, and HUB_TEST_TOOLS requires it")
				}
				t.Skip(tt.command[0] + " is missing")
			}
			cmd := exec.CommandContext(t.Context(), tt.command[0], tt.command[1:]...)
			cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
				return strings.Contains(strings.ToLower(v), "_proxy=")
			}), tt.env)
			out, err := cmd.CombinedOutput()
			if (err != nil) != tt.fails || !strings.Contains(string(out), tt.output) {
				t.Errorf("got %v, %s, want %q", err, out, tt.output)
			}
		})
	}
}
