// Package speed has tests alone: they measure a localhub in a process of its own, beside the
// smallest server that could do the same work. Run them with make speed.
//
// The smallest server accepts WebSockets, answers each message with a fixed text, and writes
// what is posted. It has no handlers, no events, no rows and no log. If Node.js and the tools
// of make tools are there, the same server on Node's ws runs too.
//
// Servers take turns in each round, so that a busy machine slows all of them down. CPU is the
// user and system time of the server's process, memory is what of it is resident.
package speed
