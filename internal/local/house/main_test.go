package house_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if setting := os.Getenv(readersVariable); setting != "" {
		if err := readers(setting); err != nil {
			fmt.Fprintln(os.Stderr, "readers:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
