//go:build race

package crowd_test

import "time"

// saleTime is how long a sale takes. With the race detector ten minutes of it take 90 seconds of a
// processor, and what races is done from the beginning.
const saleTime = 2 * time.Minute
