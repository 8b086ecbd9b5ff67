package devca

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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

// bundleName is the name of all bundles, so that one is never part of another.
const bundleName = "localhub-ca-bundle.pem"

// BundleFile is the bundle in a folder. Each server has a folder of its own: the authority may
// be made anew while it runs, and its new functions must trust the certificate that it has.
func BundleFile(folder string) string { return filepath.Join(folder, bundleName) }

// WriteBundle writes the authority and the system's roots into the bundle of a folder.
// Programs that read AWS_CA_BUNDLE or SSL_CERT_FILE trust nothing else, so with the authority
// alone they could call no other service.
//
// own has PEM files with further roots, such as that of a company's proxy, by the variables
// that name them; empty names are ignored. hasSystem is false if the system has no file of roots.
func (a *Authority) WriteBundle(folder string, own map[string]string) (hasSystem bool, err error) {
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	known := append([]string{""}, systemRoots...)
	for _, variable := range slices.Sorted(maps.Keys(own)) {
		name := own[variable]
		// A shell that has sourced a function's variables names a bundle itself.
		if filepath.Base(name) == bundleName || slices.Contains(known, name) {
			continue
		}
		more, err := os.ReadFile(name)
		if err != nil {
			return false, fmt.Errorf("roots of %s: %w", variable, err)
		}
		roots, known = joinPEM(roots, more), append(known, name)
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
	return hasSystem, replace(BundleFile(folder), roots)
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
