package house_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/recording"
)

// TestRecordingByRequest begins and ends a recording with the admin API.
func TestRecordingByRequest(t *testing.T) {
	dir := t.TempDir()
	folder, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Recording: house.Recording{Folder: folder}})
		defer closeHouse(t, h)
		situation := func() string {
			t.Helper()
			_, answer := admin(t, h, http.MethodGet, "/admin/situation", "")
			var s struct{ Recording json.RawMessage }
			if err := json.Unmarshal([]byte(answer), &s); err != nil {
				t.Fatal(err)
			}
			return string(s.Recording)
		}
		post := func(body string, status int, answer string) {
			t.Helper()
			if s, a := admin(t, h, http.MethodPost, "/admin/recording", body); s != status || !strings.Contains(a, answer) {
				t.Errorf("%s: got %d %s, want %d %s", body, s, a, status, answer)
			}
		}
		if got := situation(); got != "null" {
			t.Errorf("got %s, want null", got)
		}
		if s, a := admin(t, h, http.MethodDelete, "/admin/recording", ""); s != http.StatusNotFound {
			t.Errorf("end without a recording: got %d %s, want 404", s, a)
		}
		for _, file := range []string{"", "../out.ndjson", "/tmp/out.ndjson", "link/out.ndjson", "none/out.ndjson"} {
			body, err := json.Marshal(map[string]string{"file": file})
			if err != nil {
				t.Fatal(err)
			}
			post(string(body), http.StatusBadRequest, `"bad_field"`)
		}
		post(`{"file":"a.ndjson"}`, http.StatusOK, `{"file":"a.ndjson","events":`)
		post(`{"file":"b.ndjson"}`, http.StatusConflict, "under way")
		c := dial(t, h, "")
		c.send("sub MUG")
		c.read()
		c.close()
		synctest.Wait()
		if got := situation(); !strings.HasPrefix(got, `{"file":"a.ndjson","events":4`) {
			t.Errorf("got %s, want the file with 40 items and 4 events", got)
		}
		status, answer := admin(t, h, http.MethodDelete, "/admin/recording", "")
		if status != http.StatusOK || !strings.Contains(answer, `"events":4`) {
			t.Errorf("end: got %d %s, want 200 and the number of events", status, answer)
		}
		post(`{"file":"a.ndjson"}`, http.StatusConflict, "already")
		if got := situation(); got != "null" {
			t.Errorf("got %s, want null", got)
		}
	})
	file, err := folder.Open("a.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rec, err := recording.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	var last []string
	for _, e := range rec.Events {
		if e.Type != recording.Stock {
			last = append(last, string(e.Type))
		}
	}
	if got := strings.Join(last, " "); got != "open in out close" {
		t.Errorf("got %q", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v, want a.ndjson and the link", entries, err)
	}
}

// TestRecordingNeedsFolder: without a folder, requests begin no recording.
func TestRecordingNeedsFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		status, answer := admin(t, h, http.MethodPost, "/admin/recording", `{"file":"a.ndjson"}`)
		if status != http.StatusForbidden || !strings.Contains(answer, "-record-dir") {
			t.Errorf("got %d %s, want 403 and the flag", status, answer)
		}
	})
}
