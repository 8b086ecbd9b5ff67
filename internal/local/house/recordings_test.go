package house_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
)

// recordingFolder returns a folder with a recording, a file that is none, and a folder.
func recordingFolder(t *testing.T) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	folder, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Recording: house.Recording{Folder: folder, Localhub: "v9"}})
		defer closeHouse(t, h)
		admin(t, h, http.MethodPost, "/admin/recording", `{"file":"a.ndjson"}`)
		c := dial(t, h, "")
		c.send("sub MUG")
		c.read()
		time.Sleep(time.Second)
		c.close()
		synctest.Wait()
		admin(t, h, http.MethodDelete, "/admin/recording", "")
	})
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no recording\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "older"), 0o700); err != nil {
		t.Fatal(err)
	}
	return folder, dir
}

// TestRecordings lists recordings, and what one has.
func TestRecordings(t *testing.T) {
	folder, dir := recordingFolder(t)
	info, err := os.Stat(filepath.Join(dir, "a.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Recording: house.Recording{Folder: folder}})
		defer closeHouse(t, h)
		var list struct {
			Recordings []struct {
				File, Localhub string
				Bytes          int64
				Started        time.Time
			}
		}
		getJSON(t, h, "/admin/recordings", &list)
		if len(list.Recordings) != 1 {
			t.Fatalf("got %v, want the recording only", list)
		}
		f := list.Recordings[0]
		if f.File != "a.ndjson" || f.Localhub != "v9" || f.Bytes != info.Size() || f.Started.IsZero() {
			t.Errorf("got %+v", f)
		}
		var one struct {
			Conversations []recording.Conversation
			Events        []recording.Event
			LengthMs      int64
			Localhub      string
		}
		getJSON(t, h, "/admin/recordings/a.ndjson", &one)
		want := recording.Conversation{Conn: "guest-1", Role: "guest", Status: 101, Messages: 1, Frames: 1}
		if len(one.Conversations) != 1 || one.Conversations[0] != want || one.Events != nil || one.LengthMs != 1000 {
			t.Errorf("got %+v", one)
		}
		getJSON(t, h, "/admin/recordings/a.ndjson?conn=guest-1", &one)
		if len(one.Events) != 4 || one.Events[1].Text != "sub MUG" {
			t.Errorf("got %+v, want open, in, out, close", one.Events)
		}
		for path, want := range map[string]int{
			"/admin/recordings/b.ndjson":         http.StatusNotFound,
			"/admin/recordings/notes.txt":        http.StatusBadRequest,
			"/admin/recordings/older":            http.StatusBadRequest,
			"/admin/recordings/..%2Fa.ndjson":    http.StatusBadRequest,
			"/admin/recordings/a.ndjson?con=x":   http.StatusBadRequest,
			"/admin/recordings/a.ndjson?conn=no": http.StatusOK,
		} {
			if status, answer := admin(t, h, http.MethodGet, path, ""); status != want {
				t.Errorf("%s: got %d %s, want %d", path, status, answer, want)
			}
		}
	})
}

// TestReplayByRequest plays a recording against an empty hub of this build, and then one in
// which a frame was changed.
func TestReplayByRequest(t *testing.T) {
	folder, dir := recordingFolder(t)
	data, err := os.ReadFile(filepath.Join(dir, "a.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), `\"state\":\"in\"`, `\"state\":\"low\"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "b.ndjson"), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Recording: house.Recording{Folder: folder}})
		defer closeHouse(t, h)
		play := func(file string) *replay.Difference {
			t.Helper()
			status, answer := admin(t, h, http.MethodPost, "/admin/replay", `{"file":"`+file+`"}`)
			var played struct{ Conversations replay.Result }
			if status != http.StatusOK || json.Unmarshal([]byte(answer), &played) != nil || len(played.Conversations) != 1 {
				t.Fatalf("%s: got %d %s", file, status, answer)
			}
			return played.Conversations[0].Difference
		}
		if d := play("a.ndjson"); d != nil {
			t.Errorf("got %v, want all alike", d)
		}
		d := play("b.ndjson")
		if d == nil || d.Frame != 1 || d.Path != `topics["sku:MUG"].state` || d.Got != `"in"` || d.Recorded != `"low"` {
			t.Fatalf("got %+v", d)
		}
		if !strings.Contains(d.GotFrame, `"state":"in"`) || !strings.Contains(d.RecordedFrame, `"state":"low"`) {
			t.Errorf("got the frames %s and %s", d.GotFrame, d.RecordedFrame)
		}
		if _, answer := admin(t, h, http.MethodGet, "/admin/connections", ""); strings.Contains(answer, "connectionId") {
			t.Errorf("the replay opened connections of this house: %s", answer)
		}
		for body, want := range map[string]int{
			`{"file":"none"}`: http.StatusNotFound, `{"file":"notes.txt"}`: http.StatusBadRequest, `{}`: http.StatusBadRequest,
		} {
			if status, answer := admin(t, h, http.MethodPost, "/admin/replay", body); status != want {
				t.Errorf("%s: got %d %s, want %d", body, status, answer, want)
			}
		}
	})
}

// TestReplayIsNotRecorded: a recording has no replay in it, which would play itself.
func TestReplayIsNotRecorded(t *testing.T) {
	folder, dir := recordingFolder(t)
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Recording: house.Recording{Folder: folder}})
		defer closeHouse(t, h)
		admin(t, h, http.MethodPost, "/admin/recording", `{"file":"b.ndjson"}`)
		admin(t, h, http.MethodPost, "/admin/replay", `{"file":"a.ndjson"}`)
		admin(t, h, http.MethodDelete, "/admin/recording", "")
	})
	data, err := os.ReadFile(filepath.Join(dir, "b.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "replay") {
		t.Error("the recording has the replay")
	}
}

// TestRecordingsNeedFolder: without a folder there is nothing to list and to play.
func TestRecordingsNeedFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		for _, request := range []struct{ method, path, body string }{
			{http.MethodGet, "/admin/recordings", ""}, {http.MethodGet, "/admin/recordings/a", ""},
			{http.MethodPost, "/admin/replay", `{"file":"a"}`},
		} {
			status, answer := admin(t, h, request.method, request.path, request.body)
			if status != http.StatusForbidden || !strings.Contains(answer, "-record-dir") {
				t.Errorf("%s: got %d %s, want 403 and the flag", request.path, status, answer)
			}
		}
	})
}
