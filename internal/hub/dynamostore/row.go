package dynamostore

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// The attributes of the hub table.
const (
	attrPK      = "pk"
	attrSK      = "sk"
	attrExpires = "expires" // seconds since 1970: the table's TTL

	// Of connections; subscriptions have some of them.
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
	attrTopics           = "topics" // a set of strings; of marks too
	attrLeft             = "left"   // how often Unsubscribe was at work

	// Of owners, counters and sets.
	attrRevoked = "revoked"
	attrCount   = "count"
	attrNames   = "names"

	// Of marks.
	attrSince = "since"
	attrMark  = "mark"

	// Of idempotency keys.
	attrFingerprint = "fingerprint"
	attrAnswer      = "answer"
	attrAt          = "at"

	attrUntil = "until" // of tickets: when they end, in milliseconds

	attrEpoch   = "epoch"
	attrVersion = "version" // of vendors' lists: of the item when it was listed
)

// row is a row as the SDK has it. Where rows are made, nil stands for an
// attribute that is not there.
type row = map[string]types.AttributeValue

// key is the key of a row of the hub table.
type key struct{ pk, sk string }

func (k key) row() row { return row{attrPK: text(k.pk), attrSK: text(k.sk)} }

// How keys begin whose rest is read.
const (
	ofConnection = "C#"
	ofMark       = "m#"
	ofSubscriber = "c#"
	ofSKU        = "s#"
)

func connectionKey(id string) key { return key{ofConnection + id, "!"} }
func markKey(id string) key       { return key{ofConnection + id, "stale"} }

// orderPartition lists the marks. 1 000 marks a second is what a partition takes
// (aws.md 1.3); who needs more gives them several.
const orderPartition = "S#0"

// markBits is how many bits of a mark's number are random. The others are its time
// in milliseconds since 1970, until the year 2248: so marks are in order, and no
// number comes twice.
const markBits = 20

func newMark(at time.Time, random uint64) int64 {
	return at.UnixMilli()<<markBits | int64(random>>(64-markBits))
}

func placeKey(mark int64, id string) key {
	return key{orderPartition, fmt.Sprintf("%s%019d#%s", ofMark, mark, id)}
}

// readPlace is the mark that a place in the order is of, and its connection.
func readPlace(sk string) (mark int64, id string) {
	digits, id, _ := strings.Cut(strings.TrimPrefix(sk, ofMark), "#")
	mark, _ = strconv.ParseInt(digits, 10, 64) // placeKey wrote it
	return mark, id
}

// ofLiving is an attribute that the row of a connection has until the connection
// ends.
const ofLiving = attrUser

func living(r row) bool { return r[ofLiving] != nil }

// shard is the only one, so far, of a topic. It is in the key, so that there can
// be others.
const shard = "0"

func topicPartition(topic string) string { return "T#" + topic + "#" + shard }

func subscriptionKey(topic, id string) key { return key{topicPartition(topic), ofSubscriber + id} }
func requestKey(cartID, name string) key   { return key{"K#" + cartID, "k#" + name} }
func ownerPartition(owner string) string   { return "O#" + owner }
func ownedKey(owner, id string) key        { return key{ownerPartition(owner), ofSubscriber + id} }
func revocationKey(owner string) key       { return key{ownerPartition(owner), "!"} }
func tallyKey(name string) key             { return key{"N#" + name, "!"} }
func vendorPartition(vendor string) string { return "V#" + vendor }
func vendorKey(vendor, sku string) key     { return key{vendorPartition(vendor), ofSKU + sku} }
func ticketKey(hash string) key            { return key{"X#" + hash, "!"} }
func epochKey() key                        { return key{"E", "!"} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func set(names []string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: names} }

// optional is nil for an empty string.
func optional(s string) types.AttributeValue {
	if s == "" {
		return nil
	}
	return text(s)
}

// millis is a time in milliseconds since 1970, nil for the zero time.
func millis(t time.Time) types.AttributeValue {
	if t.IsZero() {
		return nil
	}
	return number(t.UnixMilli())
}

// expiry is a time as DynamoDB's TTL reads it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
func expiry(t time.Time) types.AttributeValue { return number(t.Unix()) }

// present is a row without the attributes that are not there.
func present(r row) row {
	maps.DeleteFunc(r, func(_ string, v types.AttributeValue) bool { return v == nil })
	return r
}

// with is a row with the attributes of others.
func (k key) with(attributes row) row {
	r := k.row()
	maps.Copy(r, attributes)
	return present(r)
}

// The readers below take what is there and has the right type. Rows of the hub
// table are our own, and one that is odd must not keep the others from being read.

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

// topicsOf reads topics in a fixed order. What is not one is left out.
func topicsOf(r row) []hub.Topic {
	var topics []hub.Topic
	for _, name := range slices.Sorted(slices.Values(setOf(r, attrTopics))) {
		if t, err := hub.ParseTopic(name); err == nil {
			topics = append(topics, t)
		}
	}
	return topics
}

// topicNames writes topics as rows have them, each once.
func topicNames(topics []hub.Topic) []string {
	names := make([]string, 0, len(topics))
	for _, t := range topics {
		names = append(names, t.String())
	}
	return unique(names)
}

// unique is a sorted copy without repetitions, which DynamoDB refuses in sets and
// batches.
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
	r[attrEndpoint] = text(s.Endpoint)
	r[attrConnectedAt] = millis(s.ConnectedAt)
	r[attrExpires] = expiry(s.ConnectedAt.Add(hub.ConnectionLife))
	return r
}

func subscriberOf(r row, id string) hub.Subscriber {
	return hub.Subscriber{
		ConnectionID: id, Principal: principalOf(r), Endpoint: textOf(r, attrEndpoint), ConnectedAt: timeOf(r, attrConnectedAt),
	}
}

func connectionRow(c hub.Connection) row {
	r := subscriberRow(c.Subscriber())
	r[attrProtocol] = optional(c.Protocol)
	r[attrNotice] = optional(c.Notice)
	r[attrAddress] = optional(c.ClientHash)
	return r
}

func connectionOf(r row, id string) hub.Connection {
	s := subscriberOf(r, id)
	return hub.Connection{
		ID: id, Principal: s.Principal, Endpoint: s.Endpoint, ConnectedAt: s.ConnectedAt,
		Protocol: textOf(r, attrProtocol), Notice: textOf(r, attrNotice), ClientHash: textOf(r, attrAddress), Topics: topicsOf(r),
	}
}

func requestRow(q hub.Receipt) row {
	r := row{
		attrFingerprint: text(q.Fingerprint),
		attrAt:          millis(q.At),
		attrExpires:     expiry(q.At.Add(hub.ReceiptLife)),
	}
	if len(q.Answer) > 0 {
		r[attrAnswer] = &types.AttributeValueMemberB{Value: q.Answer}
	}
	return r
}
