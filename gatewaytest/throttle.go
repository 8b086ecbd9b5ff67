package gatewaytest

// Throttle is a token bucket: Rate requests a second in the long run, and Burst
// of them at once. The zero value bounds nothing.
//
// A throttled handshake is answered 429 (G-HANDSHAKE-9), a throttled request to
// @connections is LimitExceededException (G-MGMT-9), and a throttled message
// gets an error frame "Too Many Requests" (G-ERR-7). A client that keeps on is
// closed with 1008 (G-CLOSE-9).
type Throttle struct {
	Rate  float64 // tokens a second
	Burst int     // the size of the bucket; 0 with a Rate: the Rate, rounded up
}
