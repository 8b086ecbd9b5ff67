package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/wire"
)

// startRecording begins a recording in a new file of the folder for recordings.
func (a core) startRecording(w http.ResponseWriter, r *http.Request) {
	var request struct {
		File string `json:"file"` // relative to the folder
	}
	if !decodeBody(w, r, &request) {
		return
	}
	if a.Recordings == nil {
		refuse(w, wire.CodeDenied, errNoFolder)
		return
	}
	file, err := a.Recordings.OpenFile(request.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		refuse(w, wire.CodeConflict, fmt.Sprintf("there is a file %q already", wire.Clip(request.File)))
		return
	case err != nil:
		refuse(w, wire.CodeBadField, fmt.Sprintf(`"file": %v`, reason(err)))
		return
	}
	if err := a.Recorder.Start(file, request.File); err != nil {
		if errors.Is(err, recording.ErrRecording) { // the file that begins nothing must not stay
			err = errors.Join(err, file.Close(), a.Recordings.Remove(request.File))
		}
		refuse(w, wire.CodeConflict, err.Error())
		return
	}
	reply(w, http.StatusOK, a.Recorder.Status())
}

// reason is what went wrong with a path, without the path.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// stopRecording ends the recording. Its answer has the number of events.
func (a core) stopRecording(w http.ResponseWriter, _ *http.Request) {
	status, err := a.Recorder.Stop()
	if errors.Is(err, recording.ErrNotRecording) {
		refuse(w, hub.CodeNotFound, err.Error())
		return
	}
	reply(w, http.StatusOK, status) // with "failed", if it did not end well
}
