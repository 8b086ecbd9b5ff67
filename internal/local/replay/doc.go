// Package replay plays the clients and the operators of a recording against a hub, and
// compares what the clients get with what they got. docs/recording.md says what counts as
// alike.
//
// One goroutine plays all events in their order. It waits before each event until all that
// the recording has before it has come, or a bound has passed: so what a client gets never
// depends on who was faster. Of a connection that differs, only answers are waited for, and its
// client goes on.
package replay
