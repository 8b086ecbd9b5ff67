package house_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if setting := os.Getenv(subscribersVariable); setting != "" {
		if err := runSubscribers(setting); err != nil {
			fmt.Fprintln(os.Stderr, "subscribers:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
