package dynamostore

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// The attributes of the hub table.
const (
	attrPK      = "pk"
	attrSK      = "sk"
	attrExpires = "expires" // seconds since 1970: the table's TTL

	// Of connections. Subscriptions have some of them.
	attrUser             = "user"
	attrRole             = "role"
	attrVendor           = "vendor"
	attrAuthorityIssued  = "authorityIssued"
	attrAuthorityExpires = "authorityExpires"
	attrEndpoint         = "endpoint"
	attrProtocol         = "protocol"
	attrConnectedAt      = "connectedAt"
	attrNotice           = "notice"
	attrAddress          = "address"
	attrPretty           = "pretty" // answers to typed lines are text: "on"
	attrTopics           = "topics" // a set of strings; marks have it too
	attrRevs             = "revs"   // of marks: a set of a rev, a blank and a topic
	attrLeft             = "left"   // how often Unsubscribe changed the row
	attrPut              = "put"    // random: which PutConnection wrote the row
	attrExact            = "exact"  // the connection may see exact figures of SKUs, or once could

	// Of holders, counters and sets.
	attrRevoked = "revoked"
	attrCount   = "count"
	attrNames   = "names"

	// Of marks.
	attrSince   = "since"
	attrMark    = "mark"
	attrTries   = "tries"
	attrFailing = "failing" // since when, in milliseconds

	// Of receipts.
	attrFingerprint = "fingerprint"
	attrAnswer      = "answer"
	attrAt          = "at"

	// Of sweeps. Numbers of the stream have sequenceDigits.
	attrWanted  = "wanted"
	attrRev     = "rev"
	attrServing = "serving"
	attrFrom    = "from"
	attrWrapped = "wrapped"
	attrStep    = "step"
	attrUpdated = "updated"

	attrUntil = "until" // of tickets: when they expire, in milliseconds

	// Of the epoch.
	attrEpoch    = "epoch"
	attrPrevious = "previous" // the epoch until begins
	attrBegins   = "begins"   // seconds since 1970, as shells have it

	attrKeys    = "keys"    // the development keys
	attrVersion = "version" // of vendor indexes: the item's version when it was added
)

// row is a row in the SDK's types. In rows that we build, nil stands for a missing
// attribute.
type row = map[string]types.AttributeValue

// key is the key of a row of the hub table.
type key struct{ pk, sk string }

func (k key) row() row { return row{attrPK: text(k.pk), attrSK: text(k.sk)} }

// Prefixes of keys whose rest is read.
const (
	markPrefix       = "m#"
	connectionPrefix = "c#"
	exactPrefix      = "a#" // of subscriptions of connections that may see exact figures
	skuPrefix        = "s#"
)

// connectionPartition has a hash of the connection's id, because the row of a connection
// that has ended stays for a while.
func connectionPartition(id string) string { return "C#" + hub.NameHash(id) }

func connectionKey(id string) key { return key{connectionPartition(id), "!"} }

// markShards is the number of partitions with marks. A partition takes 1 000 write units
// a second, and a mark is one.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
const markShards = 8

// markShard returns the shard that has the mark of a connection, 1 to markShards. Older
// versions of the hub had marks in a shard 0. They are not read, and expire.
func markShard(id string) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // never fails
	return 1 + int(hash.Sum32()%markShards)
}

func markPartition(shard int) string { return fmt.Sprintf("S#%d", shard) }

func markKey(id string) key { return key{markPartition(markShard(id)), markPrefix + id} }

// markBits is how many bits of a mark's number are random. The others are its time
// in milliseconds since 1970, until the year 2248. So no number occurs twice, also if a
// mark is cleared and set again.
const markBits = 20

func newMark(now time.Time, random uint64) int64 {
	return now.UnixMilli()<<markBits | int64(random>>(64-markBits))
}

// attrLive is an attribute that the row of a connection has until the connection
// ends.
const attrLive = attrUser

// live reports whether the row is of a connection that has not ended.
func live(r row) bool { return r[attrLive] != nil }

// shard is the only shard of a topic so far. The key has it so that there can be
// more.
const shard = "0"

func topicPartition(topic string) string { return "T#" + topic + "#" + shard }

func subscriptionKey(topic, id string) key  { return key{topicPartition(topic), connectionPrefix + id} }
func exactKey(topic, id string) key         { return key{topicPartition(topic), exactPrefix + id} }
func receiptPartition(cartID string) string { return "K#" + cartID }
func receiptKey(cartID, name string) key    { return key{receiptPartition(cartID), "k#" + name} }
func holderPartition(holder string) string  { return "O#" + holder }
func heldKey(holder, id string) key         { return key{holderPartition(holder), connectionPrefix + id} }
func revocationKey(name string) key         { return key{"R#" + name, "!"} }
func quotaPartition(holder string) string   { return "N#" + holder }
func quotaKey(holder, name string) key      { return key{quotaPartition(holder), name} }
func vendorPartition(vendor string) string  { return "V#" + vendor }
func vendorKey(vendor, sku string) key      { return key{vendorPartition(vendor), skuPrefix + sku} }
func ticketKey(hash string) key             { return key{"X#" + hash, "!"} }
func epochKey() key                         { return key{"E", "!"} }
func developmentKeysKey() key               { return key{"D", "!"} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func set(names []string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: names} }

// optional returns nil for an empty string.
func optional(s string) types.AttributeValue {
	if s == "" {
		return nil
	}
	return text(s)
}

// millis returns a time in milliseconds since 1970, nil for the zero time.
func millis(t time.Time) types.AttributeValue {
	if t.IsZero() {
		return nil
	}
	return number(t.UnixMilli())
}

// expiry returns a time as DynamoDB's TTL needs it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
func expiry(t time.Time) types.AttributeValue { return number(t.Unix()) }

// present removes nil attributes from a row.
func present(r row) row {
	maps.DeleteFunc(r, func(_ string, v types.AttributeValue) bool { return v == nil })
	return r
}

// with returns a row with this key and the given attributes.
func (k key) with(attributes row) row {
	r := k.row()
	maps.Copy(r, attributes)
	return present(r)
}

// The functions below return the zero value if an attribute is missing or has the
// wrong type. Rows of the hub table are our own, and one malformed row must not
// prevent reading the others.

func textOf(r row, name string) string {
	if v, ok := r[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func bytesOf(r row, name string) []byte {
	if v, ok := r[name].(*types.AttributeValueMemberB); ok {
		return v.Value
	}
	return nil
}

func setOf(r row, name string) []string {
	if v, ok := r[name].(*types.AttributeValueMemberSS); ok {
		return v.Value
	}
	return nil
}

func numberOf(r row, name string) int64 {
	if v, ok := r[name].(*types.AttributeValueMemberN); ok {
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n
		}
	}
	return 0
}

func timeOf(r row, name string) time.Time {
	if _, ok := r[name].(*types.AttributeValueMemberN); !ok {
		return time.Time{}
	}
	return time.UnixMilli(numberOf(r, name)).UTC()
}

// topicsOf returns the topics of a row in a fixed order. It skips invalid ones.
func topicsOf(r row) []hub.Topic {
	var topics []hub.Topic
	for _, name := range slices.Sorted(slices.Values(setOf(r, attrTopics))) {
		if t, err := hub.ParseTopic(name); err == nil {
			topics = append(topics, t)
		}
	}
	return topics
}

// topicNames returns topics as rows have them, each once.
func topicNames(topics []hub.Topic) []string {
	names := make([]string, 0, len(topics))
	for _, t := range topics {
		names = append(names, t.String())
	}
	return unique(names)
}

// unique returns a sorted copy without duplicates, which DynamoDB refuses in sets
// and batches.
func unique(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func principalRow(p hub.Principal) row {
	return row{
		attrUser:             text(p.User),
		attrRole:             text(string(p.Role)),
		attrVendor:           optional(p.Vendor),
		attrAuthorityIssued:  millis(p.Issued),
		attrAuthorityExpires: millis(p.Expires),
	}
}

func principalOf(r row) hub.Principal {
	return hub.Principal{
		User:    textOf(r, attrUser),
		Role:    hub.Role(textOf(r, attrRole)),
		Vendor:  textOf(r, attrVendor),
		Issued:  timeOf(r, attrAuthorityIssued),
		Expires: timeOf(r, attrAuthorityExpires),
	}
}

func subscriberRow(s hub.Subscriber) row {
	r := principalRow(s.Principal)
	r[attrUser] = optional(s.Principal.User)
	setConnected(r, s.Endpoint, s.ConnectedAt)
	return r
}

// setConnected sets what the rows of a connection and of its subscriptions share.
func setConnected(r row, endpoint string, connectedAt time.Time) {
	r[attrEndpoint] = text(endpoint)
	r[attrConnectedAt] = millis(connectedAt)
	r[attrExpires] = expiry(connectedAt.Add(hub.ConnectionLife))
}

func subscriberOf(r row, id string) hub.Subscriber {
	return hub.Subscriber{
		ConnectionID: id, Principal: principalOf(r),
		Endpoint: textOf(r, attrEndpoint), ConnectedAt: timeOf(r, attrConnectedAt),
	}
}

// sweepKey is the key of a row of the sweep table. All have one partition, so the
// stream has one shard: one invocation reads it at a time.
func sweepKey(t hub.Topic) key { return key{sweepPartition, t.String()} }

const sweepPartition = "S"

func connectionRow(c hub.Connection) row {
	r := principalRow(c.Principal)
	setConnected(r, c.Endpoint, c.ConnectedAt)
	r[attrProtocol] = optional(c.Protocol)
	r[attrNotice] = optional(c.Notice)
	r[attrAddress] = optional(c.ClientHash)
	return r
}

// prettyOn is the value of attrPretty.
const prettyOn = "on"

func connectionOf(r row, id string) hub.Connection {
	s := subscriberOf(r, id)
	return hub.Connection{
		ID: id, Principal: s.Principal, Endpoint: s.Endpoint, ConnectedAt: s.ConnectedAt,
		Protocol: textOf(r, attrProtocol), Notice: textOf(r, attrNotice), ClientHash: textOf(r, attrAddress),
		Topics: topicsOf(r), Unsubscribed: numberOf(r, attrLeft), Exact: r[attrExact] != nil,
		Pretty: textOf(r, attrPretty) == prettyOn,
	}
}

func receiptRow(receipt hub.Receipt) row {
	r := row{
		attrFingerprint: text(receipt.Fingerprint),
		attrAt:          millis(receipt.At),
		attrExpires:     expiry(receipt.At.Add(hub.ReceiptLife)),
	}
	if len(receipt.Answer) > 0 {
		r[attrAnswer] = &types.AttributeValueMemberB{Value: receipt.Answer}
	}
	return r
}
