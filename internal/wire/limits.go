package wire

// Subprotocol is the WebSocket subprotocol (RFC 6455, section 1.9) of version 1.
const Subprotocol = "securecart.v1"

// Limits of protocol version 1. [Hello] tells a client those it can act on.
const (
	// MaxMessage is the longest message in bytes, in both directions. API Gateway
	// closes a connection that sends a frame over 32 KB (G-LIMIT-1) and bills in
	// units of 32 KB; 32 000 stays below either reading of "KB".
	MaxMessage = 32_000

	// MaxTopics is how many topics one message may name. 100 keys are also what
	// one DynamoDB BatchGetItem may read.
	MaxTopics = 100

	// MaxSubscriptions is how many topics one connection may be subscribed to.
	MaxSubscriptions = 200

	// MaxLines is how many lines a cart, or one set, may have.
	MaxLines = 200

	// MaxQuantity is the largest quantity of one cart line.
	MaxQuantity = 999

	// MaxName is the longest name of a SKU, vendor or cart in bytes.
	MaxName = 64

	// MaxTopic is the longest topic in bytes: the longest kind, a colon, a name.
	MaxTopic = len("vendor:") + MaxName

	// MaxKey is the longest idempotency key in bytes.
	MaxKey = 64

	// MaxID is the longest "id" of a request in bytes, as written.
	MaxID = 128

	// MaxToken is the longest token in bytes; API Gateway gives the headers of a
	// handshake 10 240 bytes in all.
	MaxToken = 8_192

	// MaxVersion is the largest version: the largest integer that every JSON
	// reader keeps exactly (RFC 8259, section 6).
	MaxVersion = 1<<53 - 1

	// MaxDepth is how deep a message may nest.
	MaxDepth = 16
)
