package apigw_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// request is one call of the management API.
type request struct {
	Op       string `json:"op"` // post, get or delete
	Endpoint string `json:"endpoint"`
	ID       string `json:"id"`
	Data     []byte `json:"data"`
}

// result is what a client understood of the answer.
type result struct {
	Exception    string    `json:"exception"` // its name; "" for success
	Message      string    `json:"message"`
	ConnectedAt  time.Time `json:"connectedAt"` // of get, like the others below
	LastActiveAt time.Time `json:"lastActiveAt"`
	SourceIP     string    `json:"sourceIP"`
	UserAgent    string    `json:"userAgent"`
}

// sdkClient makes a call with a client that AWS publishes, and returns what that
// client understood of the answer.
type sdkClient func(t *testing.T, r request) result

// TestSDKClients calls gatewaytest with clients for the real service: the AWS SDK
// for Go, the AWS CLI, and the AWS SDK for JavaScript. They must see the results
// and the exceptions that AWS documents
// (https://docs.aws.amazon.com/apigatewaymanagementapi, statements G-MGMT).
func TestSDKClients(t *testing.T) {
	for name, newClient := range map[string]func(*testing.T) sdkClient{
		"Go": goSDK, "CLI": awsCLI, "JavaScript": javaScriptSDK,
	} {
		t.Run(name, func(t *testing.T) { checkClient(t, newClient(t)) })
	}
}

// checkClient makes all calls with one client, to a gateway with one connection.
func checkClient(t *testing.T, call sdkClient) {
	gateway, err := gatewaytest.New(gatewaytest.API{})
	if err != nil {
		t.Fatal(err)
	}
	var seen pathRecorder
	server := httptest.NewServer(seen.watch(gateway))
	defer server.Close()
	defer gateway.Close()
	client, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/v1",
		&websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"shop/1.0"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseNow()
	info := gateway.Connections()[0]
	id, endpoint := info.ConnectionID, server.URL+"/v1"
	const unknown = "XDmENcnwIE0CFEQ=" // a well-formed id of no connection

	if got := call(t, request{"post", endpoint, id, []byte("hello €")}); got != (result{}) {
		t.Fatalf("G-MGMT-1 post: got %+v", got)
	}
	if got := receive(t, client, 1); len(got) != 1 || got[0] != "hello €" {
		t.Errorf("the client got %q", got)
	}
	got := call(t, request{Op: "get", Endpoint: endpoint, ID: id})
	now, err := gateway.GetConnection(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	// JSON has the times in milliseconds, and each client picks a time zone.
	got.ConnectedAt, got.LastActiveAt = got.ConnectedAt.UTC(), got.LastActiveAt.UTC()
	want := result{
		ConnectedAt:  now.ConnectedAt.UTC().Truncate(time.Millisecond),
		LastActiveAt: now.LastActiveAt.UTC().Truncate(time.Millisecond),
		SourceIP:     "127.0.0.1", UserAgent: "shop/1.0",
	}
	if got != want {
		t.Errorf("G-MGMT-4 get:\n got %+v\nwant %+v", got, want)
	}

	for _, tt := range []struct {
		name      string
		fail      *gatewaytest.Error // for the next post
		request   request
		exception string
		message   string // "": not compared; the model has none for most
	}{
		{
			"G-MGMT-5 post to an unknown connection", nil, request{"post", endpoint, unknown, []byte("x")}, "GoneException",
			"",
		},
		{"G-MGMT-5 get of an unknown connection", nil, request{"get", endpoint, unknown, nil}, "GoneException", ""},
		{"G-MGMT-5 delete of an unknown connection", nil, request{"delete", endpoint, unknown, nil}, "GoneException", ""},
		{
			"G-MGMT-6 malformed id", nil, request{"post", endpoint, "nonsense", []byte("x")}, "BadRequestException",
			"Invalid connectionId: nonsense",
		},
		{
			"G-MGMT-7 128 KB and one byte", nil, request{"post", endpoint, id, make([]byte, 128*1024+1)},
			"PayloadTooLargeException", "",
		},
		{
			"G-MGMT-9 throttled", gatewaytest.ErrLimitExceeded, request{"post", endpoint, id, []byte("x")},
			"LimitExceededException", "",
		},
		{"G-MGMT-11 another stage", nil, request{"post", server.URL + "/dev", id, []byte("x")}, "ForbiddenException", ""},
		{
			"the service fails", gatewaytest.ErrInternal, request{"post", endpoint, id, []byte("x")},
			"InternalServerErrorException", "Internal server error",
		},
	} {
		gateway.FailNext(id, tt.fail)
		got := call(t, tt.request)
		if got.Exception != tt.exception || tt.message != "" && got.Message != tt.message {
			t.Errorf("%s: got %q %q, want %q %q", tt.name, got.Exception, got.Message, tt.exception, tt.message)
		}
	}

	if got := call(t, request{Op: "delete", Endpoint: endpoint, ID: id}); got != (result{}) {
		t.Errorf("G-MGMT-1 delete: got %+v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, _, err := client.Read(ctx); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("G-CLOSE-4: the client got %v, want close 1000 and nothing before it", err)
	}
	if got := call(t, request{"post", endpoint, id, []byte("x")}); got.Exception != "GoneException" {
		t.Errorf("post after delete: got %+v", got)
	}
	if paths := seen.all(); len(paths) < 12 || slices.ContainsFunc(paths, func(path string) bool {
		return !strings.HasSuffix(path, "%3D") && !strings.HasSuffix(path, "/nonsense")
	}) {
		t.Errorf("G-MGMT-3: the paths were %q, want 12 with the ids escaped", paths)
	}
}

// pathRecorder records the paths of management calls as they were sent.
type pathRecorder struct {
	mu    sync.Mutex
	paths []string
}

func (s *pathRecorder) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/@connections/") {
			s.mu.Lock()
			s.paths = append(s.paths, r.RequestURI)
			s.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

func (s *pathRecorder) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.paths)
}

// skipWithoutTool skips a test that needs a missing tool, or fails it if tools are
// required.
func skipWithoutTool(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("HUB_TEST_TOOLS") == "required" {
		t.Fatal(what + " is missing, and HUB_TEST_TOOLS says it must not be")
	}
	t.Skip(what + " is not installed; scripts/ci-tools does it")
}
