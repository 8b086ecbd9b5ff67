package main

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
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Handlers post to "https://" + domainName + "/" + stage. So what is served in the
// clear is served with TLS on the same port as well, with a certificate of an
// authority of this desk, which functions are told to trust.

// authority signs the certificates of this desk. It lives in the user's cache folder,
// so that functions which were started before go on trusting it.
type authority struct {
	file string // PEM, to be trusted
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

const (
	authorityLife = 2 * 365 * 24 * time.Hour
	hostLife      = 30 * 24 * time.Hour
)

// openAuthority reads the authority, or makes one if there is none that will live
// long enough.
func openAuthority() (*authority, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "securecart-hub")
	a := &authority{file: filepath.Join(dir, "localhub-ca.pem")}
	keyFile := filepath.Join(dir, "localhub-ca.key")
	pair, err := tls.LoadX509KeyPair(a.file, keyFile)
	key, isECDSA := pair.PrivateKey.(*ecdsa.PrivateKey)
	if err == nil && isECDSA && time.Until(pair.Leaf.NotAfter) > hostLife {
		a.cert, a.key = pair.Leaf, key
		return a, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", a.file, err)
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	der, err := sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "localhub on this machine"}, NotAfter: time.Now().Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, a.key, a.key)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	return a, errors.Join(os.MkdirAll(dir, 0o700), writePEM(keyFile, "PRIVATE KEY", keyDER, 0o600), writePEM(a.file, "CERTIFICATE", der, 0o644))
}

// certificate is one for the names, each a host or an IP address.
func (a *authority) certificate(names []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhub"}, NotAfter: time.Now().Add(hostLife),
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

// sign makes a certificate for a key; without a parent it signs itself.
func sign(c, parent *x509.Certificate, key, by *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	c.SerialNumber, c.NotBefore = serial, time.Now().Add(-time.Hour)
	if parent == nil {
		parent = c
	}
	return x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
}

func writePEM(file, kind string, der []byte, mode fs.FileMode) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}

// eitherListener accepts clients that speak TLS, and clients that do not.
type eitherListener struct {
	net.Listener
	config *tls.Config
}

func (l *eitherListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &eitherConn{peekedConn: &peekedConn{Conn: c}, config: l.config}, nil
}

// eitherConn finds out with its first byte whether the client speaks TLS. Nobody writes
// before having read.
type eitherConn struct {
	*peekedConn
	config *tls.Config
	known  bool // owned by the reader
	secure atomic.Pointer[tls.Conn]
}

// handshakeRecord is the first byte of TLS (RFC 8446 section 5.1), and of no HTTP
// request.
const handshakeRecord = 22

func (c *eitherConn) Read(p []byte) (int, error) {
	if !c.known {
		first, err := c.peek()
		if err != nil {
			return 0, err
		}
		c.known = true
		if first == handshakeRecord {
			c.secure.Store(tls.Server(c.peekedConn, c.config))
		}
	}
	if secure := c.secure.Load(); secure != nil {
		return secure.Read(p)
	}
	return c.peekedConn.Read(p)
}

func (c *eitherConn) Write(p []byte) (int, error) {
	if secure := c.secure.Load(); secure != nil {
		return secure.Write(p)
	}
	return c.peekedConn.Write(p)
}

func (c *eitherConn) Close() error {
	if secure := c.secure.Load(); secure != nil {
		return secure.Close()
	}
	return c.peekedConn.Close()
}

// peekedConn gives back the byte that was looked at.
type peekedConn struct {
	net.Conn
	peeked []byte // owned by the reader
}

func (c *peekedConn) peek() (byte, error) {
	first := make([]byte, 1)
	if _, err := io.ReadFull(c.Conn, first); err != nil {
		return 0, err
	}
	c.peeked = first
	return first[0], nil
}

func (c *peekedConn) Read(p []byte) (int, error) {
	if len(c.peeked) > 0 {
		n := copy(p, c.peeked)
		c.peeked = c.peeked[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
