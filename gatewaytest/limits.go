package gatewaytest

import "time"

// The limits of the service. Those with a G- number are AWS's; the others are
// our own, and say so.
const (
	// maxFrameBytes is the largest payload of one frame from a client
	// (G-LIMIT-1; developer guide, "limits": 32 KB).
	maxFrameBytes = 32 * 1024

	// maxMessageBytes is the largest message in either direction: reassembled
	// from a client, in a POST to @connections, or in the response of a two-way
	// route (G-LIMIT-1, G-LIMIT-13, G-MGMT-7: 128 KB).
	maxMessageBytes = 128 * 1024

	// defaultIdleTimeout is how long a connection may have no message in either
	// direction (G-LIMIT-4: 10 minutes).
	defaultIdleTimeout = 10 * time.Minute

	// defaultMaxAge is how long a connection may live (G-LIMIT-7: 2 hours).
	defaultMaxAge = 2 * time.Hour

	// minIntegrationTimeout and maxIntegrationTimeout limit Route.Timeout. The
	// larger one is also the default (G-LIMIT-8: 50 ms to 29 s).
	minIntegrationTimeout = 50 * time.Millisecond
	maxIntegrationTimeout = 29 * time.Second

	// defaultSendBuffer is how many bytes may wait for a slow client before a
	// POST is answered with 429. The service's value is not known (G-MGMT-9: 1
	// MiB is assumed).
	defaultSendBuffer = 1 << 20

	// maxAuthorizerBytes is the largest authorizer response (G-AUTH-17: 8 KB).
	maxAuthorizerBytes = 8 * 1024

	// maxRoutes is how many routes one API may have (G-LIMIT-12: 300).
	maxRoutes = 300

	// maxStageName is the longest stage name in characters (G-URL-6: 128).
	maxStageName = 128

	// maxInFlight is how many messages of one connection may run or wait.
	// Another one is answered "Too Many Requests" (G-ERR-7). The value is
	// Lambda's default account concurrency, 1000.
	maxInFlight = 1000

	// maxThrottled is how many messages of a client may be throttled in a row
	// before it is closed with 1008. The service's value is not known
	// (G-CLOSE-9). Our own choice: 100.
	maxThrottled = 100

	// maxModelValues and maxModelDepth limit the models of an API, because the
	// time to compile them grows with the square of both. Our own choice.
	maxModelValues = 10_000
	maxModelDepth  = 100

	// maxPayloadBytes limits what is read of a signed request's body and of a
	// web server's response, and the inflated size of a message with
	// Assumptions.CompressedCounts (developer guide, "limits": 10 MB).
	maxPayloadBytes = 10 << 20

	// maxLogFormat limits AccessLog.Format in bytes (developer guide, "limits":
	// 3 KB).
	maxLogFormat = 3 * 1024

	// maxBasePath is the longest mapping key in characters (G-DOMAIN-2: 300).
	maxBasePath = 300

	// maxConcurrent is how many messages of one connection run concurrently;
	// the others wait. Lambda would run more, on separate machines. Here one
	// flooding client would starve the others. Our own choice.
	maxConcurrent = 4

	// inFlightPause is how long nothing is read from a connection whose message
	// was refused because of maxInFlight. TCP holds back the rest. Our own
	// choice.
	inFlightPause = 10 * time.Millisecond

	// closeWait is how long a peer has to answer our close frame before its
	// connection is cut. Our own choice: 1 second.
	closeWait = time.Second

	// minWriteWait is the least time that a peer has to read what is written,
	// however short the idle timeout is. Our own choice: 10 seconds.
	minWriteWait = 10 * time.Second

	// handlerGrace is how long Close waits for running functions before it
	// cancels their contexts, and again before it gives up on them. Our own
	// choice: 5 seconds.
	handlerGrace = 5 * time.Second

	// minDeflateBytes is the shortest message that is compressed. The service's
	// value is not known. Our own choice: 256 bytes, because shorter JSON
	// hardly gets shorter by itself.
	minDeflateBytes = 256

	// maxHeaderBytes limits the header that Dial reads and PreserveHeaderCase
	// records. Our own choice: 64 KiB, which is less than net/http's default.
	maxHeaderBytes = 64 * 1024
)
