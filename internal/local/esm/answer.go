package esm

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// judge reads an answer with ReportBatchItemFailures on. The rules are those of
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html:
//
//   - an empty or null answer, and an empty or null list, mean success;
//   - an identifier that is empty or null, or that comes under another name,
//     fails the whole batch;
//   - otherwise everything before the lowest named record is done, and the
//     batch goes on from there.
//
// An identifier that is not in the batch fails the whole batch, and [] counts as
// an empty answer: neither is in the guide, both were observed on AWS by
// LocalStack's recorded tests of DynamoDB mappings. An answer that is not JSON
// also fails the batch: this guide does not name the case, but says that whatever
// is not a complete success is a failure, and its counterpart for queues lists
// invalid JSON as one. Other shapes of JSON fall under the same sentence
// (assumed).
func judge(answer []byte, batch []Record) verdict {
	failures, err := batchItemFailures(answer)
	if err != nil {
		return verdict{err: err, whole: true}
	}
	if len(failures) == 0 {
		return verdict{}
	}
	place := make(map[string]int, len(batch))
	for i, r := range batch {
		if _, ok := place[r.SequenceNumber]; !ok {
			place[r.SequenceNumber] = i
		}
	}
	lowest := len(batch)
	for _, raw := range failures {
		id, err := itemIdentifier(raw)
		if err != nil {
			return verdict{err: err, whole: true}
		}
		i, ok := place[id]
		if !ok {
			return verdict{err: fmt.Errorf("answer names %q, which is not in the batch", id), whole: true}
		}
		lowest = min(lowest, i)
	}
	return verdict{
		err:  fmt.Errorf("function reported %s and %d in all", batch[lowest].SequenceNumber, len(failures)),
		done: lowest,
	}
}

// batchItemFailures takes the list out of an answer. Names are compared exactly,
// which encoding/json would not do for a struct.
func batchItemFailures(answer []byte) ([]json.RawMessage, error) {
	answer = bytes.TrimSpace(answer)
	if len(answer) == 0 {
		return nil, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(answer, &list) == nil && len(list) == 0 {
		return nil, nil // null or []
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(answer, &fields); err != nil {
		return nil, fmt.Errorf("answer cannot be understood: %w", err)
	}
	raw, ok := fields["batchItemFailures"]
	if !ok {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("batchItemFailures cannot be understood: %w", err)
	}
	return list, nil
}

func itemIdentifier(raw json.RawMessage) (string, error) {
	var item map[string]json.RawMessage
	if err := json.Unmarshal(raw, &item); err != nil {
		return "", fmt.Errorf("a batch item failure cannot be understood: %w", err)
	}
	var id string
	if err := json.Unmarshal(item["itemIdentifier"], &id); err != nil || id == "" {
		return "", fmt.Errorf("a batch item failure has no itemIdentifier: %s", raw)
	}
	return id, nil
}
