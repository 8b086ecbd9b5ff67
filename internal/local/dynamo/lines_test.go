package dynamo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/cloud/logs"
)

// output is what all functions write.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// judge: each line has the ids of its invocation, and the metrics tell what has
// happened in the house.
func (o *output) judge(t testing.TB) {
	values := map[string][]float64{}
	traces := map[any]any{} // by request
	for line := range bytes.Lines(o.text.Bytes()) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		request, trace := fields["requestId"], fields["traceId"]
		if before, seen := traces[request]; request == nil || trace == nil || seen && trace != before {
			t.Errorf("a line without the ids of its invocation, whose trace is %v: %s", before, line)
		}
		traces[request] = trace
		for _, s := range logs.Series {
			if fields["_aws"] == nil {
				continue
			}
			name := fmt.Sprint(fields["Function"], " ", s.Name)
			switch v := fields[s.Name].(type) {
			case float64:
				values[name] = append(values[name], v)
			case []any:
				for _, each := range v {
					values[name] = append(values[name], each.(float64))
				}
			}
		}
	}
	sum := func(name string) int {
		total := 0.0
		for _, v := range values[name] {
			total += v
		}
		return int(total)
	}
	if got := sum("connect Connects"); got != houseClients {
		t.Errorf("got %d connects, want %d", got, houseClients)
	}
	if got := sum("disconnect DisconnectsByClient"); got != houseClients {
		t.Errorf("got %d disconnects by clients, want %d", got, houseClients)
	}
	// The stream may bring a record twice, and not every cart write changes something.
	if got := sum("broadcast Changes"); got < houseStock {
		t.Errorf("got %d changes, want %d of stock and some of carts", got, houseStock)
	}
	if got := sum("broadcast Posts"); got < houseClients {
		t.Errorf("got %d posts, want at least one to each of %d clients", got, houseClients)
	}
	if got := sum("broadcast Failed"); got != 0 {
		t.Errorf("got %d failed changes, want none", got)
	}
	latency := values["broadcast Latency"]
	if len(latency) == 0 {
		t.Fatal("got no latency")
	}
	t.Logf("%d changes, %d coalesced, %d posts; from commit to post p50 %v ms, p99 %v ms",
		sum("broadcast Changes"), sum("broadcast Coalesced"), sum("broadcast Posts"), percentile(latency, 50), percentile(latency, 99))
}

// percentile is the smallest value that p percent do not exceed.
func percentile(values []float64, p float64) float64 {
	slices.Sort(values)
	return values[max(0, int(math.Ceil(p/100*float64(len(values))))-1)]
}
