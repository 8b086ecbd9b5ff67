package esm

// Reason is why records were given up.
type Reason string

const (
	// RetryAttemptsExhausted is the condition in a message to a real on-failure
	// destination.
	RetryAttemptsExhausted Reason = "RetryAttemptsExhausted"
	// Trimmed means that the shard was full. AWS trims silently; here nothing is
	// lost without a word.
	Trimmed Reason = "Trimmed"
)

// Failure tells of records that the function will not get (again). Like the
// message of a real on-failure destination it has their positions, not their
// data.
type Failure struct {
	Shard       int
	First, Last string // sequence numbers
	Count       int
	Reason      Reason
	Err         error // what the last invocation ended with; nil for Trimmed
}

// report is a Failure that OnFailure has yet to hear.
type report struct {
	Failure
	from, to uint64 // places in the shard
}

// addReportLocked notes that entries were given up. Neighbours that were trimmed
// become one report, so a shard that nobody serves does not gather reports
// instead of records.
func (sh *shard) addReportLocked(why Reason, err error, entries []entry) {
	first, last := entries[0], entries[len(entries)-1]
	if n := len(sh.reports); n > 0 && why == Trimmed {
		if r := &sh.reports[n-1]; r.Reason == Trimmed && r.to+1 == first.n {
			r.Last, r.to = last.record.SequenceNumber, last.n
			r.Count += len(entries)
			return
		}
	}
	sh.reports = append(sh.reports, report{
		Failure: Failure{
			Shard: sh.id, Count: len(entries), Reason: why, Err: err,
			First: first.record.SequenceNumber, Last: last.record.SequenceNumber,
		},
		from: first.n, to: last.n,
	})
}

// tell hands the reports to OnFailure. Only the goroutine whose turn it is calls
// it, so the calls of a shard do not overlap.
func (sh *shard) tell() {
	for {
		sh.mu.Lock()
		sh.telling = 0
		if len(sh.reports) == 0 {
			sh.reports = nil
			sh.mu.Unlock()
			return
		}
		r := sh.reports[0]
		sh.reports = sh.reports[1:]
		sh.telling = r.from
		sh.mu.Unlock()
		sh.o.Log.Warn("stream records given up",
			"shard", r.Shard, "first", r.First, "last", r.Last,
			"records", r.Count, "reason", string(r.Reason))
		if sh.o.OnFailure != nil {
			sh.o.OnFailure(r.Failure)
		}
	}
}
