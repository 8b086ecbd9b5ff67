// Package tap is the feed of the log of events: a WebSocket that sends what is added, in
// batches of 100 ms.
//
// # Guarantees
//
// A reader gets the events of its filter in the order of their ids, at most
// [MaxEventsPerSecond] and [MaxBytesPerSecond]. Above that, equal messages to many
// connections are thinned and the batch says so. What does not fit then waits in the log, and if it
// leaves the log before it is sent, the next batch says how much. A reader that takes
// nothing for [WriteWithin] is cut; it can resume after the last id that it has. There are
// at most [MaxReaders]. No reader delays another one, or whoever adds events.
// [Server.Close] ends all feeds and waits for them.
package tap
