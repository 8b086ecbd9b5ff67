package esm

// Reason says why records were given up.
type Reason string

const (
	// RetryAttemptsExhausted is the condition in a message to an on-failure
	// destination of AWS.
	RetryAttemptsExhausted Reason = "RetryAttemptsExhausted"
	// Trimmed means that the shard was full. DynamoDB trims without a message; here
	// every lost record is reported.
	Trimmed Reason = "Trimmed"
)

// Failure describes records that the function will not receive, or not again. Like
// the message to an on-failure destination, it has their sequence numbers, not their
// data.
type Failure struct {
	Shard       int
	First, Last string // sequence numbers
	Count       int
	Reason      Reason
	Err         error // of the last invocation; nil for Trimmed
}

// report is a Failure for OnFailure.
type report struct {
	Failure
	firstPosition, lastPosition uint64 // positions in the shard
}

// addReportLocked adds a report of entries. Trimmed records that follow each other
// share one report. Otherwise a shard without a running function would collect
// reports instead of records.
func (sh *shard) addReportLocked(reason Reason, err error, entries []entry) {
	first, last := entries[0], entries[len(entries)-1]
	if n := len(sh.reports); n > 0 && reason == Trimmed {
		if r := &sh.reports[n-1]; r.Reason == Trimmed && r.lastPosition+1 == first.position {
			r.Last, r.lastPosition = last.record.SequenceNumber, last.position
			r.Count += len(entries)
			return
		}
	}
	sh.reports = append(sh.reports, report{
		Failure: Failure{
			Shard: sh.id, Count: len(entries), Reason: reason, Err: err,
			First: first.record.SequenceNumber, Last: last.record.SequenceNumber,
		},
		firstPosition: first.position, lastPosition: last.position,
	})
}

// reportFailures passes the reports to OnFailure. It is called only during a turn,
// so the calls for a shard do not overlap.
func (sh *shard) reportFailures() {
	for {
		sh.mu.Lock()
		sh.reporting = 0
		if len(sh.reports) == 0 {
			sh.reports = nil
			sh.mu.Unlock()
			return
		}
		r := sh.reports[0]
		sh.reports = sh.reports[1:]
		sh.reporting = r.firstPosition
		sh.mu.Unlock()
		sh.o.Log.Warn("stream records given up",
			"shard", r.Shard, "first", r.First, "last", r.Last,
			"records", r.Count, "reason", string(r.Reason))
		if sh.o.OnFailure != nil {
			sh.o.OnFailure(r.Failure)
		}
	}
}
