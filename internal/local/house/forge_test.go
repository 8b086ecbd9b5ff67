package house_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// TestLogCannotBeForged puts what looks like lines of the log wherever a client may
// write something, and reads the log as its readers do: line by line.
func TestLogCannotBeForged(t *testing.T) {
	const forged = "x\"\r\n{\"level\":\"ERROR\",\"msg\":\"FORGED\"}\r\ntime=1999 level=ERROR msg=FORGED\x1b[2J"
	inURL := url.QueryEscape(forged)
	asJSON, err := json.Marshal(forged)
	if err != nil {
		t.Fatal(err)
	}
	var text, lines output
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	h := newHouse(t, house.Options{Log: slog.New(slog.NewMultiHandler(slog.NewTextHandler(&text, debug), slog.NewJSONHandler(&lines, debug)))})
	for _, query := range []string{
		"?ticket=" + inURL, "?token=" + inURL, "?auth=required&ticket=" + inURL, "?" + inURL + "=" + inURL, "?x=eyJ" + inURL + "..",
	} {
		for _, header := range []http.Header{
			nil, {"Origin": {forged}}, {"Authorization": {"Bearer " + forged}}, {"User-Agent": {forged}}, {"X-Amzn-Trace-Id": {"Root=" + forged}},
		} {
			for name, values := range header { // a header cannot carry a line break; the rest it can
				header[name] = []string{strings.NewReplacer("\r\n", " ", "\x1b", " ").Replace(values[0])}
			}
			if l := listen(t, h, query, header, "securecart.v1"); l.conn != nil {
				_ = l.conn.Close(3000, forged)
				<-l.done
			}
		}
	}
	l := listen(t, h, "", nil, "securecart.v1")
	for _, message := range []string{
		`{"action":TEXT}`, `{"action":"hello","token":TEXT}`, `{"action":"hello","id":TEXT}`, `{"action":"subscribe","topics":[TEXT]}`,
		`{"action":"subscribe","epoch":TEXT,"topics":{TEXT:1}}`, `{"action":"add","sku":TEXT,"key":TEXT}`, `{"action":"set","lines":{TEXT:1}}`,
		`{"action":"merge","from":TEXT,"policy":TEXT}`, `{TEXT:TEXT}`, `TEXT`,
	} {
		l.say(strings.ReplaceAll(message, "TEXT", string(asJSON)))
	}
	l.say(forged, "add "+forged, "sub sku:"+forged)
	l.ask("ping")
	for _, call := range [][2]string{
		{"PUT", "/admin/stock/" + forged}, {"DELETE", "/admin/connections/" + forged}, {"GET", "/" + forged}, {"POST", "/admin/token"}, {"POST", "/v1/tickets"},
	} {
		authorized(t, h, call[0], call[1], "Bearer "+forged, `{"user":`+string(asJSON)+`}`)
	}
	closeHouse(t, h)

	records := 0
	for line := range strings.Lines(lines.String()) {
		var record struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time == "" || record.Msg == "FORGED" {
			t.Errorf("a line that is no record of ours: %q, %v", line, err)
		}
		records++
	}
	plain := 0
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "time=20") || strings.Contains(line, " msg=FORGED") || strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\r\n\x1b") {
			t.Errorf("a line that is no record of ours: %q", line)
		}
		plain++
	}
	if records != plain || records < 50 {
		t.Errorf("%d lines of JSON and %d of text, want as many, and many", records, plain)
	}
}
