//go:build speed

package speed_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// kind is a kind of server, and how one is started.
type kind struct {
	name    string
	command func() *exec.Cmd
}

// kinds returns the kinds of servers that can run here. localhub is built first.
func kinds(t *testing.T) []kind {
	hub := os.Getenv("SPEED_LOCALHUB") // one that is built, to compare it
	if hub == "" {
		hub = filepath.Join(t.TempDir(), "localhub")
		if out, err := exec.Command("go", "build", "-o", hub, "../../../localhub").CombinedOutput(); err != nil {
			t.Fatalf("build localhub: %v\n%s", err, out)
		}
	}
	all := []kind{{localhub, func() *exec.Cmd {
		return exec.Command(hub, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-limits", "address=0",
			"-log-level", "error", "-keys", "none")
	}}, {smallestServer, func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), smallestVariable+"=1")
		return cmd
	}}}
	library, _ := filepath.Abs("../../../.tools/wscat/node_modules/ws/wrapper.mjs")
	if _, err := os.Stat(library); err == nil {
		all = append(all, kind{nodeServer, func() *exec.Cmd {
			return exec.Command("node", "testdata/ws.mjs", library)
		}})
	}
	return all
}

// The names of the servers.
const (
	localhub       = "localhub"
	smallestServer = "smallest server"
	nodeServer     = "node ws"
)

// server is a running server.
type server struct {
	kind
	pid     int
	address string // of the sockets
	admin   string // URL, with a slash at the end
}

// start starts a server, which ends with the test.
func (k kind) start(t *testing.T) *server {
	t.Helper()
	cmd := k.command()
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := &server{kind: k, pid: cmd.Process.Pid}
	lines := bufio.NewScanner(stdout)
	for (s.address == "" || s.admin == "") && lines.Scan() {
		s.readLine(lines.Text())
	}
	if s.admin == "" {
		t.Fatalf("%s has printed no addresses", k.name)
	}
	go io.Copy(io.Discard, stdout) // ends with the process
	return s
}

var (
	socketLine = regexp.MustCompile(`socket\s+ws://([^/\s]+)/v1`)
	adminLine  = regexp.MustCompile(`admin\s+(http://\S+/)`)
)

func (s *server) readLine(line string) {
	if m := socketLine.FindStringSubmatch(line); m != nil {
		s.address = m[1]
	}
	if m := adminLine.FindStringSubmatch(line); m != nil {
		s.admin = m[1]
	}
}

// ticksPerSecond is the unit of /proc/PID/stat on Linux, whatever the kernel uses.
const ticksPerSecond = 100

// cpu returns the user and system time that the process has used.
func (s *server) cpu(t *testing.T) time.Duration {
	t.Helper()
	text := readProc(t, s.pid, "stat")
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// resident returns the resident memory of the process in bytes.
func (s *server) resident(t *testing.T) int {
	t.Helper()
	pages, _ := strconv.Atoi(strings.Fields(readProc(t, s.pid, "statm"))[1])
	return pages * os.Getpagesize()
}

func readProc(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
