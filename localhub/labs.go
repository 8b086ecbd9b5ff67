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
	want string // in words
	done func(*events.Event) bool
}

// labTypes are the events that steps look at.
var labTypes = []string{string(events.Open), string(events.Answer), string(events.Record), string(events.Post)}

// labItem is the topic that the labs follow.
const labItem = "sku:TEE-RED-M"

var labs = []lab{
	{"snapshots and stock over HTTP", []labStep{
		answered("Read a badge", "GET /v1/stock/TEE-RED-M", 200),
		follow,
		answered("Write the stock", "PUT /v1/inventory/TEE-RED-M", 200),
		{"Watch the badge move", "post of " + labItem + " that a client took", posted},
		answered("Ask whether it changed", "GET /v1/stock/TEE-RED-M", 304),
		answered("Fill a cart", "POST /v1/cart/lines", 200),
	}},
	{"Lambda and DynamoDB", []labStep{
		follow,
		{"Change the row", "record of version 2 of " + labItem + " from a table", func(e *events.Event) bool {
			return e.Type == events.Record && e.Topic == labItem && e.Version > 1 && len(e.Cause) == 0
		}},
		{"Watch the badge move", "post of " + labItem + " by a function in another process (-lambda)",
			func(e *events.Event) bool { return posted(e) && len(e.Cause) == 0 }},
		answered("Add a row", "GET /v1/stock/LAB-MUG", 200),
		{"Find a cart in its table", "answer to an add of alice", func(e *events.Event) bool {
			return e.Type == events.Answer && e.Route == "add" && e.Topic == "cart:u~alice"
		}},
	}},
	{"authentication and throttling", []labStep{
		answered("Ask without a token", "GET /v1/cart", 401),
		answered("Ask with a token", "GET /v1/cart", 200),
		answered("Get a ticket", "POST /v1/tickets", 201),
		{"Open a socket with it", "connection of alice", func(e *events.Event) bool {
			return e.Type == events.Open && e.Status == 101 && e.User == "alice"
		}},
		{"Use it again", "handshake that was refused with 403", func(e *events.Event) bool {
			return e.Type == events.Open && e.Status == 403
		}},
		answered("Ask without a key", "GET /v1/inventory", 403),
		answered("Ask with the key", "GET /v1/inventory", 200),
		answered("Ask too often with the key", "GET /v1/inventory", 429),
		{"Ask too often on a socket", "answer slow_down to a message", func(e *events.Event) bool {
			return e.Type == events.Answer && e.Conn != "" && e.Code == "slow_down"
		}},
	}},
}

var follow = labStep{"Follow it", "subscription to " + labItem, func(e *events.Event) bool {
	return e.Type == events.Answer && e.Route == "subscribe" && e.Topic == labItem
}}

// answered is a step in which the REST API answers a request.
func answered(do, route string, status int) labStep {
	return labStep{do, fmt.Sprintf("status %d for %s", status, route), func(e *events.Event) bool {
		return e.Type == events.Answer && e.Route == route && e.Status == status
	}}
}

// posted finds a post of labItem that a connection took.
func posted(e *events.Event) bool {
	return e.Type == events.Post && e.Topic == labItem && e.Status == 200
}

// list returns the titles of a lab's steps as lines.
func (l *lab) list() string {
	var b strings.Builder
	for i, s := range l.steps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, s.do)
	}
	return b.String()
}

// judge returns a line for each step, and how many are not done.
func (l *lab) judge(log []events.Event) (lines string, missing int) {
	var b strings.Builder
	for i, s := range l.steps {
		if slices.ContainsFunc(log, func(e events.Event) bool { return s.done(&e) }) {
			fmt.Fprintf(&b, "ok  %d. %s\n", i+1, s.do)
			continue
		}
		missing++
		fmt.Fprintf(&b, "NO  %d. %s: the log of events has no %s\n", i+1, s.do, s.want)
	}
	return b.String(), missing
}
