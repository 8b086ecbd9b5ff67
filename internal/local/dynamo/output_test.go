package dynamo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/metrics"
)

// functionOutput keeps what all functions write.
type functionOutput struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *functionOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns what was written.
func (o *functionOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// check checks that each line of an invocation has its ids, and that the metrics count
// what the clients did.
func (o *functionOutput) check(t testing.TB, load load) {
	values := map[string][]float64{}
	traces := map[any]any{} // by request
	for line := range bytes.Lines(o.text.Bytes()) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if fields["msg"] == "started" { // before the first invocation
			continue
		}
		request, trace := fields["requestId"], fields["traceId"]
		if before, seen := traces[request]; request == nil || trace == nil || seen && trace != before {
			t.Errorf("a line has not the ids of its invocation (whose trace is %v): %s", before, line)
		}
		traces[request] = trace
		for _, s := range metrics.Series {
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
	if got := sum("connect Connects"); got != load.clients {
		t.Errorf("got %d connects, want %d", got, load.clients)
	}
	if got := sum("disconnect DisconnectsByClient"); got != load.clients {
		t.Errorf("got %d disconnects by clients, want %d", got, load.clients)
	}
	// The stream may deliver a record twice, and not every write of a cart changes it.
	if got := sum("broadcast Changes"); got < load.stock {
		t.Errorf("got %d changes, want %d of stock and some of carts", got, load.stock)
	}
	if got := sum("broadcast Posts"); got < load.clients {
		t.Errorf("got %d posts, want at least one to each of %d clients", got, load.clients)
	}
	if got := sum("broadcast Failed"); got != 0 {
		t.Errorf("got %d failed changes, want none", got)
	}
	latency := values["broadcast Latency"]
	if len(latency) == 0 {
		t.Fatal("got no latency")
	}
	t.Logf("%d changes, %d coalesced, %d posts; from commit to post p50 %v ms, p99 %v ms", sum("broadcast Changes"),
		sum("broadcast Coalesced"), sum("broadcast Posts"), percentile(latency, 50), percentile(latency, 99))
}

// percentile is the smallest value that at least p percent of values do not exceed.
func percentile(values []float64, p float64) float64 {
	slices.Sort(values)
	return values[max(0, int(math.Ceil(p/100*float64(len(values))))-1)]
}
