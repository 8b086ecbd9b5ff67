package rest_test

import (
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// plantedInHub and plantedInRest are the changes that the histories of orders must find, one
// at a time. See TestOrderHistoriesFindDefects, which needs the build tag planted.
var plantedInHub = planttest.List([][4]string{
	{"two customers have one name", "order.go",
		`fmt.Sprint(c.Principal.CartID(), " ", r.Key, " ", ok.Version)`,
		`fmt.Sprint(r.Key, " ", ok.Version)`},
	{"all orders of a cart have one name", "order.go",
		`fmt.Sprint(c.Principal.CartID(), " ", r.Key, " ", ok.Version)`,
		`fmt.Sprint(c.Principal.CartID(), " ", ok.Version)`},
	{"a key has one name for ever", "order.go",
		`fmt.Sprint(c.Principal.CartID(), " ", r.Key, " ", ok.Version)`,
		`fmt.Sprint(c.Principal.CartID(), " ", r.Key)`},
	{"a repeat is for the cart of now", "order.go",
		`h.write(ctx, c.Principal, r, "order"+basis(r)+" "+details, nothing, begin)`,
		`h.write(ctx, c.Principal, wire.Request{}, "order"+basis(r)+" "+details, nothing, begin)`},
	{"an order takes what was added", "order.go",
		`wire.Request{Key: o.Name + endKey, Version: &o.Version}`,
		`wire.Request{Key: o.Name + endKey}`},
	{"a cart ends again with each repeat", "order.go",
		`wire.Request{Key: o.Name + endKey, Version: &o.Version}`,
		`wire.Request{Version: &o.Version}`},
	{"a version that is not looked at", "order.go",
		"if err := checkUnchanged(cart, r.Version); err != nil {",
		"if err := checkUnchanged(cart, nil); err != nil {"},
	{"a receipt that does not end", "cart_once.go",
		"errors.Is(err, ErrGone) || err == nil && receipt.Expired(h.now())",
		"errors.Is(err, ErrGone)"},
	{"a request beside its repeat refuses for what the repeat did", "cart_once.go",
		"!errors.As(err, &refusal) && !errors.Is(err, errOvertaken)",
		"errors.As(err, &refusal) || err != nil"},
	{"a session that ends meanwhile leaves the cart", "order.go",
		"return h.checkout(ctx, caller.Principal, ",
		"return h.Checkout(ctx, caller, "},
})

var plantedInRest = planttest.List([][4]string{
	{"the cart ends first", "order.go",
		"	taken, err := a.o.Orders.place(ctx, order, details)\n",
		"	_, _ = a.h.EndOrder(ctx, c, order)\n	taken, err := a.o.Orders.place(ctx, order, details)\n"},
	{"a cart that changed counts as ended", "order.go",
		"Ordered: order.Lines, Kept: changed}",
		"Ordered: order.Lines}"},
	{"a cart that did not end counts as ended", "order.go",
		"if err != nil && !changed {",
		"if false {"},
	{"a failure after the order hides it", "order.go",
		`answeredError{fmt.Errorf("%s: %w: %v", order.Name, errNotEnded, err), taken}`,
		"err"},
	{"each request has a name of its own", "order_service.go",
		`r.Header.Set("Idempotency-Key", order.Name)`,
		`r.Header.Set("Idempotency-Key", order.Name+time.Now().String())`},
	{"an error page is an order", "order_service.go",
		"case isObject && status/100 == 2:",
		"case status/100 == 2:"},
	{"a request that still runs is refused", "order_service.go",
		"case isObject && slices.Contains(refusalStatuses, status):",
		"case isObject && (status == http.StatusConflict || slices.Contains(refusalStatuses, status)):"},
	{"an error is a refusal", "order_service.go",
		"case isObject && slices.Contains(refusalStatuses, status):",
		"case isObject && (status/100 == 5 || slices.Contains(refusalStatuses, status)):"},
	{"what is late was refused", "order_service.go",
		"		return nil, errOrdersLate\n",
		"		return nil, errOrderRefused\n"},
})

// TestPlantedDefectsApply: each defect still fits its file.
func TestPlantedDefectsApply(t *testing.T) {
	planttest.CheckAll(t, "../hub", plantedInHub)
	planttest.CheckAll(t, ".", plantedInRest)
}
