package boot

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/hub"
)

// environment returns a getenv for every setting that a function needs, changed by
// overrides; "" removes one.
func environment(overrides map[string]string) func(string) string {
	env := map[string]string{
		"HUB_TABLE": "hub", "INVENTORY_TABLE": "inventory", "CART_TABLE": "carts", "SWEEP_TABLE": "sweeps",
		"CALLBACK_URL": "https://api.example/v1", "TOKEN_ISSUER": "https://issuer.example",
		"TOKEN_JWKS_URL": "https://issuer.example/jwks", "TOKEN_CLIENTS": "web",
		"GUEST_KEYS":  base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"ADDRESS_KEY": base64.StdEncoding.EncodeToString(make([]byte, 32)),
	}
	for name, value := range overrides {
		env[name] = value
	}
	return func(name string) string { return env[name] }
}

func TestStart(t *testing.T) {
	for _, f := range config.Functions {
		var out bytes.Buffer
		getenv := environment(map[string]string{"LIMITS": "user=5", "COMMIT": "8c2f"})
		handler, err := start(f, getenv, logs.New(&out, slog.LevelInfo), func(e Env) (any, error) {
			if e.HubTable != "hub" || e.Log == nil || e.Metrics == nil || e.Hub(nil) == nil {
				t.Errorf("%s: got an incomplete environment %+v", f, e.Settings)
			}
			wantLimit := f == config.Connect || f == config.Message || f == config.Rest
			if got := e.limits.ConnectionsPerUser == 5; got != wantLimit {
				t.Errorf("%s: got the limits of LIMITS %t, want %t", f, got, wantLimit)
			}
			return "the handler", nil
		})
		var line map[string]string
		if json.Unmarshal(out.Bytes(), &line) != nil || line["msg"] != "started" || line["commit"] != "8c2f" {
			t.Errorf("%s: got the log %s, want one line with the commit", f, &out)
		}
		if handler != "the handler" || err != nil {
			t.Errorf("%s: got %v, %v, want the handler", f, handler, err)
		}
	}
}

// TestCustomerCartLife checks that carts of customers live as long as the setting says,
// and without one as long as those of any hub.
func TestCustomerCartLife(t *testing.T) {
	for days, want := range map[string]time.Duration{"": hub.CustomerCartLife, "0": 0, "7": 7 * 24 * time.Hour} {
		getenv := environment(map[string]string{"CUSTOMER_CART_DAYS": days})
		_, err := start(config.Message, getenv, logs.New(io.Discard, slog.LevelInfo), func(e Env) (any, error) {
			if got := e.customerCartLife(); got != want {
				t.Errorf("CUSTOMER_CART_DAYS=%s: got %s, want %s", days, got, want)
			}
			return nil, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestStoreCountsUnreadableRows checks that rows that the store cannot read become a
// metric.
func TestStoreCountsUnreadableRows(t *testing.T) {
	var out bytes.Buffer
	_, err := start(config.Message, environment(nil), logs.New(&out, slog.LevelInfo), func(e Env) (any, error) {
		o := e.storeOptions()
		if o.OnUnreadable == nil || o.Log != e.Log {
			t.Fatal("the store does not report unreadable rows")
		}
		o.OnUnreadable(t.Context())
		return nil, nil
	})
	if err != nil || !strings.Contains(out.String(), `"UnreadableRows":1`) {
		t.Errorf("got log %s, %v, want the metric UnreadableRows", &out, err)
	}
}

// TestRunReportsEveryError checks that a start that fails writes one JSON line with
// all errors and returns the exit status 1.
func TestRunReportsEveryError(t *testing.T) {
	for _, tt := range []struct {
		name      string
		overrides map[string]string
		handler   error    // of the function's own part
		discovery string   // AWS_ENABLE_ENDPOINT_DISCOVERY, which the SDK reads; "": valid
		want      []string // in the text of the line
	}{
		{"settings", map[string]string{"HUB_TABLE": "", "SHORTHAND": "perhaps"}, nil, "",
			[]string{"HUB_TABLE", "SHORTHAND"}},
		{"a version that ends too soon", map[string]string{"DEPRECATIONS": "v1: deprecated 2027-01-01, " +
			"sunset 2027-07-02, successor v2, link https://shop.example/v2"}, nil, "", []string{"DEPRECATIONS", "183"}},
		{"limits and the handler", map[string]string{"LIMITS": "user=x"}, errors.New("no verifier"), "",
			[]string{`limit "user"`, "no verifier"}},
		{"settings and the SDK", map[string]string{"CART_TABLE": ""}, nil, "perhaps",
			[]string{"CART_TABLE", "AWS_ENABLE_ENDPOINT_DISCOVERY"}},
		{"limits, the handler and the SDK", map[string]string{"LIMITS": "user=x"}, errors.New("no verifier"), "perhaps",
			[]string{`limit "user"`, "no verifier", "AWS_ENABLE_ENDPOINT_DISCOVERY"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("AWS_ENABLE_ENDPOINT_DISCOVERY", tt.discovery)
			var out bytes.Buffer
			status := Run(config.Message, environment(tt.overrides), &out, func(Env) (any, error) { return nil, tt.handler })
			if status != 1 {
				t.Errorf("got exit status %d, want 1", status)
			}
			var line map[string]string
			if err := json.Unmarshal(out.Bytes(), &line); err != nil || strings.Count(out.String(), "\n") != 1 {
				t.Fatalf("got %s, %v, want one JSON line", &out, err)
			}
			if line["level"] != "ERROR" || line["msg"] != "start failed" {
				t.Errorf("got %v, want the error \"start failed\"", line)
			}
			for _, text := range tt.want {
				if !strings.Contains(line["error"], text) {
					t.Errorf("got error %s, want %s in it", line["error"], text)
				}
			}
		})
	}
}
