package host

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/local/events"
)

// withTexts adds to the log the event that a function gets, and what it returns.
func (h *Host) withTexts(id string, next lambda.Handler) lambda.Handler {
	return handlerFunc(func(ctx context.Context, event []byte) ([]byte, error) {
		about := h.about(event)
		add := func(e events.Event, text []byte) {
			e.Conn, e.User, e.Role, e.Route, e.Function = about.Conn, about.User, about.Role, about.Route, id
			e.Text, e.Bytes = events.FunctionText(text, h.opts.ShowPrivate), len(text)
			h.events.Add(ctx, e)
		}
		add(events.Event{Type: events.Input}, event)
		began := time.Now()
		response, err := next.Invoke(ctx, event)
		returned := events.Event{Type: events.Output, Took: time.Since(began).Microseconds()}
		if err != nil {
			returned.Code = "failed"
			add(returned, []byte(err.Error()))
			return response, err
		}
		add(returned, response)
		return response, nil
	})
}

// about says whose an event is. The event of an integration with a mapping may say nothing.
func (h *Host) about(event []byte) (e events.Event) {
	var proxy struct {
		RequestContext struct{ RouteKey, ConnectionID string }
	}
	_ = json.Unmarshal(event, &proxy)
	e.Conn, e.Route = proxy.RequestContext.ConnectionID, proxy.RequestContext.RouteKey
	e.User, e.Role = h.observer.Person(e.Conn)
	return e
}

// logLine returns what adds a line of a function to the log.
func (h *Host) logLine(id string) func(ctx context.Context, line string) {
	return func(ctx context.Context, line string) {
		if line != "" {
			h.events.Add(ctx, events.Event{Type: events.Line, Function: id, Bytes: len(line), Text: events.MaskSecrets(line)})
		}
	}
}
