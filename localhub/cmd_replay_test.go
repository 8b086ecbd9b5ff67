package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// afternoonFile is the recorded afternoon.
const afternoonFile = "../testdata/recordings/afternoon.ndjson"

// TestReplayWord plays recordings, and checks what is printed and the status.
func TestReplayWord(t *testing.T) {
	data, err := os.ReadFile(afternoonFile)
	if err != nil {
		t.Fatal(err)
	}
	changed := writeFile(t, "changed", strings.Replace(string(data), `\"quantity\":3}}}"}`, `\"quantity\":33}}}"}`, 1))
	other := writeFile(t, "other", "{\"format\":\"securecart.recording\",\"version\":9}\n")
	cut := writeFile(t, "cut", string(data[:len(data)/2]))
	runProcesses(t, map[string]process{
		"alike": {args: []string{"replay", afternoonFile}, stdout: "36 conversations alike\n"},
		"differs": {
			args: []string{"replay", changed}, status: 1,
			stdout: `guest-1  frame 2  delta: topics["sku:MUG"].quantity 3, recorded 33` + "\n" +
				"35 of 36 conversations alike, 1 differs\n",
		},
		"another version": {
			args: []string{"replay", other}, status: 2, stderr: "localhub: " + other + ": line 1: a recording of version 9",
		},
		"cut":         {args: []string{"replay", cut}, status: 2, stderr: "localhub: " + cut + ": line "},
		"no file":     {args: []string{"replay", "none.ndjson"}, status: 2, stderr: "localhub: replay: open none.ndjson: "},
		"no argument": {args: []string{"replay"}, status: 2, stderr: "localhub: replay needs one FILE\n"},
		"only an admin": {
			args: []string{"replay", afternoonFile, "-admin", "127.0.0.1:1"}, status: 2,
			stderr: "localhub: -admin needs -against",
		},
		"an address": {
			args: []string{"replay", afternoonFile, "-against", "ftp://x"}, status: 2,
			stderr: "localhub: invalid value for flag -against: ",
		},
		"no hub": {
			args:   []string{"replay", afternoonFile, "-against", "ws://" + unusedAddress(t), "-admin", unusedAddress(t)},
			status: 1, stderr: "localhub: replay: the target does not answer: ",
		},
		"no hub, no admin": {
			args:   []string{"replay", afternoonFile, "-against", "ws://" + unusedAddress(t) + "/v1"},
			status: 1, stderr: "localhub: replay: the target does not answer: ",
		},
	})
}

// TestRecordAndReplay records a hub with -record, and plays the file in another process and
// against that hub again.
func TestRecordAndReplay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.ndjson")
	hub := start(t, "-record", file)
	o := &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}}
	conn, _, err := websocket.Dial(t.Context(), hub.socket, o)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, text := range []string{"sub TEE-RED-M", "add TEE-RED-M 1", "get cart"} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := conn.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.Close(websocket.StatusNormalClosure, "") // it is open or closed in the recording
	process{args: []string{"replay", file}, stdout: "1 conversation alike\n"}.run(t)
	process{
		args:   []string{"replay", file, "-against", hub.socket, "-admin", hub.adminAddress()},
		stdout: "1 conversation alike\n",
	}.run(t)
	process{
		args:   []string{"-record", file, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-keys", "none"},
		status: 2, stderr: "localhub: -record " + file + ": the file exists",
	}.run(t)
	process{
		args:   []string{"-record-dir", file + ".none", "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-keys", "none"},
		status: 2, stderr: "localhub: -record-dir: ",
	}.run(t)
}
