package recording_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/wire"
)

// tokens are those that the recorder of a test knows.
var tokens = map[string]recording.Person{
	"guest.eyJhbGciOiJIUzI1NiJ9.guest.aaa": {User: "guest:0123456789abcdef", Role: "guest"},
	"eyJhbGciOiJFUzI1NiJ9.alice.bbb":       {User: "alice", Role: "customer"},
	"opaque-token-of-vera":                 {User: "vera", Role: "vendor", Vendor: "acme"},
}

func newRecorder() *recording.Recorder {
	return recording.New(recording.Options{
		Header: func() recording.Header { return recording.Header{Localhub: "test"} },
		Before: func() []recording.Event { return nil },
		Verify: func(token string) (recording.Person, bool) {
			p, ok := tokens[token]
			return p, ok
		},
		CartID: func(user, role string) string {
			if role == "guest" {
				return "g~" + strings.TrimPrefix(user, "guest:")
			}
			return "u~" + user
		},
		Log: slog.New(slog.DiscardHandler),
	})
}

// file is a file in memory that has room for some bytes.
type file struct {
	bytes.Buffer
	room   int // 0: for all
	closed bool
}

var errFull = errors.New("no space left")

func (f *file) Write(p []byte) (int, error) {
	if f.room > 0 && f.Len()+len(p) > f.room {
		return 0, errFull
	}
	return f.Buffer.Write(p)
}

func (f *file) Close() error {
	f.closed = true
	return nil
}

func start(t *testing.T, r *recording.Recorder, f *file) {
	t.Helper()
	if err := r.Start(f, "a.ndjson"); err != nil {
		t.Fatal(err)
	}
}

func stop(t *testing.T, r *recording.Recorder) recording.Status {
	t.Helper()
	status, err := r.Stop()
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// open is the handshake of somebody.
func open(id string, p recording.Person, header http.Header, query url.Values) gatewaytest.Observation {
	return gatewaytest.Observation{
		Kind: gatewaytest.ObservedOpen, ConnectionID: id, Status: 101, Headers: header, Query: query,
		Authorizer: map[string]any{"principalId": p.User, "role": p.Role, "vendor": url.PathEscape(p.Vendor)},
	}
}

func frame(kind gatewaytest.ObservedKind, id, text string) gatewaytest.Observation {
	return gatewaytest.Observation{Kind: kind, ConnectionID: id, Payload: []byte(text)}
}

// TestStandIns: lines have stand-ins in the place of tokens and names, and else what came.
func TestStandIns(t *testing.T) {
	const (
		alice = "eyJhbGciOiJFUzI1NiJ9.alice.bbb"
		guest = "guest.eyJhbGciOiJIUzI1NiJ9.guest.aaa"
	)
	for name, tt := range map[string]struct {
		in        bool
		text, got string
	}{
		"hello": {true, `{"action":"hello", "token":"` + alice + `"}`, `{"action":"hello", "token":"token-1"}`},
		"opaque": {
			true, `{"action":"hello","token":"opaque-token-of-vera"}`,
			`{"action":"hello","token":"token-1"}`,
		},
		"bad":        {true, `{"action":"hello","token":"s3cret"}`, `{"action":"hello","token":"token-bad"}`},
		"merge":      {true, `{"action":"merge","from":"` + guest + `"}`, `{"action":"merge","from":"token-1"}`},
		"typed":      {true, `hello token=` + alice, `hello token=token-1`},
		"quoted":     {true, `hello token="` + alice + `" id=1`, `hello token=token-1 id=1`},
		"typed from": {true, ` MERGE ` + guest + ` max`, ` MERGE token-1 max`},
		"broken": {
			true, `{"action":"hello","token":"opaque-token-of-vera"`,
			`{"xxxxxx":"xxxxx","xxxxx":"xxxxxxxxxxxxxxxxxxxx"`,
		},
		"unended": {true, `{"token":"s3cr\q é`, `{"xxxxx":"xxxx\x xx`},
		"too long": {
			true, `{"a":"` + strings.Repeat("s", wire.MaxMessage) + `"}`,
			`{"x":"` + strings.Repeat("x", wire.MaxMessage) + `"}`,
		},
		"a word":   {true, `opaque id=7`, `other id=7`},
		"a member": {true, `{"action":"hello","Authorization":"s3cret"}`, `{"action":"hello","other-1":"other"}`},
		"in a member": {
			true, `{"x":{"s3cret":["s3cret",7]},"x":null,"Token":"a"}`,
			`{"other-1":{"other-2":["other",0]},"other-1":null,"Token":"a"}`,
		},
		"an action": {
			true, `{"action":"s3cret","policy":"s3cret","about":"s3cret"}`,
			`{"action":"other","policy":"other","about":"other"}`,
		},
		"topics": {
			true, `{"action":"get","topics":["token:s3cret","sku:MUG","s3cret","*"]}`,
			`{"action":"get","topics":["other:1","sku:MUG","other:2","*"]}`,
		},
		"refused": {
			false, `{"type":"snapshot","topics":{"cart":3},"refused":{"token:s3cret":"denied","sku:MUG":"limit"}}`,
			`{"type":"snapshot","topics":{"cart":3},"refused":{"other:1":"denied","sku:MUG":"limit"}}`,
		},
		"typed topics": {
			true, `SUB token:s3cret  MUG@3 "sku:RED CAP" "key:a b"@2 cart`,
			`SUB other:1  MUG@3 "sku:RED CAP" other:2@2 cart`,
		},
		"one more word": {true, `hello s3cret`, `hello other`},
		"an option":     {true, `hello pin=s3cret id="a b"`, `hello other=other id="a b"`},
		"of a checkout": {true, `checkout v3 s3cret key=k`, `checkout v3 other key=k`},
		"of an add":     {true, `add MUG 1 s3cret`, `add MUG 1 other`},
		"of pretty":     {true, `pretty On s3cret`, `pretty On other`},
		"of help":       {true, `help add s3cret`, `help add other`},
		"a SKU":         {true, `stock MUG "RED CAP"`, `stock MUG "RED CAP"`},
		"a message": {false, `{"type":"error","code":"bad_field","message":"unexpected word \"s3cret\", type \"help\""}`,
			`{"type":"error","code":"bad_field","message":"unexpected word \"other\", type \"help\""}`},
		"an error in words": {
			false, `error bad_field: unknown option s3cret=; a name with = needs quotes`,
			`error bad_field: unknown option other=; a name with = needs quotes`,
		},
		"refused in words": {
			false, "sku:MUG few left\ntoken:s3cret refused: denied",
			"sku:MUG few left\nother:1 refused: denied",
		},
		"astray":   {true, alice, `token-1`},
		"a ticket": {true, `JZ2QW5T6N7M3K4P2X7R5V6B3AC`, `token-bad`},
		"in an id": {true, `{"action":"ping","id":"` + alice + `"}`, `{"action":"ping","id":"token-1"}`},
		"cut off":  {false, `{"message":"\"eyJhbGciOiJFUz…\""}`, `{"message":"\"other\""}`},
		"who": {
			false, `{"type":"hello","connectionId":"c1","user":"alice","epoch":"k3"}`,
			`{"type":"hello","connectionId":"customer-1","user":"customer-1","epoch":"epoch-1"}`,
		},
		"new guest": {
			false, `{"type":"hello","user":"guest:0123456789abcdef","guestToken":"` + guest + `"}`,
			`{"type":"hello","user":"guest-1","guestToken":"token-1"}`,
		},
		"in words": {
			false, "you are alice, customer\nconnection c1, epoch k3",
			"you are customer-1, customer\nconnection customer-1, epoch k3",
		},
		"a cart": {
			true, `{"action":"subscribe","epoch":"k3","topics":{"cart:u~alice":3,"cart":4}}`,
			`{"action":"subscribe","epoch":"epoch-1","topics":{"cart:customer-1":3,"cart":4}}`,
		},
		"typed cart": {true, `sub cart:u~alice@3 epoch=k3`, `sub cart:customer-1@3 epoch=epoch-1`},
		"lines": {
			false, `{"type":"ok","lines":{"token":{"quantity":1},"from":null},"from":3}`,
			`{"type":"ok","lines":{"token":{"quantity":1},"from":null},"from":3}`,
		},
		"html": {true, `{"action":"get","topics":["sku:<&>"]}`, `{"action":"get","topics":["sku:<&>"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newRecorder(), new(file)
			start(t, r, f)
			kind := gatewaytest.ObservedOut
			if tt.in {
				kind = gatewaytest.ObservedIn
			}
			r.Observe(context.Background(), open("c1", recording.Person{User: "alice", Role: "customer"}, nil, nil))
			r.Observe(context.Background(), frame(kind, "c1", tt.text))
			stop(t, r)
			rec, err := recording.Read(&f.Buffer)
			if err != nil {
				t.Fatal(err)
			}
			if got := rec.Events[len(rec.Events)-1].Text; got != tt.got {
				t.Errorf("\n got %s\nwant %s", got, tt.got)
			}
		})
	}
}

// TestNoSecret: no token, no ticket and no name of a user is in a recording, wherever it came.
func TestNoSecret(t *testing.T) {
	r, f := newRecorder(), new(file)
	start(t, r, f)
	secrets := []string{
		"alice", "vera", "0123456789abcdef", "k3epoch", "conn-id-1", "JZ2QW5T6N7M3K4P2X7R5V6B3AC", "s3cret",
	}
	for token := range tokens {
		secrets = append(secrets, token)
	}
	texts := []string{
		`%`, `{"action":"hello","token":"%"}`,
		`hello token=%`, `merge %`, `{"token":"%`, `[{"x":"%"}]`, `hello %`,
		`{"action":"hello","Authorization":"%"}`, `{"%":1}`, `{"action":"%"}`, `sub token:%`, `"%"`, `{"a":"%`}
	observe := func(o gatewaytest.Observation) { r.Observe(context.Background(), o) }
	for token, p := range tokens {
		id := "conn-id-1" + p.User
		observe(open(id, p, http.Header{"Sec-Websocket-Protocol": {"securecart.v1, bearer." + token}}, nil))
		observe(open(id+"b", p, http.Header{"Authorization": {"Bearer " + token}, "Cookie": {token}},
			url.Values{"ticket": {"JZ2QW5T6N7M3K4P2X7R5V6B3AC"}, "x": {token}, "version": {token}}))
		for _, text := range texts {
			observe(frame(gatewaytest.ObservedIn, id, strings.ReplaceAll(text, "%", token)))
		}
		observe(frame(gatewaytest.ObservedIn, id, `{"action":"hello","token":"s3cret"}`))
		observe(frame(gatewaytest.ObservedOut, id,
			`{"type":"hello","user":"`+p.User+`","epoch":"k3epoch","connectionId":"`+id+`","guestToken":"`+token+`"}`))
		request := func(next http.Handler, method, path, body string) {
			req := httptest.NewRequest(method, path, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+token)
			next.ServeHTTP(httptest.NewRecorder(), req)
		}
		end := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
		})
		request(r.Requests(end), "POST", "/admin/token", `{"user":"`+p.User+`"}`)
		request(r.Requests(end), "POST", "/admin/users/"+url.PathEscape(p.User)+"/revoke", "")
		request(r.Requests(end), "DELETE", "/v1/users/"+url.PathEscape(p.User), "")
		request(r.Requests(end), "DELETE", "/admin/connections/"+id, "")
		request(r.Requests(end), "POST", "/admin/faults", `{"connection":"`+id+`","fault":"drop"}`)
		request(r.Requests(end), "PUT", "/vendor/stock/MUG", `{"add":1}`)
		request(r.REST(end), "POST", "/v1/cart/merge", `{"from":"`+token+`"}`)
		request(r.REST(end), "PATCH", "/v1/cart", `{"lines":{}}`)
		request(r.REST(end), "PATCH", "/v1/cart", `{"Authorization":"`+token+`","x":["s3cret"]}`)
		request(r.REST(end), "PATCH", "/v1/cart", `{"key":"s3cret`)
	}
	if status := stop(t, r); status.Events < 30 {
		t.Errorf("%d events, want all", status.Events)
	}
	if !f.closed {
		t.Error("the file is not closed")
	}
	for _, secret := range secrets {
		if i := strings.Index(f.String(), secret); i >= 0 {
			t.Errorf("the recording has %q: …%s", secret, f.String()[max(0, i-80):i+len(secret)])
		}
	}
}

// TestRequests: a body goes on to its handler, and a request of the shop's systems becomes one
// of the admin API.
func TestRequests(t *testing.T) {
	r, f := newRecorder(), new(file)
	start(t, r, f)
	for _, tt := range []struct{ method, path, body string }{
		{"PUT", "/admin/stock/RED%20CAP", `{"available":3}`},
		{"GET", "/admin/stock/MUG", ""},
		{"POST", "/v1/inventory", `{"sku":"MUG","available":1}`},
		{"PUT", "/v1/inventory/MUG", `{"available":2}`},
		{"POST", "/admin/recording", `{"file":"x"}`},
	} {
		read := ""
		next := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			data, err := io.ReadAll(req.Body)
			if err != nil {
				t.Error(err)
			}
			read = string(data)
		})
		req := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
		r.Requests(next).ServeHTTP(httptest.NewRecorder(), req)
		if read != tt.body {
			t.Errorf("%s %s: the handler read %q, want %q", tt.method, tt.path, read, tt.body)
		}
	}
	stop(t, r)
	rec, err := recording.Read(&f.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range rec.Events {
		got = append(got, e.Method+" "+e.Path+" "+e.Body)
	}
	want := `PUT /admin/stock/RED%20CAP {"available":3}
POST /admin/stock {"sku":"MUG","available":1}
PUT /admin/stock/MUG {"available":2}`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// TestFullDisk: a recording that cannot be written ends and says why. The next one works.
func TestFullDisk(t *testing.T) {
	r := newRecorder()
	if err := r.Start(&file{room: 10}, "full"); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
	if s := r.Status(); s != nil {
		t.Errorf("got %+v, want no recording", s)
	}
	f := &file{room: 400}
	start(t, r, f)
	if err := r.Start(new(file), "second"); !errors.Is(err, recording.ErrRecording) {
		t.Errorf("a second one: got %v, want %v", err, recording.ErrRecording)
	}
	r.Observe(context.Background(), open("c1", recording.Person{User: "alice", Role: "customer"}, nil, nil))
	for range 10 {
		r.Observe(context.Background(), frame(gatewaytest.ObservedIn, "c1", strings.Repeat("x", 100)))
	}
	if status, err := r.Stop(); err == nil || status.Failed != errFull.Error() || !f.closed {
		t.Errorf("got %+v, %v, want that the disk is full and a closed file", status, err)
	}
	if _, err := recording.Read(&f.Buffer); err != nil {
		t.Errorf("what is in the file cannot be read: %v", err)
	}
	start(t, r, new(file))
	stop(t, r)
	if _, err := r.Stop(); !errors.Is(err, recording.ErrNotRecording) {
		t.Errorf("got %v, want %v", err, recording.ErrNotRecording)
	}
}

// TestSlowDisk: a recorder does not wait for its file. It ends when too much waits.
func TestSlowDisk(t *testing.T) {
	r := newRecorder()
	f := &blocked{release: make(chan struct{})}
	if err := r.Start(f, "slow"); err != nil {
		t.Fatal(err)
	}
	r.Observe(context.Background(), open("c1", recording.Person{User: "alice", Role: "customer"}, nil, nil))
	big := strings.Repeat("x", 1<<20)
	for range recording.MaxWaiting>>20 + 2 {
		r.Observe(context.Background(), frame(gatewaytest.ObservedIn, "c1", big))
	}
	if s := r.Status(); s == nil || !strings.Contains(s.Failed, "too slow") {
		t.Errorf("got %+v, want that the disk is too slow", s)
	}
	close(f.release)
	if _, err := r.Stop(); err == nil {
		t.Error("the recording ended well")
	}
}

// blocked is a file whose first line is written, and the others when it is released.
type blocked struct {
	lines   int
	release chan struct{}
}

func (b *blocked) Write(p []byte) (int, error) {
	if b.lines++; b.lines > 1 {
		<-b.release
	}
	return len(p), nil
}

func (b *blocked) Close() error { return nil }

// TestNothingIsAllocatedWithoutARecording: there is none most of the time.
func TestNothingIsAllocatedWithoutARecording(t *testing.T) {
	r := newRecorder()
	o := gatewaytest.Observation{Kind: gatewaytest.ObservedOut, ConnectionID: "L0SM9cOFvHcCIhw=", Payload: []byte("{}")}
	if n := testing.AllocsPerRun(100, func() { r.Observe(t.Context(), o) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}
