package hub

import (
	"context"
	"time"
)

const (
	// ConnectionLife is the longest a connection lives: API Gateway's 2 hours
	// (G-LIMIT-7) and ten minutes for clocks and late messages. Rows of a
	// connection expire then.
	ConnectionLife = 2*time.Hour + 10*time.Minute

	// YoungConnection is the age up to which a 410 does not prove a connection
	// gone: a post before $connect has answered gets one too (G-MGMT-8).
	YoungConnection = 30 * time.Second

	// RequestLife is how long the answer to an idempotency key is kept.
	ReceiptLife = 24 * time.Hour

	// RevocationLife is how long a revocation is remembered: as long as the tokens
	// that live longest, a guest's, and their leeway.
	RevocationLife = 31 * 24 * time.Hour
)

// Connection is what is recorded of a connection.
type Connection struct {
	ID          string
	Principal   Principal
	Endpoint    string // which API and stage holds it: host and path of @connections
	Protocol    string // the subprotocol, "" if none was agreed
	ConnectedAt time.Time
	Notice      string // why a token of the handshake was not taken, "" if it was
	ClientHash  string // stands for the client's address: a keyed hash of it, "" if it is not known
	Topics      []Topic
}

// Owners are who a connection is counted for: its user and its address.
func (c Connection) Holders() []string {
	owners := []string{c.Principal.ID()}
	if c.ClientHash != "" {
		owners = append(owners, AddressHolder(c.ClientHash))
	}
	return owners
}

// AddressOwner is an address among the owners of connections. User ids begin
// differently.
func AddressHolder(address string) string { return "a~" + address }

// Owner is what is recorded of an owner of connections.
type Holder struct {
	Revoked     time.Time // authorities issued up to then count no more; zero: none was taken back
	Connections []HeldConnection
	Next        string // the connection to go on after, "" at the end
}

// Owned is one connection of an owner.
type HeldConnection struct {
	ID          string
	ConnectedAt time.Time
}

// Subscriber is what is recorded of a subscription: enough to send to it without
// another read.
type Subscriber struct {
	ConnectionID string
	Principal    Principal
	Endpoint     string
	ConnectedAt  time.Time
}

// Subscriber is the connection as a subscription records it.
func (c Connection) Subscriber() Subscriber {
	return Subscriber{ConnectionID: c.ID, Principal: c.Principal, Endpoint: c.Endpoint, ConnectedAt: c.ConnectedAt}
}

// expired reports whether rows of a connection no longer count.
func connectionExpired(connectedAt, now time.Time) bool {
	return now.After(connectedAt.Add(ConnectionLife))
}

// Stale is the mark on a connection that could not be served: its topics want a
// fresh snapshot.
type RetryMark struct {
	ConnectionID string
	Topics       []Topic
	Since        time.Time // when it was marked first
	Revision     int64     // changes with every mark
}

// Missed is a connection that was not served, and with what.
type Undelivered struct {
	ConnectionID string
	Topics       []Topic
}

// Request is the answer that an idempotency key got.
type Receipt struct {
	CartID      string
	Key         string
	Fingerprint string // of what was asked
	Answer      []byte // JSON of a wire.OK
	At          time.Time
}

// Expired reports whether the key may be used anew. Stores do not have to delete
// expired requests in time (DynamoDB's TTL may lag by days), so they are judged
// when they are read.
func (r Receipt) Expired(now time.Time) bool { return now.After(r.At.Add(ReceiptLife)) }

// CartWrite is one cart to be written, and the version it is based on.
type CartWrite struct {
	Cart Cart
	Was  int64
}

// Connections records who is connected. All methods are idempotent.
type Connections interface {
	// PutConnection creates or replaces the row of c, without its topics: those
	// that are recorded stay. Before that it lists c with its holders; a former
	// holder lists c no longer than ConnectionLife. ErrGone: the connection has
	// ended, and nothing of it is kept.
	PutConnection(ctx context.Context, c Connection) error

	// Connection reads a row, strongly consistent. ErrGone: there is none.
	Connection(ctx context.Context, id string) (Connection, error)

	// ReplacePrincipal sets a connection's principal to next if it is still prev.
	// Both have the same user. ErrConflict: it is another one, and stays. ErrGone:
	// there is no such row.
	ReplacePrincipal(ctx context.Context, id string, prev, next Principal) error

	// Forget removes a connection, its retry mark, its entries with its holders and
	// its subscriptions. It also removes the subscriptions to the topics given: a
	// subscription may have outlived its connection. A connection that has not ended
	// may be put again.
	Forget(ctx context.Context, id string, topics ...Topic) error

	// EndConnection forgets a connection, known or not, for good: until
	// ConnectionLife after now it cannot be put again.
	EndConnection(ctx context.Context, id string, now time.Time) error
}

// Subscriptions records who receives what. All methods are idempotent.
type Subscriptions interface {
	// Subscribe writes a subscription of c for each topic, then adds the topics to
	// those of c. It replaces a subscription that exists. When it returns,
	// Subscribers finds all of them. If it fails, some may have been written; a
	// topic that Connection shows has its subscription.
	Subscribe(ctx context.Context, c Connection, topics []Topic) error

	// Unsubscribe removes subscriptions, and the topics from the connection's.
	Unsubscribe(ctx context.Context, id string, topics []Topic) error

	// Subscribers reads at most limit subscribers of t in order of connection id,
	// those after the id given. It is strongly consistent: it sees every Subscribe
	// that returned before the call began. next is "" at the end. Expired rows may
	// be among them.
	Subscribers(ctx context.Context, t Topic, after string, limit int) (page []Subscriber, next string, err error)
}

// Holders records who connections are counted for, and what was revoked. All
// methods are idempotent.
type Holders interface {
	// Holder reads, strongly consistent, a holder and at most limit of its
	// connections in order of id, those after the one given. Only the first page has
	// Revoked. Expired connections may be among them.
	Holder(ctx context.Context, id, after string, limit int) (Holder, error)

	// Revoke records that sessions of a holder that were issued up to a time, to the
	// millisecond, no longer count. An earlier time than the recorded one changes
	// nothing. It is remembered for RevocationLife.
	Revoke(ctx context.Context, holder string, at time.Time) error
}

// Quotas counts what a client uses.
type Quotas interface {
	// Count adds one to a counter and returns the sum. A counter starts at 0 and may
	// disappear after expires. It is not idempotent: after an error the call may have
	// been counted.
	Count(ctx context.Context, counter string, expires time.Time) (int, error)

	// Collect adds names to a set, all or none, and returns those of them that the
	// set has then, in the order given. A set with most names or more takes no new
	// ones. It may disappear after expires.
	Collect(ctx context.Context, set string, names []string, most int, expires time.Time) (in []string, err error)
}

// Marks records who did not receive what. All methods are idempotent.
type Marks interface {
	// MarkForRetry records that connections need a fresh snapshot of topics, in
	// addition to the topics recorded before. A mark that exists keeps Since and
	// becomes the newest. The result has one error for each connection, nil if its
	// mark is recorded. There may be thousands of marks and little time, so
	// implementations write them concurrently or in batches.
	MarkForRetry(ctx context.Context, missed []Undelivered, now time.Time) []error

	// RetryMarks lists at most limit marks, the one that was marked longest ago
	// first.
	RetryMarks(ctx context.Context, limit int) ([]RetryMark, error)

	// ClearRetryMark removes a mark, unless it was renewed since it was read.
	ClearRetryMark(ctx context.Context, m RetryMark) error
}

// Source reads current state, strongly consistent.
type Source interface {
	// Epoch names the history that versions belong to: a [wire.IsName]. It changes
	// only if the store lost committed state.
	Epoch(ctx context.Context) (string, error)

	// Items reads items, tombstones too; one that never was is not in the map.
	Items(ctx context.Context, skus []string) (map[string]Item, error)

	// VendorSKUs reads at most limit names of a vendor's items, in order, those
	// after the name given; more says that there are others. Tombstones are not
	// among them. It may lag behind the items.
	VendorSKUs(ctx context.Context, vendor, after string, limit int) (skus []string, more bool, err error)

	// Cart reads a cart; one that never was has version 0.
	Cart(ctx context.Context, id string) (Cart, error)

	// Request reads the answer kept for a key of a cart. ErrGone: there is none.
	Receipt(ctx context.Context, cartID, key string) (Receipt, error)
}

// Writer changes items and carts. Each successful change of a row appears once,
// with the row before and after it, in the store's change feed: after it is
// committed, and for one row in the order of its versions.
type Writer interface {
	// PutItem writes an item if the stored one is at version was, 0 meaning that
	// there is none. ErrConflict: it is not, and nothing was written.
	PutItem(ctx context.Context, item Item, was int64) error

	// ListItem brings the lists of vendors up to an item that somebody else wrote,
	// who knows nothing of them: its vendor's, unless it is deleted, and those of
	// former vendors. It may be called again, late, and for an older version.
	IndexItem(ctx context.Context, item Item, former []string) error

	// PutCarts writes the carts and the request, if it is not nil, all or nothing.
	// ErrConflict: a cart is not at its version Was, or the request's key has an
	// answer that has not expired at the new request's time; nothing was written.
	PutCarts(ctx context.Context, carts []CartWrite, request *Receipt) error
}

// Tickets keeps tickets for the seconds that they may be used.
type Tickets interface {
	// PutTicket records a ticket under its hash.
	PutTicket(ctx context.Context, t Ticket) error

	// TakeTicket removes a ticket and returns it, whether it has expired or not. Of
	// all who ask, whenever they do, at most one gets it; the others get ErrGone, as
	// does who asks for one that never was. After any other error the ticket may be
	// spent without anybody having it.
	TakeTicket(ctx context.Context, hash string) (Ticket, error)
}

// Registry is what the hub records of clients.
type Registry interface {
	Connections
	Subscriptions
	Holders
	Quotas
	Marks
	Tickets
}

// Store is everything the hub keeps: what it records of clients, and the shop's
// items and carts.
type Store interface {
	Registry
	Source
	Writer
}

// Change is one committed change of a row: of an item or of a cart. Old is nil
// for a row that was not there.
type Change struct {
	OldItem, NewItem *Item
	OldCart, NewCart *Cart
}

// Post is one message to one connection.
type Post struct {
	ConnectionID string
	Endpoint     string
	Data         []byte // shared; not to be changed
}

// Poster sends to connections, as @connections does.
type Poster interface {
	// Post sends the posts and returns one error for each, nil if the transport
	// accepted it. Posts to one connection go out in the order given. It retries
	// what is throttled for as long as it sees fit; one connection never delays
	// another for longer than that. It returns with time left before the deadline
	// of ctx for the caller to record what was not sent. Errors are ErrGone,
	// ErrThrottled, ErrTooLarge, ErrForbidden, or internal.
	Post(ctx context.Context, posts []Post) []error

	// Disconnect ends a connection; its client will reconnect. A connection that
	// is not there is not an error.
	Disconnect(ctx context.Context, connectionID, endpoint string) error
}
