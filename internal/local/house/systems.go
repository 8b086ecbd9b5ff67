package house

import (
	"net/http"
	"time"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/restapi"
	"github.com/securecart/hub/internal/rest"
)

// newSystems serves the paths of the private REST API of template.yaml: the inventory for
// machines with the API key, and users for operators.
func newSystems(o Options, f functions, log *events.Log, now func() time.Time) http.Handler {
	private := map[string]string{rest.DoorVariable: rest.PrivateDoor}
	plan := &restapi.Plan{Key: o.Admin.APIKey, Now: now}
	inventory := logRequests(log, restFunction,
		restapi.New(f.rest, restapi.Options{Variables: private, Plan: plan}, o.Log))
	mux := http.NewServeMux()
	mux.Handle("/v1/inventory", inventory)
	mux.Handle("/v1/inventory/", inventory)
	users := restapi.New(f.broadcast, restapi.Options{Variables: private}, o.Log)
	mux.Handle("/", logRequests(log, broadcastFunction, users))
	return mux
}
