package redact_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/redact"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"nothing to hide":       "nothing to hide",
		"http://127.0.0.1:8000": "http://127.0.0.1:8000",
		"http://127.0.0.1:8787/v1/@connections/x": "http://127.0.0.1:8787/v1/@connections/x",
		"http://host?mail=ann@shop.example":       "http://host?mail=ann@shop.example",
		"mail ann@shop.example":                   "mail ann@shop.example",
		"http://ann:PASS@host/":                   "http://xxxxx@host/",
		"https://TOKEN@host":                      "https://xxxxx@host",
		"http://ann:P@SS@host":                    "http://xxxxx@host",
		`Post "http://ann:PA"SS@host/": refused`:  `Post "http://xxxxx@host/": refused`,
		"//ann:PASS@host and http://b:PASS@other": "//xxxxx@host and http://xxxxx@other",
		"-dynamodb=ftp://ann:PASS@host -addr :1":  "-dynamodb=ftp://xxxxx@host -addr :1",
	} {
		if got := redact.Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestURL(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "aws": "aws", "127.0.0.1:8000": "127.0.0.1:8000", "http://127.0.0.1:8000": "http://127.0.0.1:8000",
		"http://ann:PASS@host": "http://xxxxx@host", "http://ann:PA/SS@host": "http://xxxxx@host",
		"ann:PASS@host:1": "xxxxx@host:1", "ann:PA@SS@host": "xxxxx@host",
		"http://ann:PA SS@host": "http://xxxxx@host", "http://ann:PA#SS@host/x": "http://xxxxx@host/x",
	} {
		if got := redact.URL(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestAttr(t *testing.T) {
	const secret = "http://ann:PASS@host"
	var log bytes.Buffer
	u, err := url.Parse(secret)
	if err != nil {
		t.Fatal(err)
	}
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: redact.Attr})
	slog.New(handler).With("with", secret).Error("at "+secret,
		"text", secret, "error", errors.New(secret), "url", u, slog.Group("group", "text", secret), "n", 1)
	if got := log.String(); strings.Contains(got, "PASS") || strings.Count(got, "xxxxx@host") != 6 ||
		!strings.Contains(got, "n=1") {
		t.Errorf("got %s", got)
	}
}
