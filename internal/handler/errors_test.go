package handler_test

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
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

// TestUnreadableRowIsNotRetried checks the answer to a write to a cart whose row cannot
// be read: trying again changes nothing, and the store has logged it.
func TestUnreadableRowIsNotRetried(t *testing.T) {
	err := fmt.Errorf("read the cart: %w: cart: lines: wanted a map, got a list", hub.ErrUnreadable)
	got, internal := handler.ClientError(err)
	want := wire.Error{Code: wire.CodeInternal, Message: "the stored row cannot be read"}
	if !reflect.DeepEqual(got, want) || internal {
		t.Errorf("got %+v, %t, want %+v and no second log line", got, internal, want)
	}
}
