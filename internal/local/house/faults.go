package house

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/wire"
)

// defaultSlowBy is how long a slow post waits.
const defaultSlowBy = 200 * time.Millisecond

// MixedFaults is a little of everything that a hub has to live with.
const MixedFaults = "throttle=20,slow=50,lose-disconnect=5,drop=500"

// rates are the faults that happen once in so many times, by name.
func rates(f *gatewaytest.Faults) map[string]*int {
	return map[string]*int{
		"gone": &f.GoneEvery, "throttle": &f.ThrottleEvery, "too-large": &f.TooLargeEvery, "error": &f.ErrorEvery, "slow": &f.SlowEvery,
		"lose-disconnect": &f.LoseDisconnectEvery, "drop": &f.DropEvery, "stall": &f.StallEvery, "late": &f.LateEvery,
	}
}

// FaultNames are the names that ParseFaults knows.
func FaultNames() []string { return slices.Sorted(maps.Keys(rates(new(gatewaytest.Faults)))) }

// ParseFaults reads "NAME=N,NAME=N": each fault happens once in N times.
func ParseFaults(text string) (*gatewaytest.Faults, error) {
	every := map[string]int{}
	for part := range strings.SplitSeq(text, ",") {
		name, n, _ := strings.Cut(part, "=")
		count, err := strconv.Atoi(n)
		if _, known := rates(new(gatewaytest.Faults))[name]; known && err != nil {
			return nil, fmt.Errorf("%s=N wants a number above zero", name)
		}
		every[name] = count
	}
	return faultsOf(every)
}

func faultsOf(every map[string]int) (*gatewaytest.Faults, error) {
	f := &gatewaytest.Faults{SlowBy: defaultSlowBy}
	known := rates(f)
	for _, name := range slices.Sorted(maps.Keys(every)) {
		rate, ok := known[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("there is no fault %q", name)
		case every[name] < 1:
			return nil, fmt.Errorf("%s=N wants a number above zero", name)
		}
		*rate = every[name]
	}
	return f, nil
}

// faultsAsked is the body of POST /admin/faults: rates for all connections, or
// one fault for one of them.
type faultsAsked struct {
	Every      map[string]int `json:"every"`  // replaces what was set; none: calm
	SlowBy     string         `json:"slowBy"` // as time.ParseDuration reads it
	Connection string         `json:"connection"`
	Fault      string         `json:"fault"`
}

// faults serves POST /admin/faults.
func (h *House) faults(w http.ResponseWriter, r *http.Request) {
	var asked faultsAsked
	if !decodeBody(w, r, &asked) {
		return
	}
	err := asked.apply(h)
	switch {
	case errors.Is(err, gatewaytest.ErrGone):
		refuse(w, http.StatusNotFound, "not_found", "there is no such connection")
	case err != nil:
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), err.Error())
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (a faultsAsked) apply(h *House) error {
	if a.Connection != "" || a.Fault != "" {
		if a.Every != nil || a.SlowBy != "" {
			return errors.New(`"connection" and "fault" go together, and without "every"`)
		}
		return h.faultNow(a.Connection, a.Fault)
	}
	f, err := faultsOf(a.Every)
	if err != nil {
		return fmt.Errorf(`"every": %w`, err)
	}
	if f.SlowBy, err = time.ParseDuration(cmp.Or(a.SlowBy, f.SlowBy.String())); err != nil || f.SlowBy < 0 {
		return errors.New(`"slowBy" is a duration such as "200ms"`)
	}
	h.SetFaults(f)
	return nil
}

// faultNow makes one connection fail: cut or stalled at once, or by the answer to
// the next post.
func (h *House) faultNow(id, fault string) error {
	next := map[string]*gatewaytest.Error{
		"gone": gatewaytest.ErrGone, "throttle": gatewaytest.ErrLimitExceeded,
		"too-large": gatewaytest.ErrPayloadTooLarge, "error": gatewaytest.ErrInternal,
	}
	switch {
	case fault == "drop":
		return h.gateway.Cut(id)
	case fault == "stall":
		return h.gateway.Stall(id)
	case next[fault] == nil:
		return fmt.Errorf(`"fault" is one of drop, stall, %s`, strings.Join(slices.Sorted(maps.Keys(next)), ", "))
	case !slices.ContainsFunc(h.gateway.Connections(), func(c gatewaytest.ConnectionInfo) bool { return c.ConnectionID == id }):
		return gatewaytest.ErrGone
	}
	h.gateway.FailNext(id, next[fault])
	return nil
}
