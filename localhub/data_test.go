package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/datafile"
)

func TestUsageErrorsOfStorage(t *testing.T) {
	testCommandLines(t, map[string]commandLine{
		"-data and -dynamodb": {
			[]string{"-data", "d", "-dynamodb", "http://127.0.0.1:8000"}, 2, "localhub: -data and -dynamodb: ",
		},
		"-data and -template": {[]string{"-template", "t.yaml", "--data=d"}, 2, "localhub: -data and -template: "},
		"-keys and -data":     {[]string{"-data", "d", "-keys", "k"}, 2, "localhub: -keys and -data: "},
		"-keys and -dynamodb": {
			[]string{"-keys", "none", "-dynamodb", "http://127.0.0.1:8000"}, 2, "localhub: -keys and -dynamodb: ",
		},
		"-data of an unset variable": {
			[]string{"-data", ""}, 2, `localhub: invalid value "" for flag -data: it needs a folder`,
		},
		"-new-epoch alone":         {[]string{"-new-epoch"}, 2, "localhub: -new-epoch needs -data"},
		"-create-tables and -data": {[]string{"-data", "d", "-create-tables"}, 2, "localhub: -create-tables needs -dynamodb"},
		"-lambda and -data":        {[]string{"-data", "d", "-lambda", "build"}, 2, "localhub: -lambda needs -dynamodb"},
	})
}

// TestUnusableStorage: one line says what is wrong and what to do, and the status is 1.
func TestUnusableStorage(t *testing.T) {
	folderWith := func(name, text string) (dir string) {
		dir = t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	inUse := t.TempDir()
	file, err := datafile.Open(inUse)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	badKeys := t.TempDir()
	withBadKeys, err := datafile.Open(badKeys)
	if err == nil {
		_, err = withBadKeys.Keep(t.Context(), []byte("{}"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := withBadKeys.Close(); err != nil {
		t.Fatal(err)
	}
	foreign, empty := folderWith(datafile.Name, "hello"), folderWith(datafile.Name, "")
	notFolder := filepath.Join(foreign, datafile.Name)
	keys := folderWith("localhub-keys.json", "{}")
	// Not even root can make a folder there.
	const noRights = "/sys/securecart"

	line := func(kind, dir, want string, args ...string) commandLine {
		return commandLine{append(append([]string{kind, dir}, anyPort...), args...), 1, "localhub: " + want}
	}
	data := func(dir, want string) commandLine {
		return line("-data", dir, "-data "+dir+": "+filepath.Join(dir, datafile.Name)+": "+want)
	}
	testCommandLines(t, map[string]commandLine{
		"in use":    data(inUse, "another localhub uses it: end that one, or choose another folder\n"),
		"empty":     data(empty, "it is damaged: restore a copy, or move it away to begin with an empty hub (it is empty)\n"),
		"foreign":   data(foreign, "it is not a data file of localhub: choose another folder\n"),
		"no folder": line("-data", notFolder, "-data "+notFolder+": mkdir "+notFolder+": not a directory\n"),
		"no rights": line("-data", noRights, "-data "+noRights+": mkdir /sys"),
		"keys in -data": line("-data", badKeys, "-data "+badKeys+": the development keys are damaged: "+
			"restore them, or delete them to make new ones"),
		"keys": line("-keys", keys, filepath.Join(keys, "localhub-keys.json")+": the development keys are damaged: "+
			"restore them, or delete them to make new ones"),
		"keys without rights": line("-keys", noRights, noRights+"/localhub-keys.json: development keys: "+
			"new keys cannot be kept: mkdir /sys"),
	})
}

// answers are the answers to messages on a new connection. token is of a user or of a
// guest; "" makes a new guest.
func (i *instance) answers(t *testing.T, token string, messages ...string) (answers []string) {
	t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}}
	if token != "" {
		o.Subprotocols = append(o.Subprotocols, "bearer."+token)
	}
	c := dial(t, i.socket, o)
	for _, m := range messages {
		answers = append(answers, ask(t, c, m))
	}
	return answers
}

// field is a string field of an answer.
func field(t *testing.T, answer, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(answer), &fields); err != nil {
		t.Fatal(err)
	}
	text, _ := fields[name].(string)
	return text
}

// TestRestarts starts localhub twice, with each kind of storage. The file with the rows
// is in the banner.
func TestRestarts(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("HOME", cache) // macOS
	t.Setenv("XDG_CACHE_HOME", filepath.Join(cache, "cache"))
	data, keys := t.TempDir(), t.TempDir()
	for name, tt := range map[string]struct {
		args     []string
		keepKeys bool
		keepRows bool
	}{
		"-data":             {[]string{"-data", data}, true, true},
		"-keys":             {[]string{"-keys", keys}, true, false},
		"-keys none":        {[]string{"-keys", "none"}, false, false},
		"the user's folder": {nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-addr", freeAddress(t), "-admin", freeAddress(t)}, tt.args...)
			var guest, guestToken, alice string
			t.Run("first start", func(t *testing.T) {
				hub := runExactly(t, t.Output(), args...)
				first := hub.answers(t, "", "hello", "add TEE-RED-M 2")
				guest, guestToken, alice = field(t, first[0], "user"), field(t, first[0], "guestToken"), hub.token(t)
				if file := filepath.Join(data, datafile.Name); strings.Contains(hub.banner, file) != tt.keepRows {
					t.Errorf("the banner names the file of rows: %t, want %t:\n%s", !tt.keepRows, tt.keepRows, hub.banner)
				}
			})
			t.Run("second start", func(t *testing.T) {
				hub := runExactly(t, t.Output(), args...)
				second := hub.answers(t, guestToken, "hello", "get cart")
				if same := field(t, second[0], "user") == guest; same != tt.keepKeys {
					t.Errorf("the guest is known again: %t, want %t", same, tt.keepKeys)
				}
				if kept := strings.Contains(second[1], "TEE-RED-M"); kept != tt.keepRows {
					t.Errorf("the guest's cart is there: %t, want %t", kept, tt.keepRows)
				}
				user := field(t, hub.answers(t, alice, "hello")[0], "user")
				if same := user == "alice"; same != tt.keepKeys {
					t.Errorf("alice is signed in: %t, want %t", same, tt.keepKeys)
				}
			})
		})
	}
}

// TestFileRemovedWhileServing: the next change is refused, and localhub ends with a line
// that says why, and status 1.
func TestFileRemovedWhileServing(t *testing.T) {
	dir := t.TempDir()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(t.Context(), append([]string{"-data", dir}, anyPort...), in, t.Output())
		in.CloseWithError(err)
		ended <- err
	}()
	hub := readBanner(t, out)
	go io.Copy(io.Discard, out)
	put := func(body string) (status int, err error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, hub.stock, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return resp.StatusCode, nil
	}
	if status, err := put(`{"available":3}`); err != nil || status != http.StatusOK {
		t.Fatalf("got %d, %v, want 200", status, err)
	}
	file := filepath.Join(dir, datafile.Name)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if status, err := put(`{"available":4}`); err == nil && status != http.StatusInternalServerError {
		t.Fatalf("got %d, want 500, or that the connection ends", status)
	}
	var stderr bytes.Buffer
	status := exitStatus(<-ended, &stderr)
	want := "localhub: -data " + dir + ": " + file + ": it was moved, removed or replaced while localhub had it open: " +
		"put it back, or start again with what is there now\n"
	if status != 1 || stderr.String() != want {
		t.Errorf("got status %d and %q, want 1 and %q", status, stderr.String(), want)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestNewEpoch: after a copy of the data was restored, -new-epoch begins an epoch, which
// later starts keep.
func TestNewEpoch(t *testing.T) {
	dir := t.TempDir()
	var epochs []string
	for _, args := range [][]string{{}, {"-new-epoch"}, {}} {
		t.Run("start", func(t *testing.T) {
			hub := start(t, append([]string{"-data", dir}, args...)...)
			epochs = append(epochs, field(t, hub.answers(t, "", "hello")[0], "epoch"))
		})
	}
	if len(epochs) != 3 || epochs[0] == "" || epochs[1] == epochs[0] || epochs[2] != epochs[1] {
		t.Errorf("got the epochs %q, want another one from the second start on", epochs)
	}
}

// TestNoCacheFolder: where the user's cache folder cannot be used, localhub starts with
// new keys and says so.
func TestNoCacheFolder(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(t.TempDir(), "missing"), nowhere); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", nowhere) // macOS
	t.Setenv("XDG_CACHE_HOME", nowhere)
	var stderr bytes.Buffer
	t.Run("start", func(t *testing.T) {
		hub := runExactly(t, io.MultiWriter(&stderr, t.Output()), anyPort...)
		hub.answers(t, hub.token(t), "hello")
	})
	if text := stderr.String(); strings.Count(text, "the development keys end with this process") != 1 {
		t.Errorf("got %q on standard error, want a line about the keys", text)
	}
}
