package admin

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/wire"
)

// faultRequest is the body of POST /admin/faults: rates for all connections, or one
// fault for one of them.
type faultRequest struct {
	Every      map[string]int `json:"every"`  // replaces the rates that are set; none: no faults
	SlowBy     string         `json:"slowBy"` // as time.ParseDuration reads it
	Connection string         `json:"connection"`
	Fault      string         `json:"fault"`
}

func (a core) postFaults(w http.ResponseWriter, r *http.Request) {
	var request faultRequest
	if !decodeBody(w, r, &request) {
		return
	}
	apply := a.setRates
	if request.Connection != "" || request.Fault != "" {
		apply = a.failConnection
	}
	err := apply(request)
	switch {
	case errors.Is(err, gatewaytest.ErrGone):
		refuse(w, hub.CodeNotFound, noSuchConnection)
	case err != nil:
		refuse(w, wire.CodeBadField, err.Error())
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// fault is a fault that is set.
type fault struct {
	Every int `json:"every"` // it happens once in so many times
	Hits  int `json:"hits"`  // since it was set
}

func (a core) getFaults(w http.ResponseWriter, _ *http.Request) {
	set, hits := a.Gateway.Faults()
	happened := faults.Rates(hits)
	all := map[string]fault{}
	for name, every := range faults.Rates(set) {
		all[name] = fault{every, happened[name]}
	}
	answer := map[string]any{"faults": all}
	if set.SlowEvery > 0 {
		answer["slowBy"] = set.SlowBy.String()
	}
	reply(w, http.StatusOK, answer)
}

func (a core) setRates(r faultRequest) error {
	f, err := faults.FromRates(r.Every)
	if err != nil {
		return fmt.Errorf(`"every": %w`, err)
	}
	f.SlowBy, err = time.ParseDuration(cmp.Or(r.SlowBy, f.SlowBy.String()))
	if err != nil || f.SlowBy < 0 || f.SlowBy > faults.MaxSlowBy {
		return fmt.Errorf(`"slowBy" must be a duration such as "200ms", at most %v`, faults.MaxSlowBy)
	}
	a.Gateway.SetFaults(f)
	return nil
}

// postErrors are the errors that the next post to a connection can get, by fault.
var postErrors = map[string]*gatewaytest.Error{
	"gone":      gatewaytest.ErrGone,
	"throttle":  gatewaytest.ErrLimitExceeded,
	"too-large": gatewaytest.ErrPayloadTooLarge,
	"error":     gatewaytest.ErrInternal,
}

// failConnection cuts or stalls one connection now, or makes the next post to it
// fail.
func (a core) failConnection(r faultRequest) error {
	id := r.Connection
	switch {
	case r.Every != nil || r.SlowBy != "":
		return errors.New(`"connection" and "fault" cannot be combined with "every" and "slowBy"`)
	case r.Fault == "drop":
		return a.Gateway.Cut(id)
	case r.Fault == "stall":
		return a.Gateway.Stall(id)
	case postErrors[r.Fault] == nil:
		names := strings.Join(slices.Sorted(maps.Keys(postErrors)), ", ")
		return fmt.Errorf(`"fault" must be one of drop, stall, %s`, names)
	case !a.isOpen(id):
		return gatewaytest.ErrGone
	}
	a.Gateway.FailNext(id, postErrors[r.Fault])
	return nil
}

func (a core) isOpen(id string) bool {
	return slices.ContainsFunc(a.Gateway.Connections(), func(c gatewaytest.ConnectionInfo) bool {
		return c.ConnectionID == id
	})
}
