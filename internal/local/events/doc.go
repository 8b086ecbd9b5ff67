// Package events is the log of what localhub does: one list of events, each with the
// ids of the events that led to it. The admin API's feed, the inspector and "why" read
// it.
//
// An id is given when an event is added, so ids rise in the order of the log. A
// context carries the id of the event that its work belongs to ([With]): rows that are
// written in an invocation, and posts that are made in a batch, name it as their cause.
//
// # Guarantees
//
// A [Log] may be used by any number of goroutines. [Log.Add] never waits for a reader:
// readers copy a few hundred events at a time and look at them outside of the lock.
// The log keeps the newest [MaxEvents] events or [MaxBytes], whichever is less. Events
// that left it are counted as a gap. Texts are masked before they are added
// ([Gateway]), so no reader can see what is private.
package events
