package costtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// customer is longer than most ids of users.
const customer = "3f2b8c1e-77aa-4d0e-9d5b-0c1de0aa5e11"

// scenario is one action, or a row of them. prepare is free.
type scenario struct {
	name    string
	prepare func(w *world) *device // nil: none
	run     func(w *world, d *device)
}

// names returns topics of SKUs as a message has them.
func names(skus []string) string {
	topics := make([]string, len(skus))
	for i, sku := range skus {
		topics[i] = "sku:" + sku
	}
	text, _ := json.Marshal(topics)
	return string(text)
}

// shown returns topics with what a page shows of them.
func shown(skus []string) string {
	topics := map[string]any{}
	for _, sku := range skus {
		topics["sku:"+sku] = map[string]any{"version": 1, "state": "in"}
	}
	text, _ := json.Marshal(topics)
	return string(text)
}

// guest opens a page: hello and then some SKUs, if there are any. Ten seconds later its
// window of messages is a new one.
func guest(skus int) func(*world) *device {
	return func(w *world) *device {
		d := w.open("")
		d.send(`{"action":"hello"}`)
		if skus > 0 {
			d.send(`{"action":"subscribe","topics":%s}`, names(w.skus(skus)))
		}
		w.pass(hub.MessageWindow)
		return d
	}
}

// shopper opens a connection of a customer, whose cart has lines.
func shopper(lines int) func(*world) *device {
	return func(w *world) *device {
		d := w.open(customer)
		for i, sku := range w.skus(lines) {
			d.send(`{"action":"add","sku":%q,"quantity":1,"key":"k%d"}`, sku, i)
		}
		d.send(`{"action":"subscribe","topics":["cart"]}`)
		w.pass(hub.MessageWindow)
		return d
	}
}

// watchers lets connections watch a SKU.
func watchers(n int) func(*world) *device {
	return func(w *world) *device {
		w.watch(w.skus(1), n)
		return nil
	}
}

// say returns the run of one message.
func say(format string, skus int) func(*world, *device) {
	return func(w *world, d *device) {
		if skus > 0 {
			d.send(format, names(w.skus(skus)))
			return
		}
		d.send("%s", format)
	}
}

// change returns the run of a change of stock.
func change(from, to int) func(*world, *device) {
	return func(w *world, _ *device) { w.stock("TEE-00000", from, to) }
}

// pageView is what a page with some badges costs from its handshake to its end.
func pageView(skus int) func(*world, *device) {
	return func(w *world, _ *device) {
		names := names(w.skus(skus))
		d := w.open("")
		d.send(`{"action":"hello"}`)
		d.send(`{"action":"subscribe","topics":%s}`, names)
		w.pass(time.Minute)
		d.close()
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.free(func() { time.Sleep(d) }) }

// cartAfternoon is a customer who signs in, looks at five pages of 10 products, fills a
// cart of three lines, and orders it. The connection lives for three hours, so it is
// opened twice, and says a keep-alive seven times an hour when nothing happens.
func cartAfternoon(w *world, _ *device) {
	skus := w.skus(50)
	var d *device
	begin := func() {
		d = w.open(customer)
		d.send(`{"action":"hello"}`)
		d.send(`{"action":"subscribe","topics":["cart"]}`)
	}
	begin()
	for page := range 5 {
		some := skus[10*page : 10*page+10]
		var topics []string
		_ = json.Unmarshal([]byte(names(some)), &topics)
		text, _ := json.Marshal(append(topics, "cart"))
		d.send(`{"action":"subscribe","only":true,"topics":%s}`, text)
		if page < 3 {
			d.send(`{"action":"add","sku":%q,"quantity":1,"key":"a%d"}`, some[0], page)
		}
		w.pass(2 * time.Minute)
	}
	keepAlive := func() {
		d.send(`{"action":"subscribe","epoch":"e","topics":%s}`, shown(skus[40:]))
		w.pass(8*time.Minute + 30*time.Second)
	}
	for range 12 {
		keepAlive()
	}
	d.close()
	begin()
	for range 7 {
		keepAlive()
	}
	d.send(`{"action":"set","lines":{%q:2},"key":"s1"}`, skus[0])
	d.send(`{"action":"checkout","key":"c1"}`)
	d.close()
}

var scenarios = []scenario{
	{"connect: a new guest", nil, func(w *world, _ *device) { w.open("") }},
	{"connect: a customer", nil, func(w *world, _ *device) { w.open(customer) }},
	{"hello", guest(0), say(`{"action":"hello"}`, 0)},
	{"subscribe: 1 SKU", guest(0), say(`{"action":"subscribe","topics":%s}`, 1)},
	{"subscribe: 10 SKUs", guest(0), say(`{"action":"subscribe","topics":%s}`, 10)},
	{"subscribe: 50 SKUs", guest(0), say(`{"action":"subscribe","topics":%s}`, 50)},
	{"keep-alive: 10 SKUs, unchanged", guest(10), func(w *world, d *device) {
		d.send(`{"action":"subscribe","epoch":%q,"topics":%s}`, w.epoch(), shown(w.skus(10)))
	}},
	{"get: 1 SKU", guest(0), say(`{"action":"get","topics":%s}`, 1)},
	{"get: 1 SKU, a customer", shopper(0), say(`{"action":"get","topics":%s}`, 1)},
	{"over HTTP: 1 SKU", nil, func(w *world, _ *device) { w.read(w.skus(1)...) }},
	{"over HTTP: 10 SKUs", nil, func(w *world, _ *device) { w.read(w.skus(10)...) }},
	{"over HTTP: 50 SKUs", nil, func(w *world, _ *device) { w.read(w.skus(50)...) }},
	{"why: 1 SKU", guest(1), say(`{"action":"why","topic":"sku:TEE-00000"}`, 0)},
	{"why: the connection", guest(1), say(`{"action":"why"}`, 0)},
	{"add: a guest", guest(1), say(`{"action":"add","sku":"TEE-00000","quantity":1}`, 0)},
	{"add: a guest, with a key", guest(1), say(`{"action":"add","sku":"TEE-00000","quantity":1,"key":"k"}`, 0)},
	{"add: a cart of 3 lines, with a key", shopper(3),
		say(`{"action":"add","sku":"TEE-00000","quantity":1,"key":"k"}`, 0)},
	{"set: a cart of 3 lines, with a key", shopper(3),
		say(`{"action":"set","lines":{"TEE-00000":4},"key":"k"}`, 0)},
	{"merge: 3 lines", func(w *world) *device {
		g := w.open(guestToken + "g1")
		for _, sku := range w.skus(3) {
			g.send(`{"action":"add","sku":%q,"quantity":1}`, sku)
		}
		return shopper(0)(w)
	}, say(`{"action":"merge","from":"guest.g1","key":"k"}`, 0)},
	{"checkout: 3 lines, with a key", shopper(3), say(`{"action":"checkout","key":"k"}`, 0)},
	{"unsubscribe: 10 SKUs", guest(10), say(`{"action":"unsubscribe","topics":"*"}`, 0)},
	{"disconnect: 1 SKU", guest(1), func(_ *world, d *device) { d.close() }},
	{"disconnect: 50 SKUs", guest(50), func(_ *world, d *device) { d.close() }},
	{"disconnect: 50 SKUs that 100 watch", func(w *world) *device {
		w.watch(w.skus(50), 100)
		return guest(50)(w)
	}, func(_ *world, d *device) { d.close() }},
	{"ping", nil, func(w *world, _ *device) { w.pay(len(`{"action":"ping"}`), len(`{"type":"pong"}`)) }},
	{"stock: nobody watches", watchers(0), change(4, 3)},
	{"stock: 1 watches", watchers(1), change(4, 3)},
	{"stock: 100 watch", watchers(100), change(4, 3)},
	{"stock: 1 000 watch", watchers(1000), func(w *world, _ *device) {
		w.stock("TEE-00000", 4, 3)
		w.sweep()
	}},
	{"stock: 100 watch and see no difference", watchers(100), change(100, 99)},
	{"page view: 1 SKU", nil, pageView(1)},
	{"page view: 10 SKUs", nil, pageView(10)},
	{"page view: 50 SKUs", nil, pageView(50)},
	{"cart afternoon", nil, cartAfternoon},
}

// watch lets connections watch SKUs.
func (w *world) watch(skus []string, n int) {
	topics := make([]hub.Topic, len(skus))
	for i, sku := range skus {
		topics[i] = hub.Topic{Kind: hub.KindSKU, Name: sku}
	}
	for i := range n {
		c := hub.Connection{
			ID: fmt.Sprintf("W0SM9cO%08d=", i), ConnectedAt: w.now(),
			Endpoint:  "x7k2m9q4t1.execute-api.us-east-1.amazonaws.com/v1",
			Principal: hub.Principal{User: fmt.Sprintf("guest:%032d", i), Role: hub.RoleGuest},
		}
		err := errors.Join(w.store.PutConnection(w.t.Context(), c), errOf(w.store.Subscribe(w.t.Context(), c, topics)))
		if err != nil {
			w.t.Fatal(err)
		}
	}
}
