// Package cost counts what a session on a developer's machine would have cost on AWS: by
// AWS's rules of billing, with the list prices of internal/prices.
//
// A [Meter] is given every event of the log, so nothing that a reader of the log misses is
// missed here. What the machine cannot know is computed from figures that were measured
// elsewhere, and the report says so: its lines have "assumed".
//
//   - Messages and connection minutes are counted.
//   - For the hub, requests to DynamoDB and the time of functions are those of
//     internal/costtest, by action ([Units]). For the API of a template, the time of functions
//     is what they took on this machine, and DynamoDB is not counted.
package cost
