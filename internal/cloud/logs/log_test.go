package logs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/securecart/hub/internal/cloud/logs"
)

// invocation returns the context of an invocation with that tracing header.
func invocation(t testing.TB, header string) context.Context {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	//lint:ignore SA1029 the runtime client uses a plain string
	return context.WithValue(ctx, "x-amzn-trace-id", header)
}

// lines decodes the lines of a log.
func lines(t testing.TB, out *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range bytes.Lines(out.Bytes()) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, fields)
	}
	return all
}

func TestIDs(t *testing.T) {
	const trace = "1-5759e988-bd862e3fe1be46a994272793"
	for _, tt := range []struct {
		name    string
		ctx     context.Context
		request any
		trace   any
	}{
		{"sampled", invocation(t, "Root="+trace+";Parent=53995c3f42cd8ad8;Sampled=1"), "r-1", trace},
		{"another order", invocation(t, "Sampled=0; Root="+trace), "r-1", trace},
		{"no trace", invocation(t, ""), "r-1", nil},
		{"not an invocation", t.Context(), nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			log := logs.New(&out, slog.LevelInfo)
			log.InfoContext(tt.ctx, "one")
			log.With("connection", "c").ErrorContext(tt.ctx, "two")
			log.DebugContext(tt.ctx, "below the level")
			got := lines(t, &out)
			if len(got) != 2 {
				t.Fatalf("got %d lines, want 2: %s", len(got), &out)
			}
			for _, line := range got {
				if line["requestId"] != tt.request || line["traceId"] != tt.trace {
					t.Errorf("got request %v and trace %v, want %v and %v", line["requestId"], line["traceId"], tt.request, tt.trace)
				}
				for _, key := range slices.Sorted(maps.Keys(line)) {
					if logs.Keys[key] == "" {
						t.Errorf("unknown key %q", key)
					}
				}
			}
		})
	}
}
