package host

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/admin"
	"github.com/securecart/hub/internal/local/events"
)

// maxWarp is the most that the clock moves at once. Our own choice: connections end after
// two hours, and nothing else here has a time.
const maxWarp = 24 * time.Hour

// Admin is the admin API, for a listener of its own.
func (h *Host) Admin() http.Handler {
	return admin.NewTemplate(admin.Base{
		Gateway: h.gateway, Clock: &h.clock, Events: h.events, People: h.observer, Tap: h.tap, Cost: h.cost,
		Log: h.opts.Log,
		About: admin.About{
			Version: h.opts.Version, Socket: "ws://" + h.opts.Addr + "/" + h.api.API.Stage,
			Idle: h.opts.IdleTimeout, MaxAge: h.opts.MaxAge,
		},
		Token: h.opts.AdminToken, ShowPrivate: h.opts.ShowPrivate,
	})
}

// named is the handler of a function, with its logical id.
type named struct {
	lambda.Handler
	id string
}

// functionOf returns the logical id of the function behind a route, "" if there is none;
// route "" is the authorizer.
func (h *Host) functionOf(route string) string {
	handler := h.api.API.Routes[route].Integration
	if route == "" {
		handler = h.api.API.Authorizer.Handler // only an authorizer is observed without a route
	}
	f, _ := handler.(named)
	return f.id
}

// memory returns the memory of a function in MB, 0 if nobody knows.
func (h *Host) memory(id string) int {
	for _, f := range h.api.Functions {
		if f.ID == id {
			return f.Memory
		}
	}
	return 0
}

// newObserver adds to the log what the gateway does.
func (h *Host) newObserver() *events.Gateway {
	return &events.Gateway{Log: h.events, In: events.OpenFrame, Out: events.OpenFrame, Function: h.functionOf}
}

// clock is the clock of the gateway.
type clock struct{ gateway *gatewaytest.Gateway }

// Now implements [admin.Clock].
func (c *clock) Now() time.Time {
	if c.gateway == nil {
		return time.Now() // the gateway opens next
	}
	return c.gateway.Now()
}

// Ahead implements [admin.Clock].
func (c *clock) Ahead() time.Duration { return c.gateway.Ahead() }

// Warp implements [admin.Clock].
func (c *clock) Warp(by time.Duration) error {
	if by <= 0 || by > maxWarp {
		return fmt.Errorf("%s: the clock moves forward, by at most %s at once", by, maxWarp)
	}
	c.gateway.Warp(by)
	return nil
}
