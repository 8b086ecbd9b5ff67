package wire

// Subprotocol is the WebSocket subprotocol (RFC 6455, section 1.9) of version 1.
const Subprotocol = "securecart.v1"

// Limits of protocol version 1. [Hello] has those that a client can act on.
const (
	// MaxMessage is the size of the longest message in bytes, in both directions.
	// API Gateway closes a connection that sends a frame of more than 32 KB
	// (G-LIMIT-1) and bills in units of 32 KB. 32 000 is below both meanings of KB.
	MaxMessage = 32_000

	// MaxTopics is how many topics one message can name. A DynamoDB BatchGetItem can
	// read 100 keys too.
	MaxTopics = 100

	// MaxSubscriptions is how many topics one connection can subscribe to.
	MaxSubscriptions = 200

	// MaxLines is how many lines a cart, or one set, can have.
	MaxLines = 200

	// MaxQuantity is the largest quantity of one cart line, and of one add in either
	// direction.
	MaxQuantity = 999

	// MaxSKUBytes is how many bytes the SKUs of a cart, of one set, or of one page of a
	// vendor's list have together, see [TextSize]. It keeps a whole cart, and every
	// answer to a set, within MaxMessage, whatever the SKUs are.
	MaxSKUBytes = 12_800

	// MaxTopicBytes is how many bytes the topics of one message have together, each
	// counted as [Snapshot.Refused] has it. It keeps an answer that refuses all of
	// them within MaxMessage. 100 topics of the longest names are below it.
	MaxTopicBytes = 31_000

	// MaxName is the length of the longest name of a SKU or vendor in bytes, see
	// [IsName].
	MaxName = 128

	// MaxSafeName is the length of the longest name of a cart, guest or epoch in
	// bytes, see [IsSafeName].
	MaxSafeName = 64

	// MaxKey is the length of the longest idempotency key in bytes.
	MaxKey = 64

	// MaxID is the length of the longest "id" of a request in bytes, as JSON.
	MaxID = 128

	// MaxToken is the length of the longest token in bytes. API Gateway allows
	// 10 240 bytes for all headers of a handshake.
	MaxToken = 8_192

	// MaxVersion is the largest version: the largest integer that every JSON reader
	// represents exactly (RFC 8259, section 6).
	MaxVersion = 1<<53 - 1

	// MaxDepth is how deep a message can nest.
	MaxDepth = 16
)
