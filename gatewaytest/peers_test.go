package gatewaytest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pythonTalk is a client with Python's library websockets. It sends messages of
// many sizes on one connection and expects each of them back.
const pythonTalk = `
import sys
from websockets.sync.client import connect
url, compression = sys.argv[1], sys.argv[2]
with connect(url, compression=compression if compression != 'none' else None, max_size=None) as ws:
    for n in [0, 1, 100, 125, 126, 300, 5000, 20000, 300]:
        text = ('stock cart delta 42 é € 😀 ' * n)[:n]
        ws.send(text)
        if (got := ws.recv()) != text:
            sys.exit('%d characters, and %d came back' % (n, len(got)))
    ws.send(['frag', 'ments ', 'x' * 20000, 'y' * 20000])
    if len(ws.recv()) != 40010:
        sys.exit('fragments are another message')
    ws.ping(b'beat').wait(5) or sys.exit('no pong')
    print(','.join(e.name for e in ws.protocol.extensions) or 'none', end=' ')
print(ws.close_code)
`

// javaTalk is a client with java.net.http, which is part of Java 11 and newer.
const javaTalk = `
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.*;

public class Talk {
	static final BlockingQueue<String> received = new LinkedBlockingQueue<>();

	static class Listener implements WebSocket.Listener {
		private final StringBuilder message = new StringBuilder();

		public CompletionStage<?> onText(WebSocket ws, CharSequence data, boolean last) {
			message.append(data);
			if (last) {
				received.add(message.toString());
				message.setLength(0);
			}
			ws.request(1);
			return null;
		}

		public CompletionStage<?> onPong(WebSocket ws, ByteBuffer data) {
			received.add("pong");
			ws.request(1);
			return null;
		}

		public CompletionStage<?> onClose(WebSocket ws, int code, String reason) {
			received.add("close " + code);
			return null;
		}
	}

	static void expect(String want) throws Exception {
		String got = received.poll(20, TimeUnit.SECONDS);
		if (!want.equals(got)) throw new Exception("got another message than " + want.length() + " characters: " + got);
	}

	public static void main(String[] args) throws Exception {
		WebSocket ws = HttpClient.newHttpClient().newWebSocketBuilder()
			.buildAsync(URI.create(args[0]), new Listener()).get(20, TimeUnit.SECONDS);
		for (int n : new int[] {0, 1, 100, 125, 126, 300, 5000, 30000, 300}) {
			String text = "stock cart é € ".repeat(n).substring(0, n);
			ws.sendText(text, true).get();
			expect(text);
		}
		ws.sendText("frag", false).get();
		ws.sendText("ments", true).get();
		expect("fragments");
		ws.sendPing(ByteBuffer.wrap(new byte[] {1, 2})).get();
		expect("pong");
		ws.sendClose(1000, "").get();
		expect("close 1000");
		System.out.println("none 1000");
	}
}
`

// requireTool returns the path of a tool. If it is missing, the test
// skips, or fails if tools are required.
func requireTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	switch {
	case err == nil:
		return path
	case os.Getenv("HUB_TEST_TOOLS") == "required":
		t.Fatalf("%s is missing, but HUB_TEST_TOOLS requires it", name)
	}
	t.Skipf("%s is missing; see scripts/ci-tools", name)
	return ""
}

// TestPeers lets other WebSocket libraries talk to a gateway whose function
// echoes.
func TestPeers(t *testing.T) {
	source := filepath.Join(t.TempDir(), "Talk.java")
	if err := os.WriteFile(source, []byte(javaTalk), 0o644); err != nil {
		t.Fatal(err)
	}
	const python = "../.tools/websockets/bin/python"
	for _, tt := range []struct {
		name, tool string
		args       func(url string) []string
		want       string // extensions and close code
	}{
		{"G-HANDSHAKE-15 G-FRAME-6 -3 G-CLOSE-1 Python, compressed", python,
			func(url string) []string { return []string{"-c", pythonTalk, url, "deflate"} }, "permessage-deflate 1000"},
		{"G-FRAME-6 -3 G-CLOSE-1 Python", python,
			func(url string) []string { return []string{"-c", pythonTalk, url, "none"} }, "none 1000"},
		{"G-FRAME-6 -3 G-CLOSE-1 Java", "java", func(url string) []string { return []string{source, url} }, "none 1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tool := requireTool(t, tt.tool)
			base := serve(t, newGateway(t, api(routes("$default", twoWay(echo)))))
			out, err := exec.CommandContext(t.Context(), tool, tt.args("ws"+strings.TrimPrefix(base, "http")+"/v1")...).
				CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
