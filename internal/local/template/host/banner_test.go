package host

import (
	"errors"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// newBannerHost is a host with what WriteBanner prints: one function beside the
// template, and one that the developer starts.
func newBannerHost(t *testing.T) *Host {
	t.Helper()
	return &Host{
		opts: Options{File: "t.yaml", Addr: "127.0.0.1:8787", Folder: "/cache/t"},
		api: &samapi.Result{
			ID: "Api",
			API: gatewaytest.API{
				Stage: "live", Routes: map[string]gatewaytest.Route{"send": {}, "$default": {}, "$connect": {}},
			},
			NotImitated: map[string]int{"AWS::SQS::Queue": 2, "AWS::DynamoDB::Table": 1},
			Notes:       []string{"t.yaml:3:5: first", "t.yaml:9:5: second"},
		},
		running: []runningFunction{
			{"Send", "/app/send/bootstrap"}, {"Tell", "at http://127.0.0.1:9001"},
		},
		endpoints:    []*samapi.Function{{ID: "Tell"}},
		trustsSystem: true,
	}
}

func banner(t *testing.T, h *Host) string {
	t.Helper()
	var text strings.Builder
	if err := h.WriteBanner(&text, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestWriteBanner(t *testing.T) {
	h := newBannerHost(t)
	want := `localhub v1.2.3, the WebSocket API Api of t.yaml
  socket        ws://127.0.0.1:8787/live
  @connections  http://127.0.0.1:8787/live/@connections
  routes        $connect  $default  send
  function      Send  /app/send/bootstrap
  function      Tell  at http://127.0.0.1:9001

before you start one of these functions, in its terminal:
  source /cache/t/Tell.env

not imitated: AWS::DynamoDB::Table (1), AWS::SQS::Queue (2)
note: t.yaml:3:5: first
note: t.yaml:9:5: second

  npx wscat -c ws://127.0.0.1:8787/live

Interrupt (ctrl-c) to end.
`
	if got := banner(t, h); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWriteBannerParts(t *testing.T) {
	const signConnections = "\nsign requests to @connections with AWS_ACCESS_KEY_ID=AKIALOCALHUB "
	const signAll = "\nsign requests to @connections and handshakes with AWS_ACCESS_KEY_ID=AKIALOCALHUB "
	for name, tt := range map[string]struct {
		change func(*Host)
		want   map[string]bool // texts that are in the banner, or not
	}{
		"all functions beside the template": {
			func(h *Host) { h.running, h.endpoints = h.running[:1], nil },
			map[string]bool{"  function      Send": true, "  source ": false},
		},
		"a system without roots": {
			func(h *Host) { h.trustsSystem = false },
			map[string]bool{"\nnote: this system has no file of roots, so functions trust localhub alone\n": true},
		},
		"services": {
			func(h *Host) {
				h.api.Services = []string{"dynamodb", "execute-api", "sqs"}
				h.opts.Services = map[string]string{"sqs": "http://ann:PASS@127.0.0.1:9324"}
			},
			map[string]bool{
				"  service       execute-api  http://127.0.0.1:8787\n": true,
				"  service       sqs  http://xxxxx@127.0.0.1:9324\n":   true,
				"  service       dynamodb  nowhere: its routes answer \"Internal server error\"; " +
					"add -service dynamodb=http://127.0.0.1:PORT\n": true,
			},
		},
		"everything imitated": {
			func(h *Host) { h.api.NotImitated = nil }, map[string]bool{"not imitated": false},
		},
		"no signatures":  {func(*Host) {}, map[string]bool{"\nsign ": false, "AWS_ACCESS_KEY_ID": false}},
		"-require-sigv4": {func(h *Host) { h.opts.RequireSigV4 = true }, map[string]bool{signConnections: true}},
		"AWS_IAM":        {func(h *Host) { h.api.API.IAM = true }, map[string]bool{signAll: true}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newBannerHost(t)
			tt.change(h)
			got := banner(t, h)
			for text, want := range tt.want {
				if strings.Contains(got, text) != want {
					t.Errorf("has %q: %t, want %t:\n%s", text, !want, want, got)
				}
			}
		})
	}
}

func TestWriteBannerError(t *testing.T) {
	want := errors.New("broken pipe")
	if err := newBannerHost(t).WriteBanner(errorWriter{want}, "v1"); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
