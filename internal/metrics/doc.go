// Package metrics lists the metrics of the functions, and says what each event adds to
// them. The functions write them to their logs, and localhub counts them for its alarms.
package metrics
