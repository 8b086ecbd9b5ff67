package esm

import "slices"

// settle draws the consequences of an invocation for the part in hand.
//
// What counts as a retry: every failed invocation, except one after which the
// batch was split. The Lambda guide says that splitting does not use up the retry
// quota (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html),
// and each piece starts from the count of the whole. So nothing is retried for
// ever by being split: a piece of one record cannot be split any further, and a
// split at a reported record leaves the piece before it behind.
func (sh *shard) settle(v verdict, repeat bool) outcome {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	p := &sh.parts[0]
	sh.inHand = false
	sh.waiting += len(p.entries)
	if v.err == nil {
		sh.failures = 0
		if repeat {
			p.again, p.failed, p.attempts = true, false, 0
			sh.stats.Duplicated++
		} else {
			sh.stats.Delivered += len(p.entries)
			sh.waiting -= len(p.entries)
			sh.parts = slices.Delete(sh.parts, 0, 1)
		}
		sh.trimLocked()
		return advanced
	}

	sh.stats.Delivered += v.done
	sh.waiting -= v.done
	p.entries = p.entries[v.done:]
	p.failed = true
	if v.done > 0 {
		sh.failures = 0
	}
	sh.failures++
	out := retry
	n := len(p.entries)
	switch {
	case v.abandoned:
		// Our own stop, not the function's failure: costs it nothing.
		sh.failures = 0
	case sh.o.BisectBatchOnFunctionError && v.done > 0:
		// With both settings on, the batch is split at the reported record and
		// only the rest is retried
		// (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
		sh.stats.Bisected++
	case sh.o.BisectBatchOnFunctionError && v.whole && n > 1:
		// The guide speaks of a failed invocation. That an answer which cannot
		// be understood splits the batch too is assumed. A report that names the
		// first record does not: nothing lies before that record (assumed).
		sh.stats.Bisected++
		half := (n + 1) / 2
		second := *p
		second.entries = slices.Clone(p.entries[half:])
		p.entries = p.entries[:half:half]
		sh.parts = slices.Insert(sh.parts, 1, second)
	default:
		// That progress inside a batch does not reset the count is assumed.
		p.attempts++
		if most := sh.o.MaximumRetryAttempts; most >= 0 && p.attempts > most {
			sh.stats.Failed += n
			sh.waiting -= n
			sh.addReportLocked(RetryAttemptsExhausted, v.err, p.entries)
			sh.parts = slices.Delete(sh.parts, 0, 1)
			sh.failures = 0
			out = advanced
		}
	}
	sh.trimLocked()
	return out
}

// trimLocked drops the oldest records until no more than Buffer wait. Those in
// the function's hands are not the stream's to drop; they are counted again when
// they come back.
func (sh *shard) trimLocked() {
	for sh.waiting > sh.o.Buffer {
		first := 0
		if sh.inHand {
			first = 1
		}
		var e entry
		if first < len(sh.parts) {
			p := &sh.parts[first]
			e = p.entries[0]
			if p.entries = p.entries[1:]; len(p.entries) == 0 {
				sh.parts = slices.Delete(sh.parts, first, first+1)
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
