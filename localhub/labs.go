package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/events"
)

// lab is one lab of docs/labs.md.
type lab struct {
	title string
	steps []labStep
}

// labStep is a step of a lab, with what the log of events has when it was done.
type labStep struct {
	do   string // as a title on the page
	want string // what the log has, in words
	hint string // what to do if it has not
	done func(e *events.Event, before []events.Event) bool
	near func(*events.Event) string // says what an event is that is nearly it; may be nil
}

// labTypes are the events that steps look at.
var labTypes = []events.Type{events.Open, events.Answer, events.Record, events.Post, events.Admin}

// labItem is the topic that the labs follow.
const labItem = "sku:TEE-RED-M"

const sendTheKey = "send the key with which the page starts localhub"

var labs = []lab{
	{"snapshots and stock over HTTP", []labStep{
		answered("Read a badge", "GET /v1/stock/TEE-RED-M", 200, "ask for TEE-RED-M, with curl"),
		follow,
		answered("Write the stock", "PUT /v1/inventory/TEE-RED-M", 200, sendTheKey),
		{"Watch the badge move", "post of " + labItem + " that a client took",
			"first follow it, then write another quantity than it has", posted, nil},
		answered("Ask whether it changed", "GET /v1/stock/TEE-RED-M", 304, "send the ETag of the answer before"),
		answered("Fill a cart", "POST /v1/cart/lines", 200, "send the token of a guest, and a SKU that is in stock"),
	}},
	{"Lambda and DynamoDB", []labStep{
		follow,
		{"Change the row", "record of version 2 of " + labItem + " that another program than localhub wrote",
			"write with the AWS CLI; localhub needs -dynamodb", fromTable(labItem), nil},
		{"Watch the badge move", "post of " + labItem + " by a function in another process",
			"first follow it, then write another quantity than it has; localhub needs -lambda",
			func(e *events.Event, before []events.Event) bool { return posted(e, before) && len(e.Cause) == 0 }, nil},
		{"Add a row", "answer with sku:LAB-MUG, and record of it that another program than localhub wrote",
			"put the row with the AWS CLI, with another quantity if it was there already, then ask for it", addedRow,
			otherAnswer("GET /v1/stock/LAB-MUG", 200)},
		{"Find a cart in its table", "record of the cart of alice in a table",
			"add with a token of alice; localhub needs -dynamodb", fromTable("cart:u~alice"), nil},
	}},
	{"authentication and throttling", []labStep{
		answered("Ask without a token", "GET /v1/cart", 401, "send no Authorization"),
		answered("Ask with a token", "GET /v1/cart", 200, "send a token as Authorization: Bearer"),
		answered("Get a ticket", "POST /v1/tickets", 201, "send a token as Authorization: Bearer"),
		{"Open a socket with it", "connection of alice with a ticket",
			"a ticket is for 30 seconds: get another one, and use it at once", openedByTicket, nil},
		{"Use it again", "handshake with a ticket that was refused with 403 after one that was not",
			"open a second socket with the same ticket", usedTicket, nil},
		answered("Ask without a key", "GET /v1/inventory", 403, "send no X-API-Key"),
		answered("Ask with the key", "GET /v1/inventory", 200, sendTheKey),
		answered("Ask too often with the key", "GET /v1/inventory", 429, "send the hundred requests with one curl -Z"),
		{"Ask too often on a socket", "answer slow_down to a message",
			"send 40 messages on one socket; localhub needs -limits customer=10",
			func(e *events.Event, _ []events.Event) bool {
				return e.Type == events.Answer && e.Conn != "" && e.Code == "slow_down"
			}, nil},
	}},
}

var follow = labStep{"Follow it", "subscription to " + labItem + " alone", "it waits in a terminal of its own",
	func(e *events.Event, _ []events.Event) bool {
		return e.Type == events.Answer && e.Route == "subscribe" && e.Topic == labItem && e.Version > 0
	}, nil}

// answered is a step in which the REST API answers a request.
func answered(do, route string, status int, hint string) labStep {
	return labStep{do, fmt.Sprintf("status %d for %s", status, route), hint,
		func(e *events.Event, _ []events.Event) bool {
			return e.Type == events.Answer && e.Route == route && e.Status == status
		}, otherAnswer(route, status)}
}

// otherAnswer finds answers with another status, or to a request for another item.
func otherAnswer(route string, status int) func(*events.Event) string {
	item := strings.LastIndex(route, "/") + 1
	return func(e *events.Event) string {
		switch {
		case e.Type != events.Answer || !strings.HasPrefix(e.Route, route[:item]):
			return ""
		case e.Route == route && e.Status != status:
			return fmt.Sprintf("status %d", e.Status)
		case e.Route != route && e.Status == status:
			return e.Route
		}
		return ""
	}
}

// posted finds a post of labItem that a connection took.
func posted(e *events.Event, _ []events.Event) bool {
	return e.Type == events.Post && e.Topic == labItem && e.Status == 200
}

// fromTable finds a record of a topic that came from a table, and not from localhub's own seed
// or from a change of stock that localhub was asked for.
func fromTable(topic string) func(*events.Event, []events.Event) bool {
	return func(e *events.Event, before []events.Event) bool {
		if e.Type != events.Record || e.Topic != topic || e.Version == 0 || len(e.Cause) > 0 {
			return false
		}
		for _, b := range slices.Backward(before) {
			switch {
			case b.Type == events.Record && b.Topic == topic:
				return true
			case b.Type == events.Admin && (b.Topic == topic || b.Note == "POST /admin/stock"):
				return false
			}
		}
		return e.Version > 1 || topic != labItem // version 1 is the seed's
	}
}

// addedRow finds an answer with a row that another program has added. The stream may bring the
// row's record after the answer, which is read from the table.
func addedRow(e *events.Event, before []events.Event) bool {
	isAdded := fromTable("sku:LAB-MUG")
	if isAdded(e, before) {
		return slices.ContainsFunc(before, answeredMug)
	}
	if !answeredMug(*e) {
		return false
	}
	for i := range before {
		if isAdded(&before[i], before[:i]) {
			return true
		}
	}
	return false
}

func answeredMug(e events.Event) bool {
	return e.Type == events.Answer && e.Route == "GET /v1/stock/LAB-MUG" && e.Status == 200
}

func openedByTicket(e *events.Event, _ []events.Event) bool {
	return e.Type == events.Open && e.Note == events.WithTicket && e.Status == 101 && e.User == "alice"
}

func usedTicket(e *events.Event, before []events.Event) bool {
	return e.Type == events.Open && e.Note == events.WithTicket && e.Status == 403 &&
		slices.ContainsFunc(before, func(b events.Event) bool { return openedByTicket(&b, nil) })
}

// list returns the titles of a lab's steps as lines.
func (l *lab) list() string {
	var b strings.Builder
	for i, s := range l.steps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, s.do)
	}
	return b.String()
}

// judge returns the steps as lines, with what to do below those that are not done, and how many
// these are.
func (l *lab) judge(log []events.Event) (lines string, missing int) {
	var b strings.Builder
	for i, s := range l.steps {
		if s.isDone(log) {
			fmt.Fprintf(&b, "ok  %d. %s\n", i+1, s.do)
			continue
		}
		missing++
		fmt.Fprintf(&b, "NO  %d. %s: the log of events has no %s%s\n       %s\n", i+1, s.do, s.want, s.instead(log), s.hint)
	}
	return b.String(), missing
}

func (s *labStep) isDone(log []events.Event) bool {
	for i := range log {
		if s.done(&log[i], log[:i]) {
			return true
		}
	}
	return false
}

// instead says what the log has that is nearly what a step leaves there: the last of it.
func (s *labStep) instead(log []events.Event) string {
	for _, e := range slices.Backward(log) {
		if s.near == nil {
			return ""
		}
		if text := s.near(&e); text != "" {
			return ", but " + text
		}
	}
	return ""
}
