package apigw

// Lean is what Client does to each call.
var Lean = lean
