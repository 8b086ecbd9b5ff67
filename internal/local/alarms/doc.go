// Package alarms has the list of alarms. template.yaml has each of them as a resource, and
// docs/operations.md says what to do; tests compare the three.
package alarms
