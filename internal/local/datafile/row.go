package datafile

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// format names the layout of the rows. It changes with the layout.
const format = "securecart-hub 1"

// bucket is the name of the only bucket.
const bucket = "hub"

// The keys of rows, and prefixes of them.
const (
	itemPrefix    = "item/"
	cartPrefix    = "cart/"
	receiptPrefix = "receipt/"
	revokedPrefix = "revoked/"
	shownKey      = "shown"
	epochKey      = "epoch"
	keysKey       = "keys"
	formatKey     = "format"
	sumKey        = "sum"
)

// row is a row as the file has it; without a value it was removed.
type row struct {
	key   string
	value []byte
}

// encode returns the rows of a change.
func encode(changed memstore.Rows) (rows []row, err error) {
	add := func(key string, v any, removed bool) {
		r := row{key: key}
		if !removed && err == nil {
			r.value, err = json.Marshal(v)
		}
		rows = append(rows, r)
	}
	if changed.Epoch != "" {
		rows = append(rows, row{epochKey, []byte(changed.Epoch)})
	}
	if changed.Shown > 0 {
		rows = append(rows, row{shownKey, strconv.AppendInt(nil, changed.Shown, 10)})
	}
	for sku, item := range changed.Items {
		add(itemPrefix+sku, item, item == nil)
	}
	for id, cart := range changed.Carts {
		add(cartPrefix+id, cart, cart == nil)
	}
	for k, receipt := range changed.Receipts {
		add(receiptPrefix+k.CartID+"\x00"+k.Key, receipt, receipt == nil)
	}
	for holder, until := range changed.Revocations {
		add(revokedPrefix+holder, until, until.IsZero())
	}
	return rows, err
}

// readRows reads all rows and compares them with their checksum.
func readRows(tx *bbolt.Tx) (memstore.Rows, error) {
	rows := memstore.NewRows()
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return rows, ErrForeign
	}
	if found := b.Get([]byte(formatKey)); string(found) != format && strings.HasPrefix(string(found), "securecart-hub ") {
		return rows, fmt.Errorf("%w (%s)", ErrFormat, found)
	}
	var sum uint64
	err := b.ForEach(func(key, value []byte) error {
		if string(key) == sumKey {
			return nil
		}
		sum += rowSum(string(key), value)
		return decode(&rows, string(key), value)
	})
	if err != nil {
		return rows, err
	}
	if got, want := sumText(sum), string(b.Get([]byte(sumKey))); got != want {
		return rows, fmt.Errorf("%w (the checksum of all rows is %s, want %s)", ErrDamaged, got, want)
	}
	return rows, nil
}

// decode adds a row of the file to rows.
func decode(rows *memstore.Rows, key string, value []byte) (err error) {
	kind, name, _ := strings.Cut(key, "/")
	switch kind + "/" {
	case itemPrefix:
		err = decodeRow(value, func(i *hub.Item) { rows.Items[i.SKU] = i })
	case cartPrefix:
		err = decodeRow(value, func(c *hub.Cart) { rows.Carts[c.ID] = c })
	case receiptPrefix:
		err = decodeRow(value, func(r *hub.Receipt) { rows.Receipts[memstore.ReceiptKey{CartID: r.CartID, Key: r.Key}] = r })
	case revokedPrefix:
		err = decodeRow(value, func(until *time.Time) { rows.Revocations[name] = *until })
	case shownKey + "/":
		rows.Shown, err = strconv.ParseInt(string(value), 10, 64)
	case epochKey + "/":
		rows.Epoch = string(value)
	}
	if err != nil {
		return fmt.Errorf("%w (row %q: %v)", ErrDamaged, key, err)
	}
	return nil
}

func decodeRow[T any](value []byte, add func(*T)) error {
	v := new(T)
	if err := json.Unmarshal(value, v); err != nil {
		return err
	}
	add(v)
	return nil
}

// rowSum is the checksum of one row. The checksum of all rows is the sum of theirs, so
// a change of a row changes it without a look at the others.
func rowSum(key string, value []byte) uint64 {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(key))))
	h.Write([]byte(key))
	h.Write(value)
	return binary.BigEndian.Uint64(h.Sum(nil))
}

func sumText(sum uint64) string { return fmt.Sprintf("%016x", sum) }

// rowTx is a transaction that keeps the checksum of all rows.
type rowTx struct {
	b   *bbolt.Bucket
	sum uint64
}

// update runs a transaction. It is on disk when update returns.
func update(db *bbolt.DB, change func(*rowTx) error) error {
	return db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		t := &rowTx{b: b}
		if text := t.get(sumKey); text != nil {
			if t.sum, err = strconv.ParseUint(string(text), 16, 64); err != nil {
				return fmt.Errorf("%w (%v)", ErrDamaged, err)
			}
		}
		if err := change(t); err != nil {
			return err
		}
		return t.b.Put([]byte(sumKey), []byte(sumText(t.sum)))
	})
}

// get returns the value of a row until the transaction ends, nil if there is no such row.
func (t *rowTx) get(key string) []byte { return t.b.Get([]byte(key)) }

// put writes a row, or removes it if it has no value.
func (t *rowTx) put(key string, value []byte) error {
	if old := t.get(key); old != nil {
		t.sum -= rowSum(key, old)
	}
	if value == nil {
		return t.b.Delete([]byte(key))
	}
	t.sum += rowSum(key, value)
	return t.b.Put([]byte(key), value)
}
