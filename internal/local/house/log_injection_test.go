package house_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// forgedLines look like records of the log, in both formats, and clear a terminal.
const forgedLines = "x\"\r\n{\"level\":\"ERROR\",\"msg\":\"FORGED\"}\r\n" +
	"time=1999 level=ERROR msg=FORGED\x1b[2J"

// TestLogInjection sends forged log lines wherever a client can send text, and reads
// the log line by line, as programs do.
func TestLogInjection(t *testing.T) {
	log, asText, asJSON := newRecordedLog()
	h := newHouse(t, house.Options{Log: log})
	forgeInHandshakes(t, h)
	forgeInMessages(t, h)
	forgeInAdminRequests(t, h)
	closeHouse(t, h)

	jsonLines := 0
	for line := range strings.Lines(asJSON.String()) {
		var record struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time == "" || record.Msg == "FORGED" {
			t.Errorf("forged line: %q, %v", line, err)
		}
		jsonLines++
	}
	textLines := 0
	for line := range strings.Lines(asText.String()) {
		if !strings.HasPrefix(line, "time=20") || strings.Contains(line, " msg=FORGED") ||
			strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\r\n\x1b") {
			t.Errorf("forged line: %q", line)
		}
		textLines++
	}
	if jsonLines != textLines || jsonLines < 50 {
		t.Errorf("got %d lines of JSON and %d of text, want the same number, at least 50", jsonLines, textLines)
	}
}

func forgeInHandshakes(t *testing.T, h *house.House) {
	t.Helper()
	inURL := url.QueryEscape(forgedLines)
	inHeader := strings.NewReplacer("\r\n", " ", "\x1b", " ").Replace(forgedLines) // a header has no control characters
	for _, query := range []string{
		"?ticket=" + inURL, "?token=" + inURL, "?auth=required&ticket=" + inURL, "?" + inURL + "=" + inURL,
		"?x=eyJ" + inURL + "..",
	} {
		for _, header := range []http.Header{
			nil, {"Origin": {inHeader}}, {"Authorization": {"Bearer " + inHeader}}, {"User-Agent": {inHeader}},
			{"X-Amzn-Trace-Id": {"Root=" + inHeader}},
		} {
			if c := dialRecorded(t, h, query, header, "securecart.v1"); c.conn != nil {
				_ = c.conn.Close(3000, forgedLines)
				<-c.done
			}
		}
	}
}

func forgeInMessages(t *testing.T, h *house.House) {
	t.Helper()
	quoted, err := json.Marshal(forgedLines)
	if err != nil {
		t.Fatal(err)
	}
	c := dialRecorded(t, h, "", nil, "securecart.v1")
	for _, message := range []string{
		`{"action":TEXT}`, `{"action":"hello","token":TEXT}`, `{"action":"hello","id":TEXT}`,
		`{"action":"subscribe","topics":[TEXT]}`, `{"action":"subscribe","epoch":TEXT,"topics":{TEXT:1}}`,
		`{"action":"add","sku":TEXT,"key":TEXT}`, `{"action":"set","lines":{TEXT:1}}`,
		`{"action":"merge","from":TEXT,"policy":TEXT}`, `{TEXT:TEXT}`, `TEXT`,
	} {
		c.send(strings.ReplaceAll(message, "TEXT", string(quoted)))
	}
	c.send(forgedLines, "add "+forgedLines, "sub sku:"+forgedLines)
	c.ask("ping")
}

func forgeInAdminRequests(t *testing.T, h *house.House) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"user": forgedLines})
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []struct{ method, path string }{
		{"PUT", "/admin/stock/" + forgedLines}, {"DELETE", "/admin/connections/" + forgedLines},
		{"GET", "/" + forgedLines}, {"POST", "/admin/token"},
	} {
		callAdmin(t, h, request.method, request.path, "Bearer "+forgedLines, string(body))
	}
	for _, request := range []struct{ method, path string }{
		{"POST", "/v1/tickets"}, {"GET", "/v1/stock/" + forgedLines}, {"GET", "/v1/stock?sku=" + forgedLines},
		{"POST", "/v1/cart/lines"}, {forgedLines, "/v1/cart"},
	} {
		callREST(t, h, request.method, request.path, "Bearer "+forgedLines, string(body))
	}
}
