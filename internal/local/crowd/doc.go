// Package crowd has tests alone: they run the broadcast function with its neighbours in
// AWS, in virtual time, for a crowd that watches one item. They measure how old what the
// people see gets, who waits for whom, and what it costs.
//
// The function's handler, the hub, the poster and the event source mapping are the real
// ones. Imitated are: the tables (in memory, a call takes 5 ms, units counted), the
// streams (a record comes after 100 ms, and is polled four times a second), and API
// Gateway (a post takes 15 ms, the account has 10 000 requests a second and a burst of
// 5 000).
package crowd
