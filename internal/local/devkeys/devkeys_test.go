package devkeys_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/local/devkeys"
)

func load(t *testing.T, k devkeys.Keeper) devkeys.Keys {
	t.Helper()
	keys, err := devkeys.Load(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func same(a, b devkeys.Keys) bool { return bytes.Equal(a.Guest, b.Guest) && a.Issuer.Equal(b.Issuer) }

func TestKeysStay(t *testing.T) {
	f := devkeys.InFolder(filepath.Join(t.TempDir(), "new", "folder"))
	first := load(t, f)
	if !same(load(t, f), first) {
		t.Error("the second start has other keys")
	}
	if other := load(t, devkeys.InFolder(t.TempDir())); same(other, first) {
		t.Error("another folder has the same keys")
	}
	for path, want := range map[string]os.FileMode{f.Path(): 0o600, filepath.Dir(f.Path()): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want mode %o", path, info.Mode(), err, want)
		}
	}
}

// TestFirstStartsTogether: localhubs that start at the same time have the same keys.
func TestFirstStartsTogether(t *testing.T) {
	f := devkeys.InFolder(t.TempDir())
	keys := make([]devkeys.Keys, 16)
	var running sync.WaitGroup
	for i := range keys {
		running.Go(func() { keys[i], _ = devkeys.Load(context.Background(), f) })
	}
	running.Wait()
	for _, k := range keys {
		if k.Issuer == nil || !same(k, keys[0]) {
			t.Fatal("two starts have other keys")
		}
	}
	if files, err := os.ReadDir(filepath.Dir(f.Path())); err != nil || len(files) != 1 {
		t.Errorf("got %v, %v in the folder, want one file", files, err)
	}
}

// TestDraftsAreRemoved: a start removes the keys that killed starts left in drafts, with
// and without a file.
func TestDraftsAreRemoved(t *testing.T) {
	f := devkeys.InFolder(t.TempDir())
	for _, draft := range []string{".1.new", ".4294967295.new"} {
		if err := os.WriteFile(f.Path()+draft, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		load(t, f)
		if files, err := os.ReadDir(filepath.Dir(f.Path())); err != nil || len(files) != 1 {
			t.Errorf("got %v, %v in the folder, want the keys only", files, err)
		}
	}
}

func TestInCache(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir) // macOS
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	f, err := devkeys.InCache()
	if err != nil || !strings.HasPrefix(f.Path(), dir) || filepath.Base(filepath.Dir(f.Path())) != "securecart-hub" {
		t.Errorf("got %s, %v, want a file in the user's cache folder", f.Path(), err)
	}
}

// TestDamagedKeys: what cannot be read is refused and stays, and no error shows it.
func TestDamagedKeys(t *testing.T) {
	whole := devkeys.InFolder(t.TempDir())
	load(t, whole)
	good, err := os.ReadFile(whole.Path())
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]string
	if err := json.Unmarshal(good, &fields); err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) string {
		changed := map[string]string{"guest": fields["guest"], "issuer": fields["issuer"]}
		changed[name] = value
		text, _ := json.Marshal(changed)
		return string(text)
	}
	otherCurve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":                       "",
		"cut off":                     string(good[:len(good)/2]),
		"not JSON":                    "secret",
		"other JSON":                  "{}",
		"short guest key":             with("guest", "c2VjcmV0"),
		"no issuer key":               with("issuer", ""),
		"damaged issuer key":          with("issuer", fields["guest"]),
		"issuer key of another kind":  with("issuer", pkcs8(t, ed25519.NewKeyFromSeed(make([]byte, 32)))),
		"issuer key on another curve": with("issuer", pkcs8(t, otherCurve)),
	} {
		t.Run(name, func(t *testing.T) {
			f := devkeys.InFolder(t.TempDir())
			if err := os.WriteFile(f.Path(), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := devkeys.Load(t.Context(), f)
			if !errors.Is(err, devkeys.ErrDamaged) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %v", err, devkeys.ErrDamaged)
			}
			if after, _ := os.ReadFile(f.Path()); string(after) != text {
				t.Errorf("the file has %q now, want %q", after, text)
			}
		})
	}
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// TestUnusableFolder: a file that cannot be created is another error than one that cannot
// be read, which may have keys.
func TestUnusableFolder(t *testing.T) {
	isFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(isFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	isFolder := devkeys.InFolder(t.TempDir())
	if err := os.Mkdir(isFolder.Path(), 0o700); err != nil {
		t.Fatal(err)
	}
	nowhere := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(t.TempDir(), "missing"), nowhere); err != nil {
		t.Fatal(err)
	}
	for f, cannotKeep := range map[devkeys.File]bool{
		devkeys.InFolder(nowhere): true, isFolder: false, devkeys.InFolder(isFile): false,
	} {
		_, err := devkeys.Load(t.Context(), f)
		if err == nil || errors.Is(err, devkeys.ErrDamaged) || errors.Is(err, devkeys.ErrCannotKeep) != cannotKeep {
			t.Errorf("%s: got %v, want the error of the operating system, because keys cannot be kept: %t",
				f.Path(), err, cannotKeep)
		}
	}
}
