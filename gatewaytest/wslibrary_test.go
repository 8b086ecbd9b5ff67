package gatewaytest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wsTalk is a client in Node.js with the library ws, which wscat uses. It sends
// messages of many sizes on one connection and expects each of them back.
const wsTalk = `
const WebSocket = require('ws');
const [url, options] = [process.argv[1], JSON.parse(process.argv[2])];
const words = 'stock cart delta snapshot {"sku":"TEE-RED-M","version":42} é € 😀 '.split(' ');
const text = n => Array.from({length: n}, (_, i) => words[(i * i + n) % words.length]).join(' ');
const messages = [0, 1, 10, 100, 300, 500, 1000, 1200, 300, 1200].map(text);
let at = 0, heard = 0;
const ws = new WebSocket(url, options);
ws.on('close', (code, reason) => { if (at < messages.length) throw new Error('closed: ' + code); });
ws.on('open', () => ws.send(messages[0]));
ws.on('message', (data, binary) => {
	if (binary || data.toString() !== messages[at]) throw new Error('message ' + at + ' is another: ' + data);
	heard += data.length;
	if (++at < messages.length) return ws.send(messages[at]);
	console.log(ws.extensions || 'none', ws._socket.bytesRead * 2 < heard ? 'compressed' : 'plain');
	ws.close(1000);
});
`

// TestDeflateWS connects the library ws with its default settings and with
// others.
func TestDeflateWS(t *testing.T) {
	tools, err := filepath.Abs("../.tools/wscat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules/ws")); err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("ws is missing, but HUB_TEST_TOOLS requires it")
		}
		t.Skip("ws is not installed; scripts/ci-tools does it, with wscat")
	}
	tests := []struct{ name, options, want string }{
		{"G-HANDSHAKE-15 default settings", `{}`, "permessage-deflate compressed"},
		{"G-HANDSHAKE-15 every message compressed", `{"perMessageDeflate":{"threshold":0}}`, "permessage-deflate compressed"},
		{"G-HANDSHAKE-15 no context takeover",
			`{"perMessageDeflate":{"threshold":0,"serverNoContextTakeover":true,"clientNoContextTakeover":true}}`,
			"permessage-deflate compressed"},
		{"G-HANDSHAKE-15 small windows",
			`{"perMessageDeflate":{"threshold":0,"serverMaxWindowBits":9,"clientMaxWindowBits":9}}`, "permessage-deflate plain"},
		{"no compression", `{"perMessageDeflate":false}`, "none plain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := serve(t, newGateway(t, api(routes("$default", twoWay(echo)))))
			cmd := exec.CommandContext(t.Context(), "node", "-e", wsTalk, "ws"+strings.TrimPrefix(base, "http")+"/v1",
				tt.options)
			cmd.Dir = tools // where require finds ws
			out, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
