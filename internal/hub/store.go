package hub

import (
	"cmp"
	"context"
	"strings"
	"time"
)

const (
	// ConnectionLife is the longest life of a connection: API Gateway's 2 hours
	// (G-LIMIT-7) and ten minutes for clock differences and late messages. The rows
	// of a connection expire then.
	ConnectionLife = 2*time.Hour + 10*time.Minute

	// YoungConnection is the age up to which a 410 does not prove that a connection
	// is gone: a post before $connect has answered gets a 410 too (G-MGMT-8).
	YoungConnection = 30 * time.Second

	// ReceiptLife is how long the answer to an idempotency key is kept.
	ReceiptLife = 24 * time.Hour

	// RevocationLife is how long a revocation is kept: as long as the tokens with
	// the longest life, those of guests, and their leeway.
	RevocationLife = 31 * 24 * time.Hour
)

// Connection is the stored record of a connection.
type Connection struct {
	ID          string
	Principal   Principal
	Endpoint    string // the API and stage that hold it: host and path of @connections
	Protocol    string // the subprotocol, "" if none was agreed
	ConnectedAt time.Time
	Notice      string // why the handshake's token was refused, "" if it was accepted
	ClientHash  string // a keyed hash of the client's address, "" if the address is unknown
	Pretty      bool   // answers to typed lines are text for people
	Topics      []Topic

	// Unsubscribed is a count of the store: with an old one, Subscribe takes longer.
	Unsubscribed int64

	// Exact is of the store too: the connection may see exact figures of SKUs, or once could.
	Exact bool

	current bool // read from the store for the message that is being handled, see [Hub.Admit]
}

// Changed returns the connection after its row was written: [Hub.Current] reads it again.
func (c Connection) Changed() Connection {
	c.current = false
	return c
}

// Holder is a page of the connections of a user. The holder's id is that of the
// principal.
type Holder struct {
	Connections []HeldConnection
	Next        string // id of the connection after which the next page begins, "" at the end
}

// HeldConnection is one connection of a holder.
type HeldConnection struct {
	ID          string
	ConnectedAt time.Time
}

// Subscriber is the stored record of a subscription: enough to post to it without
// another read.
type Subscriber struct {
	ConnectionID string
	Principal    Principal
	Endpoint     string
	ConnectedAt  time.Time
}

// Subscriber returns the connection as a subscription to a topic records it. A
// subscription to a SKU may outlive its connection, so it does not name the user.
func (c Connection) Subscriber(t Topic) Subscriber {
	if t.Kind == KindSKU {
		c.Principal.User = ""
	}
	return Subscriber{ConnectionID: c.ID, Principal: c.Principal, Endpoint: c.Endpoint, ConnectedAt: c.ConnectedAt}
}

// connectionExpired reports whether the rows of a connection no longer count.
func connectionExpired(connectedAt, now time.Time) bool {
	return now.After(connectedAt.Add(ConnectionLife))
}

// RetryMark records that a connection did not receive changes: its topics need a
// fresh snapshot.
type RetryMark struct {
	ConnectionID string
	Topics       []Topic
	Revs         map[Topic]string // of each topic: the newest rev that was not delivered, if any
	Since        time.Time        // when the connection was first marked
	Tries        int              // calls of Heal whose posts to the connection failed
	FailingSince time.Time        // when the first of them was, zero if there was none
	Revision     int64            // changes with every renewal of the mark
}

// Undelivered is a connection that did not receive changes, and their topics.
type Undelivered struct {
	ConnectionID string
	Topics       []Topic
	Revs         map[Topic]string // of those of the topics whose entry had a rev, see [NewerRev]
	Failed       bool             // a call of Heal tried: its posts to the connection failed
}

// Receipt is the stored answer to an idempotency key.
type Receipt struct {
	CartID      string
	Key         string
	Fingerprint string // of the request
	Answer      []byte // JSON of a wire.OK
	At          time.Time
}

// Expired reports whether the key may be used again. Stores may delete expired
// receipts late (DynamoDB's TTL may lag by days), so the hub checks when it reads
// one.
func (r Receipt) Expired(now time.Time) bool { return now.After(r.At.Add(ReceiptLife)) }

// CartWrite is a cart to write, and the version it is based on.
type CartWrite struct {
	Cart Cart
	Base int64
}

// Session is a session that must not be revoked when something is written.
type Session struct {
	Revocation string    // name of its revocation, see [Revocations]
	Issued     time.Time // zero: before any revocation
}

// RevokedBy reports whether a revocation of sessions issued up to a time revokes s. The
// zero time is no revocation.
func (s Session) RevokedBy(until time.Time) bool { return !until.IsZero() && !s.Issued.After(until) }

// Connections records who is connected. All methods are idempotent.
type Connections interface {
	// PutConnection creates or replaces the row of c, except for its topics and Pretty:
	// what is recorded of them stays. Before that it lists c with its holder. A previous
	// holder may list c for up to ConnectionLife. ErrGone: the connection has ended,
	// and nothing is stored.
	PutConnection(ctx context.Context, c Connection) error

	// Connection reads a row, strongly consistent. ErrGone: there is none.
	Connection(ctx context.Context, id string) (Connection, error)

	// ConnectionsOf reads the rows of connections, strongly consistent. Connections
	// without a row are not in the map.
	ConnectionsOf(ctx context.Context, ids []string) (map[string]Connection, error)

	// ReplacePrincipal sets a connection's principal to next if it is still prev.
	// Both have the same user. ErrConflict: the principal is a third one, and stays.
	// ErrGone: there is no such row.
	ReplacePrincipal(ctx context.Context, id string, prev, next Principal) error

	// SetPretty sets [Connection.Pretty], which PutConnection leaves as it is. ErrGone: there
	// is no such row.
	SetPretty(ctx context.Context, id string, on bool) error

	// Forget removes a connection, its entry with its holder and its subscriptions. It
	// also removes the subscriptions to the given topics, because a subscription may
	// outlive the row of its connection. A retry mark stays, and healing clears it. A
	// connection that has not ended may be put again.
	Forget(ctx context.Context, id string, topics ...Topic) error

	// EndConnection forgets a connection for good, whether it is known or not: it
	// cannot be put again until ConnectionLife after now. Its subscriptions to SKUs
	// that have spare subscribers at most may stay. They expire.
	EndConnection(ctx context.Context, id string, now time.Time, spare int) error
}

// Subscriptions records who receives what. All methods are idempotent.
type Subscriptions interface {
	// Subscribe writes a subscription of c for each topic, then adds the topics to
	// those of c, and returns c as it is recorded then. It replaces existing
	// subscriptions. When it returns, Subscribers finds all of them. ErrGone: c has no
	// row; if c has ended, none is found, and otherwise they expire. If it fails, some
	// may have been written. A topic that Connection shows always has its subscription.
	Subscribe(ctx context.Context, c Connection, topics []Topic) (Connection, error)

	// Unsubscribe removes subscriptions, and their topics from the connection's. It
	// returns [Connection.Unsubscribed] as it is then.
	Unsubscribe(ctx context.Context, id string, topics []Topic) (unsubscribed int64, err error)

	// Subscribers reads at most limit subscribers of t in order of connection id,
	// beginning after the given id, without those that ExactSubscribers reads. It is
	// strongly consistent: it sees every Subscribe that returned before the call began.
	// next is "" at the end. Expired rows may be among them.
	Subscribers(ctx context.Context, t Topic, after string, limit int) (page []Subscriber, next string, err error)

	// ExactSubscribers reads, as Subscribers does, the connections among the subscribers
	// of a SKU that may see its exact figures: those that have or had a principal with
	// [Principal.MaySeeExact] since they were recorded. Other topics have none. A
	// subscription that is written again moves to this list if its connection is one of
	// them now. It never moves back. For a moment it is in both lists, but never in
	// neither.
	ExactSubscribers(
		ctx context.Context, t Topic, after string, limit int,
	) (page []Subscriber, next string, err error)
}

// Holders records who connections are counted for.
type Holders interface {
	// Holder reads at most limit connections of a holder, strongly consistent, in
	// order of id, beginning after the given id. Expired connections may be among
	// them.
	Holder(ctx context.Context, id, after string, limit int) (Holder, error)
}

// Revocations records which sessions were revoked. All methods are idempotent. They are
// kept where carts are, because a write of [Writer.PutCarts] may depend on them.
type Revocations interface {
	// Revocation returns the time up to which sessions are revoked, strongly
	// consistent; the zero time if they are not. name is a [NameHash] of their user.
	Revocation(ctx context.Context, name string) (time.Time, error)

	// Revoke records that sessions issued up to a time, to the millisecond, are
	// revoked. A time earlier than the recorded one changes nothing. The revocation is
	// kept for RevocationLife.
	Revoke(ctx context.Context, name string, until time.Time) error
}

// Quotas counts what a client uses. Each holder has counters and sets of its own.
type Quotas interface {
	// Count adds n to a counter and returns the sum. A counter starts at 0 and may
	// disappear after expires. Count is not idempotent: after an error the call may
	// have been counted.
	Count(ctx context.Context, holder, counter string, n int, expires time.Time) (int, error)

	// Collect adds names to a set, all or none, and returns those of them that the
	// set then contains, in the given order. A set with most names
	// accepts no new ones. The set may disappear after expires.
	Collect(
		ctx context.Context, holder, set string, names []string, most int, expires time.Time,
	) (members []string, err error)
}

// Marks records who did not receive what. All methods are idempotent.
type Marks interface {
	// MarkForRetry records that connections need a fresh snapshot of topics, in
	// addition to the topics recorded before. An existing mark keeps Since and gets a
	// new Revision. Of several revs of a topic it keeps the newest. Failed adds one to
	// Tries, and the first time sets FailingSince to now. The result has one error for
	// each connection, nil if its mark is recorded. There may be thousands of marks and
	// little time, so implementations write them concurrently or in batches.
	MarkForRetry(ctx context.Context, undelivered []Undelivered, now time.Time) []error

	// RetryMarks lists at most limit marks, beginning after the connection with the
	// given id, which need not have one; "" is the beginning. next is the id to go on
	// with, "" at the end. The order is fixed: it depends on the ids alone.
	RetryMarks(ctx context.Context, after string, limit int) (marks []RetryMark, next string, err error)

	// MarkOf reads the mark of a connection, strongly consistent. ErrGone: it has none.
	MarkOf(ctx context.Context, connectionID string) (RetryMark, error)

	// ClearRetryMarks removes the marks of connections that were served. One that was
	// renewed since it was read stays, with no failed tries. A mark with Revision 0 is
	// removed in any case. The result has one error for each mark.
	ClearRetryMarks(ctx context.Context, marks []RetryMark) []error
}

// Sweep records that a crowd needs the newest value of its SKU, and how far it was served. A
// circle begins behind a connection, goes on to the last one, and then from the first
// to where it began.
type Sweep struct {
	Topic   Topic  // the SKU
	Wanted  string // sequence number of the newest change that the crowd needs
	Rev     string // the newest rev that the crowd needs, "" if versions order its changes, see [NewerRev]
	Serving string // the Wanted that the circle serves, "" before the first page
	From    string // id of the connection behind which the circle began, "" before the first one
	At      string // id of the connection behind which the next page begins
	Wrapped bool   // the circle goes from the first connection to From
	Step    int64  // rises with each SaveSweep, see [Sweep.NextStep]; the lowest has waited longest
	Updated time.Time
}

// NextStep returns the Step of a sweep that is saved at a time: that time in milliseconds.
// Steps rise even if the clock does not.
func (s Sweep) NextStep(now time.Time) int64 { return max(s.Step+1, now.UnixMilli()) }

// Crowds records which crowds must be served. Each change of a row rings a bell:
// something calls [Hub.Sweep] afterwards.
type Crowds interface {
	// AskSweep records that a crowd needs the change with a sequence number, and a rev
	// unless it is "". Wanted and Rev keep the newest of all calls. AskSweep changes
	// neither Step nor how far the crowd was served. The Step of a new sweep is now in
	// milliseconds. AskSweep is idempotent.
	AskSweep(ctx context.Context, t Topic, sequence, rev string, now time.Time) error

	// Sweeps lists all sweeps, strongly consistent, in order of their topics.
	Sweeps(ctx context.Context) ([]Sweep, error)

	// SaveSweep records how far a crowd was served: Serving, From, At and Wrapped.
	// Step becomes s.NextStep. ErrConflict: the stored Step is another one, or the sweep
	// has ended. Nothing was written.
	SaveSweep(ctx context.Context, s Sweep, now time.Time) error

	// RingSweep rings the bell of a sweep: it sets Updated, and nothing else, so that a
	// page that runs can be saved. A sweep that does not exist is no error.
	RingSweep(ctx context.Context, t Topic, now time.Time) error

	// EndSweep removes a sweep. A sweep that does not exist is no error. ErrConflict: the
	// stored Step is another one, or Wanted differs from s.Serving. The sweep stays.
	EndSweep(ctx context.Context, s Sweep) error
}

// Source reads current state, strongly consistent.
type Source interface {
	// Epoch returns the record of the history that versions belong to. It changes only
	// if the store lost committed state.
	Epoch(ctx context.Context) (Epoch, error)

	// Items reads items, including tombstones. Unknown SKUs are not in the map. A row
	// that cannot be read is in it as the zero Item.
	Items(ctx context.Context, skus []string) (map[string]Item, error)

	// VendorSKUs reads at most limit names of a vendor's items, in order, beginning
	// after the given name. more reports that there are others. Tombstones are not
	// among them. The list may lag behind the items.
	VendorSKUs(ctx context.Context, vendor, after string, limit int) (skus []string, more bool, err error)

	// Cart reads a cart. An unknown cart has version 0. The caller may change the
	// cart that it gets. ErrUnreadable: its row is malformed.
	Cart(ctx context.Context, id string) (Cart, error)

	// Receipt reads the receipt of a key of a cart. ErrGone: there is none.
	Receipt(ctx context.Context, cartID, key string) (Receipt, error)
}

// Writer changes items and carts. Each successful change of a row appears once,
// with the row before and after it, in the store's change feed: after it is
// committed, and in the order of versions for each row.
type Writer interface {
	// PutItem writes an item if the stored one is at version base; 0 means that there
	// is none. ErrConflict: it is at another version, and nothing was written.
	PutItem(ctx context.Context, item Item, base int64) error

	// IndexItem updates the vendor indexes after an external write to an item: that
	// of its vendor, unless the item is deleted, and those of former vendors. It is
	// idempotent and ignores older versions.
	IndexItem(ctx context.Context, item Item, former []string) error

	// PutCarts writes the carts and the receipt, unless it is nil, all or nothing.
	// ErrConflict: a cart is not at its version Was, the key has a receipt that has
	// not expired at the new receipt's time, or a session was revoked. Nothing was
	// written.
	PutCarts(ctx context.Context, carts []CartWrite, receipt *Receipt, sessions ...Session) error
}

// Tickets keeps tickets while they are valid.
type Tickets interface {
	// PutTicket records a ticket under its hash.
	PutTicket(ctx context.Context, t Ticket) error

	// TakeTicket removes a ticket and returns it, even if it has expired. At most
	// one caller ever gets a ticket. All others get ErrGone, as they do for an
	// unknown hash. After any other error, the ticket may be used up although no
	// caller got it.
	TakeTicket(ctx context.Context, hash string) (Ticket, error)
}

// Concurrency makes several accesses at once. A Hub starts no goroutine, so that a seed
// replays a failure exactly: how accesses run side by side is the store's business.
type Concurrency interface {
	// Together makes calls that do not depend on each other, at the same time or in any
	// order, and returns when all have returned.
	Together(calls ...func())
}

// Registry stores the records of clients.
type Registry interface {
	Connections
	Subscriptions
	Holders
	Revocations
	Quotas
	Marks
	Crowds
	Tickets
}

// Store is everything the hub keeps: what it records of clients, and the shop's
// items and carts.
type Store interface {
	Registry
	Source
	Writer
	Eraser
	Concurrency
}

// Change is one committed change of an item or a cart. Old is nil for a new row.
//
// If somebody removed the row from its table, which the hub never does, New is the
// row that clients get: an item as a tombstone with the next version, or an empty
// cart with the next version. [RemovedItem], [RemovedCart], [RemovedUnreadableItem]
// and [RemovedUnreadableCart] return such changes.
type Change struct {
	OldItem, NewItem *Item
	OldCart, NewCart *Cart

	// OldUnreadable says that there was a row before, which could not be read. Old is
	// nil then. Subscribers heard nothing of it.
	OldUnreadable bool

	Removed  bool   // somebody removed the row
	Sequence string // sequence number in the stream of the table; package table leaves it out
}

// RemovedItem returns the change for an item whose row somebody removed. Nobody knows
// when, so the tombstone has no time.
func RemovedItem(old Item) Change {
	tombstone := old
	tombstone.Version, tombstone.Available, tombstone.Deleted = old.Version+1, 0, true
	tombstone.UpdatedAt = time.Time{}
	return Change{OldItem: &old, NewItem: &tombstone, Removed: true}
}

// RemovedCart returns the change for a cart whose row somebody removed.
func RemovedCart(old Cart) Change {
	next := old.Version + 1
	return Change{OldCart: &old, NewCart: &Cart{ID: old.ID, Version: next, Floor: next}, Removed: true}
}

// RemovedUnreadableItem returns the change for an item whose row could not be read
// before somebody removed it. Nothing is known of the item but its SKU.
func RemovedUnreadableItem(sku string) Change {
	return Change{NewItem: &Item{SKU: sku, Deleted: true}, OldUnreadable: true, Removed: true}
}

// RemovedUnreadableCart returns the change for a cart whose row could not be read
// before somebody removed it at the given time. The time in microseconds is a version
// above those of the removed cart and up to that of the next one, which both began at
// their time; see [Hub.WithCartsFrom]. at may be rounded down, to seconds for
// example: a cart that began in the same second then keeps its lines on screens
// until they subscribe again.
func RemovedUnreadableCart(id string, at time.Time) Change {
	version := at.UnixMicro()
	return Change{NewCart: &Cart{ID: id, Version: version, Floor: version}, OldUnreadable: true, Removed: true}
}

// NewerRev reports whether the change with rev a came after the change with rev b. A
// rev is the sequence number of a change in the stream of its table: digits without
// leading zeros, which rise for each row. "" comes before all others.
func NewerRev(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) > 0
}

// raised reports whether a client that keeps the highest version of the row takes
// the change. The hub's own writes always raise the version, a shop's may not.
func (c Change) raised() bool {
	switch {
	case c.NewCart != nil && c.Removed:
		return true // and the next cart has a higher version still, see [Cart.update]
	case c.OldUnreadable:
		return false // clients may show a version from before that row
	case c.NewCart != nil:
		return c.OldCart == nil || c.NewCart.Version > c.OldCart.Version
	case c.OldItem == nil:
		return c.NewItem.Version > 0
	}
	return !c.Removed && c.NewItem.Version > c.OldItem.Version
}

// Post is one message to one connection.
type Post struct {
	ConnectionID string
	Endpoint     string
	Data         []byte // shared; must not be changed
}

// Poster sends to connections, as @connections does.
type Poster interface {
	// Post sends the posts and returns one error for each, nil if the transport
	// accepted it. Posts to one connection go out in the given order: what comes
	// behind a post that stays throttled is not sent, and is ErrThrottled too. Post
	// retries what is throttled for as long as it chooses; no connection
	// delays another for longer than that. Post returns early enough before the
	// deadline of ctx that the caller can record what was not sent. Errors are
	// ErrGone, ErrThrottled, ErrTooLarge, ErrForbidden, or internal.
	Post(ctx context.Context, posts []Post) []error

	Ender
}

// Ender ends connections.
type Ender interface {
	// Disconnect ends a connection, and its client will reconnect. An unknown
	// connection is not an error.
	Disconnect(ctx context.Context, connectionID, endpoint string) error
}
