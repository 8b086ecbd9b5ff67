package house_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	libclient "github.com/securecart/hub/client"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// newHouse starts a house. The caller closes it: in a synctest bubble that must happen
// inside the bubble.
func newHouse(t testing.TB, o house.Options) *house.House {
	t.Helper()
	h, err := house.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func closeHouse(t testing.TB, h *house.House) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// client is one open connection.
type client struct {
	t    testing.TB
	conn *websocket.Conn
}

// dial connects in memory, with a token or, with "", as a guest.
func dial(t testing.TB, h *house.House, token string) *client {
	t.Helper()
	o := &websocket.DialOptions{
		Subprotocols: []string{"securecart.v1"}, CompressionMode: websocket.CompressionDisabled,
	}
	if token != "" {
		o.Subprotocols = append(o.Subprotocols, "bearer."+token)
	}
	conn, _, err := h.Dial(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	return &client{t, conn}
}

// connect connects a client that follows and repeats as the rules of the protocol say, as a
// user or, with "", as a guest.
func connect(t testing.TB, h *house.House, user string) *libclient.Client {
	t.Helper()
	o := libclient.Options{Dial: h.Dial}
	if user != "" {
		o.Token = func(context.Context, libclient.Code) (string, error) {
			token, _, err := h.Token(user, hub.RoleCustomer, "")
			return token, err
		}
	}
	c, err := libclient.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) close() { _ = c.conn.Close(websocket.StatusNormalClosure, "") }

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("send %.80s: %v", text, err)
	}
}

// read returns the next message.
func (c *client) read() string {
	c.t.Helper()
	_, data, err := c.conn.Read(context.Background())
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return string(data)
}

// want fails unless the next message is text, with "…" in place of the epoch.
func (c *client) want(text string) {
	c.t.Helper()
	if got := withoutEpoch(c.t, c.read()); got != text {
		c.t.Errorf("\n got %s\nwant %s", got, text)
	}
}

// wantBoth fails unless the next two messages are these, in either order: the order of
// an answer and a push is not fixed.
func (c *client) wantBoth(answer, push string) {
	c.t.Helper()
	first, second := withoutEpoch(c.t, c.read()), withoutEpoch(c.t, c.read())
	if first == push {
		first, second = second, first
	}
	if first != answer || second != push {
		c.t.Errorf("\n got %s\n and %s\nwant %s\n and %s", first, second, answer, push)
	}
}

// ask sends a message and expects an answer.
func (c *client) ask(text, answer string) {
	c.t.Helper()
	c.send(text)
	c.want(answer)
}

// wantClose reads until the connection ends, and fails unless it has that close code.
func (c *client) wantClose(code websocket.StatusCode) {
	c.t.Helper()
	for {
		_, _, err := c.conn.Read(context.Background())
		if err == nil {
			continue
		}
		if got := websocket.CloseStatus(err); got != code {
			c.t.Errorf("closed with %d (%v), want %d", got, err, code)
		}
		return
	}
}

// withoutEpoch replaces the epoch, which is random, with "…".
func withoutEpoch(t testing.TB, text string) string {
	t.Helper()
	var m struct{ Epoch string }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.Replace(text, `"epoch":"`+m.Epoch+`"`, `"epoch":"…"`, 1)
}

// token is a token of a customer.
func token(t testing.TB, h *house.House, user string) string {
	t.Helper()
	token, _, err := h.Token(user, hub.RoleCustomer, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// authorizationHeader returns the headers of a request with an Authorization header or,
// with "", without one.
func authorizationHeader(authorization string) http.Header {
	header := http.Header{}
	if authorization != "" {
		header.Set("Authorization", authorization)
	}
	return header
}

// callAdmin calls the admin API as a program on this machine does, with an
// Authorization header or, with "", without one. The path is neither unescaped nor
// cleaned.
func callAdmin(
	t testing.TB, h *house.House, method, path, authorization, body string,
) *httptest.ResponseRecorder {
	t.Helper()
	return callAdminWith(t, h, method, path, authorizationHeader(authorization), body)
}

// callAdminWith is callAdmin with any headers.
func callAdminWith(
	t testing.TB, h *house.House, method, path string, header http.Header, body string,
) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, "http://127.0.0.1:8788/", strings.NewReader(body))
	req.URL.Path, req.Header = path, header
	req.RemoteAddr = "127.0.0.1:50000"
	rec := httptest.NewRecorder()
	h.Admin().ServeHTTP(rec, req)
	return rec
}

// callAdminQuery calls GET with a query.
func callAdminQuery(t testing.TB, h *house.House, path, query string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8788"+path+"?"+query, nil)
	req.RemoteAddr = "127.0.0.1:50000"
	rec := httptest.NewRecorder()
	h.Admin().ServeHTTP(rec, req)
	return rec
}

// callREST calls the REST API, with an Authorization header or, with "", without one. The
// path is neither unescaped nor cleaned.
func callREST(
	t testing.TB, h *house.House, method, path, authorization, body string,
) *httptest.ResponseRecorder {
	t.Helper()
	return callRESTWith(t, h, method, path, authorizationHeader(authorization), body)
}

// callRESTWith is callREST with any headers.
func callRESTWith(
	t testing.TB, h *house.House, method, path string, header http.Header, body string,
) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8787/", strings.NewReader(body))
	req.URL.Path, req.URL.RawQuery, _ = strings.Cut(path, "?")
	req.Method, req.Header = method, header
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

// admin calls the admin API without an Authorization header. The path is unescaped.
func admin(t testing.TB, h *house.House, method, path, body string) (status int, answer string) {
	t.Helper()
	req := httptest.NewRequest(method, "http://127.0.0.1:8788"+path, strings.NewReader(body))
	req.RemoteAddr = "127.0.0.1:50000"
	rec := httptest.NewRecorder()
	h.Admin().ServeHTTP(rec, req)
	return rec.Code, strings.TrimSpace(rec.Body.String())
}

func setStock(t testing.TB, h *house.House, sku, available string) {
	t.Helper()
	body := `{"available":` + available + `}`
	if status, answer := admin(t, h, http.MethodPut, "/admin/stock/"+sku, body); status != http.StatusOK {
		t.Fatalf("set the stock of %s: %d %s", sku, status, answer)
	}
}

func settle(t testing.TB, h *house.House) {
	t.Helper()
	if err := h.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// field is a string or number field of a message, "" if there is none.
func field(t testing.TB, text, name string) string {
	t.Helper()
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	switch v := m[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
