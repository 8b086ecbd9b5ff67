// Package client follows the stock and the carts of a SecureCart hub from a Go program.
//
//	c, err := client.Connect(ctx, client.Options{URL: "wss://ws.example.com/v1"})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	for s := range c.Watch(ctx, "sku:MUG") {
//		fmt.Println(s.Word, s.Badge)
//	}
//
// A [Client] keeps one connection, and makes a new one when it breaks. It follows the
// rules of docs/protocol.md, as the browser's client does:
//
//   - A topic of a counted row never goes back to an older version, whatever is lost,
//     repeated or late. A new epoch voids all values.
//   - A value is [Live] only while it is proved by the present connection. Otherwise it is
//     [Stale], or [Unknown] before the first one.
//   - A topic is forgotten with the last Unsubscribe, or when its last Watch ends.
//   - After a break, a client resumes with the versions that it has. Breaks of many clients
//     at once do not bring them back at once: waits are random, and spread as the hub asks.
//   - Before the hub ends a connection, the next one is made. Nothing is stale meanwhile.
//   - A change of the cart has a key, and takes effect once. Changes are made one after the
//     other, in the order of the calls; without a connection they wait in memory. If the
//     context of a call ends before its change is sent, the change is not made. Afterwards
//     the error has [CodeUncertain], and the change stays in line.
//
// Topics are "sku:ID", "cart", "cart:ID" (admins) and "vendor:ID".
//
// All methods may be called concurrently. [Client.Close] ends every goroutine of the
// client before it returns.
package client
