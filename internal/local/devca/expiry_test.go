package devca

import (
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"
)

// TestOpenExpiring: Open replaces an authority that expires before a certificate that
// it signs now.
func TestOpenExpiring(t *testing.T) {
	for name, tt := range map[string]struct {
		life time.Duration
		keep bool
	}{
		"longer than a certificate":  {certificateLife + time.Hour, true},
		"shorter than a certificate": {certificateLife - time.Hour, false},
		"expired":                    {-time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("HOME", dir) // macOS
			t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
			stored, err := Open()
			if err != nil {
				t.Fatal(err)
			}
			if stored.cert, err = resign(stored, time.Now().Add(tt.life)); err != nil {
				t.Fatal(err)
			}
			opened, err := Open()
			if err != nil {
				t.Fatal(err)
			}
			if kept := opened.cert.Equal(stored.cert); kept != tt.keep {
				t.Errorf("kept: %t, want %t", kept, tt.keep)
			}
		})
	}
}

// resign stores the authority's certificate with another end.
func resign(a *Authority, notAfter time.Time) (*x509.Certificate, error) {
	der, err := sign(&x509.Certificate{
		Subject: a.cert.Subject, NotAfter: notAfter, IsCA: true, BasicConstraintsValid: true, KeyUsage: a.cert.KeyUsage,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: a.cert.PermittedDNSDomains,
		PermittedIPRanges: a.cert.PermittedIPRanges,
	}, nil, a.key, a.key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(a.file, "CERTIFICATE", der, 0o644); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
