//go:build race

package apigw_test

// mostAllocations is a few more: the race detector allocates too.
const mostAllocations = 205
