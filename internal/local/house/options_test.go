package house_test

import (
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/house"
)

func TestOptionErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		options house.Options
		want    string // the beginning of the error
	}{
		"maximum age above API Gateway's": {
			house.Options{Gateway: house.Gateway{MaxAge: house.MaxAge + time.Second}},
			"a connection cannot live for 2h0m1s: API Gateway closes it after 2h0m0s",
		},
		"bootstraps without tables": {
			house.Options{Functions: house.Functions{BootstrapDir: "build"}},
			"bootstraps need tables that they can reach",
		},
		"invalid limits": {house.Options{Limits: "user=many"}, `the limit "user" needs a whole number`},
		"invalid limits beside an idle time-out": {
			house.Options{Limits: "user=many", Gateway: house.Gateway{IdleTimeout: time.Minute}},
			`the limit "user" needs a whole number`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := house.New(tt.options)
			if err == nil {
				closeHouse(t, h)
				t.Fatal("got no error")
			}
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s …", err, tt.want)
			}
		})
	}
}
