package esm

import "slices"

// settle applies the result of an invocation to the batch that was delivered.
//
// Every failed invocation counts as an attempt, except one after which the batch is
// split. The Lambda guide says that splitting does not use up the retry quota
// (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html), and
// each half starts from the attempts of the whole. Splitting still ends: a batch of
// one record cannot be split, and a split at a reported record acknowledges the
// records before it.
func (sh *shard) settle(r result, duplicate bool) outcome {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	b := &sh.batches[0]
	sh.invoking = false
	sh.waiting += len(b.entries)
	defer sh.trimLocked()
	if r.err == nil {
		sh.failures = 0
		if duplicate {
			b.duplicate, b.failed, b.attempts = true, false, 0
			sh.stats.Duplicated++
		} else {
			sh.stats.Delivered += len(b.entries)
			sh.waiting -= len(b.entries)
			sh.batches = slices.Delete(sh.batches, 0, 1)
		}
		return advanced
	}
	return sh.settleFailureLocked(r)
}

// settleFailureLocked acknowledges the records before the failure, and splits the
// rest of the batch, keeps it for a retry, or gives it up.
func (sh *shard) settleFailureLocked(r result) outcome {
	b := &sh.batches[0]
	sh.stats.Delivered += r.done
	sh.waiting -= r.done
	b.entries = b.entries[r.done:]
	b.failed = true
	if r.done > 0 {
		sh.failures = 0
	}
	sh.failures++
	n := len(b.entries)
	switch {
	case r.stopped:
		// The caller stopped. This is no failure of the function.
		sh.failures = 0
	case sh.o.BisectBatchOnFunctionError && r.done > 0:
		// With both settings on, the batch is split at the reported record and only
		// the rest is retried
		// (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
		sh.stats.Bisected++
	case sh.o.BisectBatchOnFunctionError && r.wholeBatch && n > 1:
		// The guide mentions failed invocations. Assumed: a response that is not
		// understood splits the batch too. Assumed: a report of the first record does
		// not, since no record lies before it.
		sh.stats.Bisected++
		half := (n + 1) / 2
		second := *b
		second.entries = slices.Clone(b.entries[half:])
		b.entries = b.entries[:half:half]
		sh.batches = slices.Insert(sh.batches, 1, second)
	default:
		// Assumed: progress inside a batch does not reset the attempts.
		b.attempts++
		if most := sh.o.MaximumRetryAttempts; most >= 0 && b.attempts > most {
			sh.stats.Failed += n
			sh.waiting -= n
			sh.addReportLocked(RetryAttemptsExhausted, r.err, b.entries)
			sh.batches = slices.Delete(sh.batches, 0, 1)
			sh.failures = 0
			return advanced
		}
	}
	return retry
}

// trimLocked drops the oldest records until no more than Buffer wait. It does not
// drop records that the function is processing. They count again afterwards.
func (sh *shard) trimLocked() {
	for sh.waiting > sh.o.Buffer {
		first := 0
		if sh.invoking {
			first = 1
		}
		var e entry
		if first < len(sh.batches) {
			b := &sh.batches[first]
			e = b.entries[0]
			if b.entries = b.entries[1:]; len(b.entries) == 0 {
				sh.batches = slices.Delete(sh.batches, first, first+1)
			}
		} else {
			e = sh.queue[0]
			sh.queue[0] = entry{}
			sh.queue = sh.queue[1:]
		}
		sh.waiting--
		sh.stats.Dropped++
		sh.addReportLocked(Trimmed, nil, []entry{e})
	}
}
