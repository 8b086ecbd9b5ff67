package handler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/versions"
	"github.com/securecart/hub/internal/wire"
)

// MessageOptions are the settings of [Message].
type MessageOptions struct {
	// Endpoint is recorded for posts, as "host/stage". "" means the domain and the
	// stage of the event.
	Endpoint string

	// Shorthand accepts typed lines beside JSON.
	Shorthand bool

	// MaxAge is the age at which the gateway closes a connection. 0 means 2 hours
	// (G-LIMIT-7).
	MaxAge time.Duration

	// PingEvery is how often clients may send a ping, in whole seconds. 0 tells them
	// nothing: where messages are billed, they should not.
	PingEvery time.Duration

	// Connections returns how many connections may be open at a time, so that hello tells
	// clients how to come back after a cut, see [ReconnectWithin]. nil means that nobody
	// knows.
	Connections func() int

	// Trace completes the answer to a why with what this process has seen. It must not tell
	// more than asked.Shape permits. nil: the rows are all that is known, as in AWS.
	Trace func(asked hub.Asked, w wire.Why) wire.Why

	Versions versions.Register // those that end
}

// reconnectAfter is the age at which a client should reconnect: a little before the
// gateway closes the connection.
func (o MessageOptions) reconnectAfter() time.Duration {
	const gatewayMaxAge = 2 * time.Hour
	age := cmp.Or(o.MaxAge, gatewayMaxAge)
	return age - min(age/4, 5*time.Minute)
}

// Message returns the handler of client messages, for every route. The answer is the
// body of the response, which a route response sends to the client (G-RESP-4).
func Message(h *hub.Hub, v Verifier, o MessageOptions, log *slog.Logger) ProxyFunc {
	m := messages{h, v, o}
	version, _ := o.Versions.Of(versions.V1)
	return func(ctx context.Context, e request) (response, error) {
		if version.EndedAt(h.Now()) {
			return response{StatusCode: http.StatusOK, Body: string(wire.Encode(goneVersion))}, nil
		}
		ctx = hub.WithCause(ctx, e.RequestContext.RequestID)
		caller, limitErr := h.Admit(ctx, connectionOf(e.RequestContext, o.Endpoint), len(e.Body))
		// Decode in any case: the answer to limitErr needs the id and the key.
		r, err := wire.Decode([]byte(e.Body), o.Shorthand)
		if limitErr != nil {
			err = limitErr
		}
		var answer wire.Answer
		if err == nil {
			answer, err = m.answer(ctx, caller, r)
		}
		if err != nil {
			failure, internal := ClientError(err)
			if internal {
				log := logConnection(log, caller).With("gatewayRequest", e.RequestContext.RequestID)
				log.ErrorContext(ctx, "message", "action", r.Action, "error", err)
			}
			var refused *hub.Error
			if errors.As(err, &refused) && refused.Ended {
				logConnection(log, caller).WarnContext(ctx, "connection ended: it floods")
			}
			if failure.ID == nil {
				failure.ID = r.ID
			}
			failure.Key = r.Key
			answer = &failure
		}
		body := string(wire.Encode(answer))
		if o.Shorthand && wire.IsTyped([]byte(e.Body)) && isPretty(caller, r, answer) {
			body = wire.Pretty(answer)
		}
		return response{StatusCode: http.StatusOK, Body: body}, nil
	}
}

// messages answers decoded messages.
type messages struct {
	h *hub.Hub
	v Verifier
	o MessageOptions
}

func (m messages) answer(ctx context.Context, caller hub.Connection, r wire.Request) (wire.Answer, error) {
	switch r.Action {
	case wire.ActionHello:
		return m.hello(ctx, caller, r)
	case wire.ActionSubscribe:
		return m.h.Subscribe(ctx, caller, r)
	case wire.ActionUnsubscribe:
		return m.h.Unsubscribe(ctx, caller, r)
	case wire.ActionGet:
		return m.h.Get(ctx, caller, r)
	case wire.ActionAdd:
		return m.h.Add(ctx, caller, r)
	case wire.ActionSet:
		return m.h.Set(ctx, caller, r)
	case wire.ActionMerge:
		guest, err := VerifyToken(ctx, m.v, r.From)
		if err != nil {
			return nil, err
		}
		return m.h.Merge(ctx, caller, guest, r)
	case wire.ActionCheckout:
		return m.h.Checkout(ctx, caller, r)
	case wire.ActionWhy:
		return m.why(ctx, caller, r)
	case wire.ActionPing:
		return wire.Pong{ID: r.ID}, nil
	case wire.ActionHelp:
		return wire.Help{ID: r.ID, Usage: wire.UsageOf(r.About)}, nil
	}
	return nil, fmt.Errorf("action %q has no handler", r.Action) // a test walks wire.Actions
}

// why answers from the rows, and from what this process has seen if it keeps that.
func (m messages) why(ctx context.Context, caller hub.Connection, r wire.Request) (wire.Answer, error) {
	w, asked, err := m.h.Why(ctx, caller, r)
	if err == nil && m.o.Trace != nil {
		w = m.o.Trace(asked, w)
	}
	return w, err
}

// isPretty reports whether the answer to a typed line is text: help always is. caller is as
// it was before the request.
func isPretty(caller hub.Connection, r wire.Request, answer wire.Answer) bool {
	_, help := answer.(wire.Help)
	_, failed := answer.(*wire.Error)
	if r.Pretty != nil && !failed {
		return *r.Pretty
	}
	return help || caller.Pretty
}

// hello answers with the principal and the limits of a connection. It renews the
// session first if the request has a token.
func (m messages) hello(ctx context.Context, caller hub.Connection, r wire.Request) (wire.Answer, error) {
	if r.Token != "" {
		p, err := VerifyToken(ctx, m.v, r.Token)
		if err != nil {
			return nil, err
		}
		if err := m.h.Renew(ctx, caller, p); err != nil {
			return nil, err
		}
		caller = caller.Changed()
	}
	if r.Pretty != nil && m.o.Shorthand {
		if err := m.h.SetPretty(ctx, caller, *r.Pretty); err != nil {
			return nil, err
		}
		caller = caller.Changed()
	}
	c, err := m.h.Current(ctx, caller)
	if err != nil {
		return nil, err
	}
	epoch, err := m.h.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	hello := wire.Hello{
		ID: r.ID, ConnectionID: c.ID, Epoch: epoch,
		User: c.Principal.User, Role: string(c.Principal.Role), Vendor: c.Principal.Vendor,
		Notice: wire.Code(c.Notice), Limits: m.h.LimitsOf(c.Principal),
		ReconnectAfter: int(m.o.reconnectAfter() / time.Second), PingEvery: int(m.o.PingEvery / time.Second),
		ReconnectWithin: m.o.reconnectWithin(), Deprecation: deprecationOf(m.o.Versions),
	}
	now := m.h.Now()
	expired := !c.Principal.Active(now)
	switch {
	case expired:
		hello.Notice = wire.CodeTokenExpired
	case !c.Principal.Expires.IsZero():
		left := int64(max(0, c.Principal.Expires.Sub(now)) / time.Second)
		hello.Expires, hello.ExpiresIn = c.Principal.Expires.UnixMilli(), &left
	}
	if c.Principal.Role == hub.RoleGuest && !expired {
		id := strings.TrimPrefix(c.Principal.User, hub.GuestUserPrefix)
		if hello.GuestToken, _, err = m.v.SignGuest(id); err != nil {
			return nil, fmt.Errorf("sign guest token: %w", err)
		}
	}
	return hello, nil
}

// VerifyToken returns the principal of a token in a message.
func VerifyToken(ctx context.Context, v Verifier, token string) (hub.Principal, error) {
	p, err := v.Verify(ctx, token)
	if err != nil {
		code := tokenCode(err)
		return hub.Principal{}, &hub.Error{Code: code, Message: "the token was refused", Retry: code == wire.CodeBusy}
	}
	return p, nil
}
