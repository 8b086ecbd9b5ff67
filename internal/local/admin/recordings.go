package admin

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
	"github.com/securecart/hub/internal/wire"
)

// errNoFolder refuses what needs the folder for recordings.
const errNoFolder = "localhub was started without a folder for recordings (-record-dir)"

// recordingFile is a file of the folder for recordings.
type recordingFile struct {
	File     string    `json:"file"`
	Bytes    int64     `json:"bytes"`
	Started  time.Time `json:"started"`
	Localhub string    `json:"localhub"` // the version that recorded it
}

// listRecordings lists the recordings in the folder by name, and not those in its folders.
func (a core) listRecordings(w http.ResponseWriter, _ *http.Request) {
	if a.Recordings == nil {
		refuse(w, wire.CodeDenied, errNoFolder)
		return
	}
	entries, err := fs.ReadDir(a.Recordings.FS(), ".")
	if err != nil {
		a.fail(w, err)
		return
	}
	files := []recordingFile{}
	for _, entry := range entries {
		if len(files) == maxListed {
			break
		}
		if f, ok := a.headerOf(entry.Name()); ok {
			files = append(files, f)
		}
	}
	reply(w, http.StatusOK, map[string]any{"recordings": files})
}

// headerOf reads the first line of a file; false: it is no recording.
func (a core) headerOf(name string) (f recordingFile, ok bool) {
	file, err := a.openRecording(name)
	if err != nil {
		return f, false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return f, false
	}
	line, err := bufio.NewReader(file).ReadSlice('\n')
	if err != nil {
		return f, false
	}
	h, err := recording.ParseHeader(line)
	return recordingFile{File: name, Bytes: info.Size(), Started: h.Started, Localhub: h.Localhub}, err == nil
}

// openRecording opens a file of the folder. What is no plain file could block its reader.
func (a core) openRecording(name string) (*os.File, error) {
	info, err := a.Recordings.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no file")
	}
	if err != nil {
		return nil, err
	}
	return a.Recordings.Open(name)
}

// readRecording reads a whole recording. If it returns nil, it has answered.
func (a core) readRecording(w http.ResponseWriter, name string) *recording.Recording {
	if a.Recordings == nil {
		refuse(w, wire.CodeDenied, errNoFolder)
		return nil
	}
	file, err := a.openRecording(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		refuse(w, hub.CodeNotFound, fmt.Sprintf("there is no recording %q", wire.Clip(name)))
		return nil
	case err != nil:
		refuse(w, wire.CodeBadField, fmt.Sprintf(`"file": %v`, reason(err)))
		return nil
	}
	defer file.Close()
	rec, err := recording.Read(file)
	if err != nil {
		refuse(w, wire.CodeBadField, fmt.Sprintf(`"file": %v`, err))
		return nil
	}
	return rec
}

// getRecording returns what a recording has of each connection, and the events of one.
func (a core) getRecording(w http.ResponseWriter, r *http.Request) {
	rec := a.readRecording(w, r.PathValue("file"))
	if rec == nil {
		return
	}
	answer := map[string]any{
		"conversations": rec.Conversations(), "lengthMs": rec.Length().Milliseconds(), "localhub": rec.Header.Localhub,
	}
	if conn := r.URL.Query().Get("conn"); conn != "" {
		events := rec.Of(conn)
		answer["events"], answer["more"] = events[:min(len(events), maxListed)], len(events) > maxListed
	}
	reply(w, http.StatusOK, answer)
}

// replayed is the answer to a replay.
type replayed struct {
	TookMs        int64         `json:"tookMs"`
	Conversations replay.Result `json:"conversations"`
}

// postReplay plays a recording against an empty hub of this build. Only one replay runs at a
// time: each has a whole hub in memory.
func (a core) postReplay(w http.ResponseWriter, r *http.Request) {
	var request struct {
		File string `json:"file"`
	}
	if !decodeBody(w, r, &request) {
		return
	}
	rec := a.readRecording(w, request.File)
	if rec == nil {
		return
	}
	if !a.replaying.TryLock() {
		refuse(w, wire.CodeConflict, "a replay is under way")
		return
	}
	defer a.replaying.Unlock()
	began := time.Now()
	result, err := a.Replay(r.Context(), rec)
	switch {
	case r.Context().Err() != nil: // the client has gone
	case err != nil:
		refuse(w, wire.CodeBadField, fmt.Sprintf("the recording cannot be played: %v", err))
	default:
		reply(w, http.StatusOK, replayed{time.Since(began).Milliseconds(), result})
	}
}
