package apigw

// Lean exports lean for benchmarks.
var Lean = lean
