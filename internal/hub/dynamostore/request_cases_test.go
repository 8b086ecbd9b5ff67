package dynamostore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// requestCase is a call of a store, and the answers of DynamoDB to its requests.
type requestCase struct {
	answers []string
	run     func(ctx context.Context, s hub.Store) error
}

// Rows in the answers.
const (
	c1            = `{"pk":{"S":"C#d0f631ca1ddba8db3bcfcb9e057cdc98"},"sk":{"S":"!"}`
	connectionRow = c1 + `,"user":{"S":"ann"},"topics":{"SS":["sku:A"]}}`
	addressRow    = c1 + `,"user":{"S":"ann"},"address":{"S":"h"},"topics":{"SS":["sku:A"]}}`
	laterRow      = c1 + `,"user":{"S":"ann"},"address":{"S":"h"},` +
		`"topics":{"SS":["sku:A","sku:B"]}}`
	markRow = `{"pk":{"S":"S#1"},"sk":{"S":"m#c1"},"mark":{"N":"1853172529944854528"}}`
)

var (
	vendorConnection = hub.Connection{
		ID: "L0SM9cOFvHcCIhw=", Endpoint: "127.0.0.1/v1", ConnectedAt: now,
		Protocol: "securecart.v1", Notice: "token_expired",
		Principal: hub.Principal{User: "v", Role: hub.RoleVendor, Vendor: "acme"},
	}
	tee = hub.Item{SKU: "TEE", Version: 43, Available: 3, LowAt: 5, Vendor: "acme", UpdatedAt: now}
)

// requestCases are the cases of TestRequests, by the name of their golden file.
var requestCases = map[string]requestCase{
	// Connections
	"put-connection": {nil, func(ctx context.Context, s hub.Store) error {
		return s.PutConnection(ctx, connection("L0SM9cOFvHcCIhw="))
	}},
	"put-connection-vendor": {nil, func(ctx context.Context, s hub.Store) error {
		return s.PutConnection(ctx, vendorConnection)
	}},
	"put-connection-login": {
		[]string{`{}`, `{"Attributes":{"user":{"S":"guest:g1"},"role":{"S":"guest"}}}`},
		func(ctx context.Context, s hub.Store) error {
			c := connection("c1")
			c.ClientHash = "h"
			return s.PutConnection(ctx, c)
		},
	},
	"connection": {
		[]string{`{"Item":{"pk":{"S":"C#d0f631ca1ddba8db3bcfcb9e057cdc98"},"sk":{"S":"!"},"user":{"S":"ann"}}}`},
		func(ctx context.Context, s hub.Store) error { _, err := s.Connection(ctx, "c1"); return err },
	},
	"connections-of": {
		[]string{`{"Responses":{"hub":[` + connectionRow + `]}}`},
		func(ctx context.Context, s hub.Store) error {
			_, err := s.ConnectionsOf(ctx, []string{"c1", "c2", "c1"})
			return err
		},
	},
	"replace-principal": {nil, func(ctx context.Context, s hub.Store) error {
		next := vendorConnection.Principal
		next.Issued, next.Expires = now, now.Add(time.Hour)
		return s.ReplacePrincipal(ctx, "c1", vendorConnection.Principal, next)
	}},
	"set-pretty": {nil, func(ctx context.Context, s hub.Store) error { return s.SetPretty(ctx, "c1", true) }},
	"forget": {
		[]string{`{"Item":` + addressRow + `}`, `{}`, `{"Attributes":` + laterRow + `}`},
		func(ctx context.Context, s hub.Store) error { return s.Forget(ctx, "c1", topics("C")...) },
	},
	"end-connection": {
		[]string{`{"Item":` + connectionRow + `}`, `{}`, `{"Attributes":` + laterRow + `}`},
		func(ctx context.Context, s hub.Store) error { return s.EndConnection(ctx, "c1", now, 0) },
	},
	"end-connection-sparing": {
		[]string{`{"Item":` + connectionRow + `}`, `{}`, `{"Attributes":` + connectionRow + `}`, `{"Count":3}`},
		func(ctx context.Context, s hub.Store) error { return s.EndConnection(ctx, "c1", now, 2) },
	},

	// Subscriptions
	"subscribe": {
		nil,
		func(ctx context.Context, s hub.Store) error {
			topics := []hub.Topic{{Kind: hub.KindSKU, Name: "TEE"}, {Kind: hub.KindCart, Name: "u~ann"}}
			return errOf(s.Subscribe(ctx, connection("c1"), topics))
		},
	},
	"subscribe-after-unsubscribe": {
		nil,
		func(ctx context.Context, s hub.Store) error {
			c := vendorConnection
			c.Unsubscribed = 4
			return errOf(s.Subscribe(ctx, c, []hub.Topic{{Kind: hub.KindVendor, Name: "acme"}}))
		},
	},
	"unsubscribe": {nil, func(ctx context.Context, s hub.Store) error {
		return errOf(s.Unsubscribe(ctx, "c1", topics("A", "B")))
	}},
	"subscribers": {
		[]string{
			`{"Items":[{"pk":{"S":"T#sku:TEE#0"},"sk":{"S":"c#c2"}}],` +
				`"LastEvaluatedKey":{"pk":{"S":"T#sku:TEE#0"},"sk":{"S":"c#c2"}}}`,
			`{"Items":[],"LastEvaluatedKey":{"pk":{"S":"T#sku:TEE#0"},"sk":{"S":"c#c3"}}}`,
		},
		func(ctx context.Context, s hub.Store) error {
			_, _, err := s.Subscribers(ctx, testTopic, "c1", 1000)
			return err
		},
	},

	"exact-subscribers": {nil, func(ctx context.Context, s hub.Store) error {
		_, _, err := s.ExactSubscribers(ctx, testTopic, "", 1000)
		return err
	}},
	"exact-subscribers-next": {nil, func(ctx context.Context, s hub.Store) error {
		_, _, err := s.ExactSubscribers(ctx, testTopic, "c1", 1000)
		return err
	}},
	"subscribe-vendor": {
		nil,
		func(ctx context.Context, s hub.Store) error {
			c := connection("c1")
			c.Exact = true
			return errOf(s.Subscribe(ctx, c, topics("A", "B")))
		},
	},

	// Sweeps
	"ask-sweep": {nil, func(ctx context.Context, s hub.Store) error {
		return s.AskSweep(ctx, testTopic, "100000000000000000007", "100000000000000000007", now)
	}},
	"sweeps": {
		[]string{`{"Items":[{"pk":{"S":"S"},"sk":{"S":"sku:TEE"},"wanted":{"S":"07"},"step":{"N":"1"}}],` +
			`"LastEvaluatedKey":{"pk":{"S":"S"},"sk":{"S":"sku:TEE"}}}`, `{"Items":[]}`},
		func(ctx context.Context, s hub.Store) error { _, err := s.Sweeps(ctx); return err },
	},
	"save-sweep": {nil, func(ctx context.Context, s hub.Store) error {
		return s.SaveSweep(ctx, hub.Sweep{Topic: testTopic, Serving: "7", From: "c5", Wrapped: true, Step: 41}, now)
	}},
	"ring-sweep": {nil, func(ctx context.Context, s hub.Store) error { return s.RingSweep(ctx, testTopic, now) }},
	"end-sweep": {nil, func(ctx context.Context, s hub.Store) error {
		return s.EndSweep(ctx, hub.Sweep{Topic: testTopic, Serving: "7", Step: 41})
	}},

	// Holders and quotas
	"holder": {
		[]string{`{"Items":[{"pk":{"S":"O#u~ann"},"sk":{"S":"c#c1"}}]}`},
		func(ctx context.Context, s hub.Store) error { _, err := s.Holder(ctx, "u~ann", "", 100); return err },
	},
	"holder-next": {nil, func(ctx context.Context, s hub.Store) error {
		_, err := s.Holder(ctx, "u~ann", "c1", 100)
		return err
	}},
	"revocation": {
		[]string{`{"Item":{"pk":{"S":"R#u~ann"},"sk":{"S":"!"},"revoked":{"N":"1"}}}`},
		func(ctx context.Context, s hub.Store) error {
			until, err := s.Revocation(ctx, "u~ann")
			if err == nil && !until.Equal(time.UnixMilli(1)) {
				err = fmt.Errorf("got a revocation up to %s", until)
			}
			return err
		},
	},
	"revoke": {nil, func(ctx context.Context, s hub.Store) error { return s.Revoke(ctx, "u~ann", now) }},
	"count": {
		[]string{`{"Attributes":{"count":{"N":"7"}}}`},
		func(ctx context.Context, s hub.Store) error {
			_, err := s.Count(ctx, "u~ann", "m~1", 1, now)
			return err
		},
	},
	"collect": {nil, func(ctx context.Context, s hub.Store) error {
		_, err := s.Collect(ctx, "g~g1", "s~1", []string{"TEE", "MUG", "TEE"}, 500, now)
		return err
	}},

	// Marks
	"mark-for-retry": {nil, func(ctx context.Context, s hub.Store) error {
		return mark(ctx, s, "c1", topics("A", "B"), now.Add(time.Minute))
	}},
	"mark-failed-try": {nil, func(ctx context.Context, s hub.Store) error {
		return s.MarkForRetry(ctx, []hub.Undelivered{{ConnectionID: "c1", Failed: true}}, now)[0]
	}},
	"retry-marks": {
		[]string{`{"Items":[` + markRow + `]}`, `{}`, `{}`, `{}`, `{}`, `{}`, `{}`, `{}`},
		func(ctx context.Context, s hub.Store) error { _, _, err := s.RetryMarks(ctx, "", 100); return err },
	},
	"retry-marks-after": {
		[]string{`{"Items":[` + markRow + `],"LastEvaluatedKey":` + markRow + `}`},
		func(ctx context.Context, s hub.Store) error { _, _, err := s.RetryMarks(ctx, "c0", 1); return err },
	},
	"retry-mark": {
		[]string{`{"Item":` + markRow + `}`},
		func(ctx context.Context, s hub.Store) error { return errOf(s.MarkOf(ctx, "c1")) },
	},
	"clear-retry-mark": {nil, func(ctx context.Context, s hub.Store) error {
		m := hub.RetryMark{ConnectionID: "c1", Since: now, Revision: now.UnixMilli() << 20}
		return s.ClearRetryMarks(ctx, []hub.RetryMark{m})[0]
	}},
	"clear-any-retry-mark": {nil, func(ctx context.Context, s hub.Store) error {
		return s.ClearRetryMarks(ctx, []hub.RetryMark{{ConnectionID: "c1"}})[0]
	}},

	// Source
	"epoch": {
		[]string{`{}`, `{}`, `{"Item":{"epoch":{"S":"e1"}}}`},
		func(ctx context.Context, s hub.Store) error { _, err := s.Epoch(ctx); return err },
	},
	"items": {nil, func(ctx context.Context, s hub.Store) error {
		_, err := s.Items(ctx, []string{"TEE", "MUG", "TEE"})
		return err
	}},
	"vendor-skus": {
		[]string{`{"Items":[{"sk":{"S":"s#MUG"}},{"sk":{"S":"s#TEE"}}]}`},
		func(ctx context.Context, s hub.Store) error {
			_, _, err := s.VendorSKUs(ctx, "acme", "CAP", 200)
			return err
		},
	},
	"cart": {nil, func(ctx context.Context, s hub.Store) error { _, err := s.Cart(ctx, "u~ann"); return err }},
	"receipt": {
		[]string{`{"Item":{"answer":{"B":"e30="}}}`},
		func(ctx context.Context, s hub.Store) error { _, err := s.Receipt(ctx, "u~ann", "k"); return err },
	},

	// Writer
	"put-item-new": {nil, func(ctx context.Context, s hub.Store) error {
		return s.PutItem(ctx, hub.Item{SKU: "MUG", Version: 1, LowAt: 5}, 0)
	}},
	"put-item-vendor-changed": {
		[]string{`{}`, `{"Attributes":{"vendor":{"S":"other"}}}`},
		func(ctx context.Context, s hub.Store) error { return s.PutItem(ctx, tee, 42) },
	},
	"put-item-deleted": {
		[]string{`{"Attributes":{"vendor":{"S":"acme"}}}`},
		func(ctx context.Context, s hub.Store) error {
			deleted := tee
			deleted.Available, deleted.Deleted = 0, true
			return s.PutItem(ctx, deleted, 42)
		},
	},
	"put-carts-one": {nil, func(ctx context.Context, s hub.Store) error {
		return s.PutCarts(ctx, []hub.CartWrite{testCart}, nil)
	}},
	"put-carts-merge": {nil, func(ctx context.Context, s hub.Store) error {
		guest := hub.CartWrite{Base: 2, Cart: hub.Cart{
			ID: "g~1", Version: 3, Floor: 2, UpdatedAt: now, Expires: now.Add(hub.GuestCartLife).Truncate(time.Second),
		}}
		return s.PutCarts(ctx, []hub.CartWrite{testCart, guest}, &testReceipt)
	}},
	"put-carts-checkout": {nil, func(ctx context.Context, s hub.Store) error {
		ordered := hub.CartWrite{Cart: hub.Cart{ID: "u~ann", Version: 19, Floor: 19, Ordered: 19, UpdatedAt: now}, Base: 18}
		return s.PutCarts(ctx, []hub.CartWrite{ordered}, &testReceipt)
	}},
	"put-carts-none": {nil, func(ctx context.Context, s hub.Store) error { return s.PutCarts(ctx, nil, nil) }},

	// Tickets
	"put-ticket": {nil, func(ctx context.Context, s hub.Store) error {
		return s.PutTicket(ctx, hub.Ticket{Hash: "h4sh", Principal: vendorConnection.Principal, Expires: now})
	}},
	"take-ticket": {
		[]string{`{"Attributes":{"user":{"S":"ann"},"role":{"S":"customer"},"until":{"N":"1767323045678"}}}`},
		func(ctx context.Context, s hub.Store) error { _, err := s.TakeTicket(ctx, "h4sh"); return err },
	},
}
