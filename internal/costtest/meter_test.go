package costtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/securecart/hub/internal/prices"
)

// meter is the way from the SDK to the engine. It counts each request, and lets it take
// [prices.RoundTrip] of a bubble's time: requests that do not wait for each other take
// that once.
type meter struct {
	transport *http.Transport
	keys      map[string][]string // the key attributes of each table

	mu     sync.Mutex // guards everything below
	off    bool
	counts map[string]int // requests by operation
	reads  float64
	writes float64
	wrong  []string // requests that the engine bills otherwise
}

func newMeter(keys map[string][]string) *meter {
	// An idle connection waits for bytes, and no time passes in a bubble while it does.
	return &meter{transport: &http.Transport{DisableKeepAlives: true}, keys: keys, counts: map[string]int{}}
}

// RoundTrip implements [http.RoundTripper].
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	off := m.off
	m.mu.Unlock()
	if off {
		response, _, err := m.send(r, body)
		return response, err
	}
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	in["ReturnConsumedCapacity"] = "TOTAL"
	if body, err = json.Marshal(in); err != nil {
		return nil, err
	}
	written := m.writtenRows(in)
	before, err := m.peek(r, written)
	if err != nil {
		return nil, err
	}
	response, answer, err := m.send(r, body)
	if err != nil {
		return nil, err
	}
	after, err := m.peek(r, written)
	if err != nil {
		return nil, err
	}
	time.Sleep(prices.RoundTrip)
	m.record(operation(r), in, answer, written, before, after)
	return response, nil
}

func operation(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}

// send sends a request, and returns its answer twice: for the SDK, and parsed.
func (m *meter) send(r *http.Request, body []byte) (*http.Response, map[string]any, error) {
	sent := r.Clone(r.Context())
	sent.Body, sent.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response, err := m.transport.RoundTrip(sent)
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(data))
	var answer map[string]any
	return response, answer, json.Unmarshal(data, &answer)
}

// tableRow is a row by its table and its key.
type tableRow struct {
	table string
	key   attributes
}

// writtenRows returns the rows that a request may write or check, in its order.
func (m *meter) writtenRows(in map[string]any) (rows []tableRow) {
	add := func(table string, item any) {
		key := attributes{}
		for _, name := range m.keys[table] {
			key[name] = item.(attributes)[name]
		}
		rows = append(rows, tableRow{table, key})
	}
	addOne := func(action map[string]any) {
		for _, field := range []string{"Item", "Key"} {
			if item := action[field]; item != nil {
				add(action["TableName"].(string), item)
			}
		}
	}
	requests, _ := in["RequestItems"].(map[string]any)
	for _, table := range sortedKeys(requests) {
		list, isWrite := requests[table].([]any)
		for i := 0; isWrite && i < len(list); i++ {
			for _, request := range list[i].(map[string]any) {
				action := request.(map[string]any)
				action["TableName"] = table
				addOne(action)
			}
		}
	}
	actions, _ := in["TransactItems"].([]any)
	for _, action := range actions {
		for _, each := range action.(map[string]any) {
			addOne(each.(map[string]any))
		}
	}
	if in["Item"] != nil || in["UpdateExpression"] != nil || in["Key"] != nil && in["ConsistentRead"] == nil {
		addOne(in)
	}
	return rows
}

// peek reads rows past the meter.
func (m *meter) peek(r *http.Request, rows []tableRow) ([]attributes, error) {
	found := make([]attributes, len(rows))
	for i, row := range rows {
		body, err := json.Marshal(map[string]any{"TableName": row.table, "Key": row.key, "ConsistentRead": true})
		if err != nil {
			return nil, err
		}
		get := r.Clone(r.Context())
		get.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
		_, answer, err := m.send(get, body)
		if err != nil {
			return nil, err
		}
		found[i], _ = answer["Item"].(attributes)
	}
	return found, nil
}

// record counts a request and its units, and compares them with those of the engine.
func (m *meter) record(
	op string, in, answer map[string]any, written []tableRow, before, after []attributes,
) {
	reads, writes := unitsRead(op, in, answer), 0.0
	for i := range written {
		n := writeUnits(before[i], after[i])
		if op == "TransactWriteItems" {
			n *= 2
		}
		writes += n
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[op]++
	m.reads, m.writes = m.reads+reads, m.writes+writes
	if billed, ok := consumed(answer); ok && billed != reads+writes {
		m.wrong = append(m.wrong, fmt.Sprintf("%s: the engine bills %v units, we count %v", op, billed, reads+writes))
	}
}

// unitsRead returns the read units of a request.
func unitsRead(op string, in, answer map[string]any) (sum float64) {
	switch op {
	case "GetItem":
		found, _ := answer["Item"].(attributes)
		return readUnits([]attributes{found}, 1, false, in["ConsistentRead"] == true)
	case "Query":
		return readUnits(rowsOf(answer["Items"]), 0, false, in["ConsistentRead"] == true)
	case "BatchGetItem":
		responses, _ := answer["Responses"].(map[string]any)
		for table, request := range in["RequestItems"].(map[string]any) {
			r := request.(map[string]any)
			sum += readUnits(rowsOf(responses[table]), len(r["Keys"].([]any)), true, r["ConsistentRead"] == true)
		}
	}
	return sum
}

func rowsOf(list any) (rows []attributes) {
	items, _ := list.([]any)
	for _, item := range items {
		rows = append(rows, item.(attributes))
	}
	return rows
}

// consumed returns what the engine says that a request costs, if it says so: an error
// has no such field.
func consumed(answer map[string]any) (sum float64, ok bool) {
	capacities, isList := answer["ConsumedCapacity"].([]any)
	if !isList {
		capacities = []any{answer["ConsumedCapacity"]}
	}
	for _, each := range capacities {
		capacity, isCapacity := each.(map[string]any)
		if !isCapacity {
			return 0, false
		}
		units, _ := capacity["CapacityUnits"].(float64)
		sum += units
	}
	return sum, true
}
