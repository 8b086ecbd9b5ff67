package esm

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// readResponse reads the response of a function that reports batch item failures.
// The rules are those of
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html:
//
//   - an empty or null response, and an empty or null list, mean success;
//   - an identifier that is empty or null, or that has another name, fails the
//     whole batch;
//   - otherwise all records before the lowest reported one are acknowledged, and the
//     batch continues from there.
//
// An identifier that is not in the batch fails the whole batch, and [] counts as an
// empty response. The guide does not say so; LocalStack's recorded tests of DynamoDB
// mappings observed both on AWS. A response that is not JSON fails the batch too: the
// guide does not mention it, but says that everything other than a complete success
// is a failure, and the guide for queues lists invalid JSON as a failure. Assumed:
// other shapes of JSON fail by the same sentence.
func readResponse(response []byte, batch []Record) result {
	failures, err := batchItemFailures(response)
	if err != nil {
		return result{err: err, wholeBatch: true}
	}
	if len(failures) == 0 {
		return result{}
	}
	index := make(map[string]int, len(batch))
	for i, r := range batch {
		if _, ok := index[r.SequenceNumber]; !ok {
			index[r.SequenceNumber] = i
		}
	}
	lowest := len(batch)
	for _, raw := range failures {
		id, err := itemIdentifier(raw)
		if err != nil {
			return result{err: err, wholeBatch: true}
		}
		i, ok := index[id]
		if !ok {
			return result{err: fmt.Errorf("response reports %q, which is not in the batch", id), wholeBatch: true}
		}
		lowest = min(lowest, i)
	}
	return result{
		err: fmt.Errorf("function reported %d failures, the lowest is %s",
			len(failures), batch[lowest].SequenceNumber),
		done: lowest,
	}
}

// batchItemFailures returns the list of a response. Names are compared exactly,
// which encoding/json would not do for a struct.
func batchItemFailures(response []byte) ([]json.RawMessage, error) {
	response = bytes.TrimSpace(response)
	if len(response) == 0 {
		return nil, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(response, &list) == nil && len(list) == 0 {
		return nil, nil // null or []
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(response, &fields); err != nil {
		return nil, fmt.Errorf("response is not valid: %w", err)
	}
	raw, ok := fields["batchItemFailures"]
	if !ok {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("batchItemFailures is not valid: %w", err)
	}
	return list, nil
}

func itemIdentifier(raw json.RawMessage) (string, error) {
	var item map[string]json.RawMessage
	if err := json.Unmarshal(raw, &item); err != nil {
		return "", fmt.Errorf("batch item failure is not valid: %w", err)
	}
	var id string
	if err := json.Unmarshal(item["itemIdentifier"], &id); err != nil || id == "" {
		return "", fmt.Errorf("batch item failure has no itemIdentifier: %s", raw)
	}
	return id, nil
}
