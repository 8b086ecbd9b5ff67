// Package devca gives localhub TLS with certificates of an authority of this machine.
//
// Handlers post to "https://" + domainName + "/" + stage. So localhub serves what it
// serves in plain text with TLS too, on the same port ([TLSOrPlain]), and functions
// trust the authority that signed its certificate.
//
// A program that trusts the authority trusts it for this machine and for the names of the
// APIs that were served here, and for nothing else: its name constraints say so (RFC
// 5280, section 4.2.1.10). Its key is a file, which others may get to read.
package devca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs certificates of this machine.
type Authority struct {
	file, keyFile string
	cert          *x509.Certificate
	key           *ecdsa.PrivateKey
}

// How long the authority and the certificates that it signs are valid. Our own
// choice: a localhub runs for less than a month.
const (
	authorityLife   = 2 * 365 * 24 * time.Hour
	certificateLife = 30 * 24 * time.Hour
)

// Open reads the authority from the user's cache folder, or makes one if there is
// none that outlives its next certificate and has name constraints. It stays the same
// between runs, so that functions which started earlier still trust it.
func Open() (*Authority, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "securecart-hub")
	a := &Authority{file: filepath.Join(dir, "localhub-ca.pem"), keyFile: filepath.Join(dir, "localhub-ca.key")}
	pair, err := tls.LoadX509KeyPair(a.file, a.keyFile)
	key, isECDSA := pair.PrivateKey.(*ecdsa.PrivateKey)
	switch {
	case err == nil && isECDSA && time.Until(pair.Leaf.NotAfter) > certificateLife && isConstrained(pair.Leaf):
		a.cert, a.key = pair.Leaf, key
		return a, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w (delete it to make another authority, which functions must trust anew)", a.file, err)
	}
	return a, a.create([]string{"localhost"})
}

// create makes the authority for domains and writes it to its two files.
func (a *Authority) create(domains []string) (err error) {
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	der, err := sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "localhub on this machine"}, NotAfter: time.Now().Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: domains, PermittedIPRanges: loopback,
	}, nil, a.key, a.key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.MkdirAll(filepath.Dir(a.file), 0o700),
		writePEM(a.keyFile, "PRIVATE KEY", keyDER, 0o600),
		writePEM(a.file, "CERTIFICATE", der, 0o644),
	)
}

// File is the PEM file with the authority's certificate, for functions to trust.
func (a *Authority) File() string { return a.file }

// Certificate makes a certificate for names, each a host or a loopback address. If the
// authority does not permit a host yet, it is made anew, and permits that host too:
// programs that trust it have to read File again.
func (a *Authority) Certificate(names []string) (tls.Certificate, error) {
	if err := a.permit(names); err != nil {
		return tls.Certificate{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhub"}, NotAfter: time.Now().Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := sign(template, a.cert, key, a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// sign makes a certificate for a key, signed by the parent's key; without a parent it
// is its own parent.
func sign(c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	c.SerialNumber, c.NotBefore = serial, time.Now().Add(-time.Hour)
	if parent == nil {
		parent = c
	}
	return x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
}

func writePEM(file, kind string, der []byte, mode fs.FileMode) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
