//go:build !race

package apigw_test

// mostAllocations is how many allocations a post may make: 194 with aws-sdk-go-v2 1.41;
// unchanged, the SDK makes 287.
const mostAllocations = 196
