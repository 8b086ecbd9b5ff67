//go:build !dynamodb

package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestWithoutSDK: given -dynamodb, a localhub without the AWS SDK prints the command
// that has it.
func TestWithoutSDK(t *testing.T) {
	args := []string{"-dynamodb", "http://127.0.0.1:8000", "-limits", "user=5", "-hub-table", "it's mine"}
	err := run(t.Context(), args, io.Discard, io.Discard)
	var usage usageError
	want := "run: go run -tags dynamodb ./localhub " +
		`-dynamodb http://127.0.0.1:8000 -limits user=5 -hub-table 'it'\''s mine'`
	if !errors.As(err, &usage) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want a usage error that ends with %s", err, want)
	}
}
