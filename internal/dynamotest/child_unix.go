//go:build unix

package dynamotest

import (
	"io"
	"os/exec"
)

// watch is a shell script that runs a program and kills it when the standard input
// ends. The input is a pipe that only this process holds open for writing, so it
// ends with this process, even if that panics or is killed. If the program exits
// first, so does the script.
//
// Linux has Pdeathsig for this, but it is bound to the thread that starts the
// child, and Go may end that thread.
const watch = `exec 3<&0
"$0" "$@" 3<&- &
program=$!
{ read -r _ <&3; kill -9 $program; } &
watcher=$!
wait $program
kill $watcher`

func childCommand(path string, args ...string) *exec.Cmd {
	return exec.Command("/bin/sh", append([]string{"-c", watch, path}, args...)...)
}

func endChild(_ *exec.Cmd, input io.Closer) { _ = input.Close() }
