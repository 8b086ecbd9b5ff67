// Package alarms has the list of alarms, and evaluates them for localhub. template.yaml has
// each of them as a resource, and docs/operations.md says what to do; tests compare the
// three.
//
// CloudWatch cuts time into periods by its clock, and gets some values late. Here periods end
// now and nothing is late, so that an alarm goes off and ends within a second of its cause.
package alarms
