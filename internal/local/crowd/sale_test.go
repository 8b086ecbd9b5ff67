//go:build !race

package crowd_test

// saleTime is how long a sale takes.
const saleTime = fullSale
