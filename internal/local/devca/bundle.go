package devca

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// systemRoots are the files with the roots that a system trusts: the first that exists
// counts. Debian, Fedora, openSUSE, Alpine and macOS have one; Windows has none.
var systemRoots = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// BundleFile is the file that WriteBundle writes, beside File.
func (a *Authority) BundleFile() string {
	return filepath.Join(filepath.Dir(a.file), "localhub-ca-bundle.pem")
}

// WriteBundle writes the authority and the system's roots into BundleFile. Programs that
// read AWS_CA_BUNDLE or SSL_CERT_FILE trust nothing else, so with the authority alone they
// could call no other service.
//
// own are PEM files with further roots, such as that of a company's proxy; empty names are
// ignored. hasSystem is false if the system has no file of roots.
func (a *Authority) WriteBundle(own ...string) (hasSystem bool, err error) {
	roots, err := os.ReadFile(a.file)
	if err != nil {
		return false, err
	}
	for i, name := range own {
		// A shell that has sourced a function's variables names the bundle itself.
		if name == "" || name == a.BundleFile() || slices.Contains(own[:i], name) || slices.Contains(systemRoots, name) {
			continue
		}
		more, err := os.ReadFile(name)
		if err != nil {
			return false, fmt.Errorf("roots: %w", err)
		}
		roots = joinPEM(roots, more)
	}
	for _, name := range systemRoots {
		more, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("system roots: %w", err)
		}
		roots, hasSystem = joinPEM(roots, more), true
		break
	}
	return hasSystem, replace(a.BundleFile(), roots)
}

// joinPEM joins two PEM texts, each on lines of its own.
func joinPEM(a, b []byte) []byte {
	return bytes.Join([][]byte{bytes.TrimRight(a, "\n"), b}, []byte("\n"))
}

// replace writes a file at once, because functions may read it at the same time.
func replace(name string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}
