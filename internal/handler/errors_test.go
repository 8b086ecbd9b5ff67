package handler_test

import (
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// TestEveryCodeHasAStatus reads the codes where they are declared, so that it finds
// new ones: only internal may have the status of an unknown code.
func TestEveryCodeHasAStatus(t *testing.T) {
	source, err := os.ReadFile("../wire/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := []wire.Code{hub.CodeNotFound}
	for _, m := range regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, wire.Code(m[1]))
	}
	if len(codes) < 17 {
		t.Fatalf("found the codes %q only", codes)
	}
	for _, code := range codes {
		if got := handler.Status(code); got < 400 || (got == http.StatusInternalServerError) != (code == wire.CodeInternal) {
			t.Errorf("%s has the status %d", code, got)
		}
	}
}
