// Package alarms has the list of alarms, and evaluates them for localhub. template.yaml has
// each of them as a resource, and docs/operations.md says what to do; tests compare the
// three.
//
// CloudWatch evaluates an alarm every minute, over the newest whole minutes, and gets some
// values minutes late. Here periods end now and nothing is late, so that an alarm goes off
// within a second of its cause.
package alarms
