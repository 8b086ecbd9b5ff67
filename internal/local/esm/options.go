package esm

import (
	"fmt"
	"log/slog"
	"time"
)

// Limits of an event source mapping on a DynamoDB stream:
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
const (
	// DefaultBatchSize is the number of records in a batch when nothing is set.
	DefaultBatchSize = 100
	// MaxBatchSize is the largest batch, in records.
	MaxBatchSize = 10_000
	// MaxRetryAttempts is the largest MaximumRetryAttempts.
	MaxRetryAttempts = 10_000
	// MaxPayload is the largest event, in bytes: 6 MB for a synchronous
	// invocation (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
	MaxPayload = 6 << 20
)

// Limits of this imitation.
const (
	// MaxShards is the largest number of shards; each costs Run a goroutine.
	MaxShards = 1024
	// DefaultBuffer is the number of records a shard holds when nothing is set.
	DefaultBuffer = 100_000
	// DefaultTimeout ends one invocation when nothing is set.
	DefaultTimeout = 30 * time.Second
	// MaxTimeout is Lambda's longest invocation.
	MaxTimeout = 15 * time.Minute

	firstBackOff = 100 * time.Millisecond
	lastBackOff  = 10 * time.Second
)

// Values of Options.MaximumRetryAttempts beside a plain number.
const (
	// RetryForever is what AWS calls -1.
	RetryForever = -1
	// RetryNever is what AWS calls 0: the first failure is the last.
	RetryNever = -2
)

// Options are the settings of a [Mapping]. The zero value behaves as a mapping
// that was created without any settings.
type Options struct {
	// BatchSize is the largest number of records in one invocation. Zero means
	// DefaultBatchSize. A batch is also cut where the event would exceed
	// MaxPayload; one record larger than that travels alone.
	BatchSize int

	// Shards is the number of shards. Zero means one.
	Shards int

	// MaximumRetryAttempts is how often a batch is retried before it is given up.
	// Zero and RetryForever mean for ever, which is AWS's default; RetryNever
	// stands for AWS's 0, since a Go zero has to mean "not set".
	MaximumRetryAttempts int

	// BisectBatchOnFunctionError splits a batch whose invocation failed.
	BisectBatchOnFunctionError bool

	// ReportBatchItemFailures makes the trigger read the function's answer.
	// Without it every answer that is not an error is a success.
	ReportBatchItemFailures bool

	// Timeout ends one invocation made by Run. Zero means DefaultTimeout. Step
	// starts no timer; it passes on the context it is given.
	Timeout time.Duration

	// Buffer is how many records of one shard may wait. Records in the
	// function's hands do not count until they come back. Over it the oldest
	// waiting record is dropped, as the real stream trims after 24 hours. Zero
	// means DefaultBuffer.
	Buffer int

	// BackOff is how long Run waits before it invokes again after the attempt'th
	// failure in a row, counted from one. Nil doubles from 100 ms up to 10 s.
	BackOff func(attempt int) time.Duration

	// Duplicate is asked after each batch that succeeded. If it says true, the
	// same batch is delivered once more, as Lambda does when it could not store
	// its checkpoint. The second delivery may fail, and is then retried like any
	// other; Duplicate is not asked again about it.
	Duplicate func(Batch) bool

	// OnFailure is the on-failure destination. It is called on the goroutine of
	// Run or Step, never by Put; one shard makes one call at a time.
	OnFailure func(Failure)

	// Log receives one line for each failed invocation and each Failure. Nil
	// discards them.
	Log *slog.Logger
}

// Batch is what one invocation carries. Its records must not be changed.
type Batch struct {
	Shard   int
	Records []Record
	Attempt int // failures behind it that count against MaximumRetryAttempts
}

// withDefaults checks o and fills in what was left out.
func (o Options) withDefaults() (Options, error) {
	for _, c := range []struct {
		name         string
		got, low, to int
	}{
		{"BatchSize", o.BatchSize, 0, MaxBatchSize},
		{"Shards", o.Shards, 0, MaxShards},
		{"MaximumRetryAttempts", o.MaximumRetryAttempts, RetryNever, MaxRetryAttempts},
	} {
		if c.got < c.low || c.got > c.to {
			return o, fmt.Errorf("esm: %s is %d, want %d to %d", c.name, c.got, c.low, c.to)
		}
	}
	if o.Buffer < 0 {
		return o, fmt.Errorf("esm: Buffer is %d, want 0 or more", o.Buffer)
	}
	if o.Timeout < 0 || o.Timeout > MaxTimeout {
		return o, fmt.Errorf("esm: Timeout is %v, want 0 to %v", o.Timeout, MaxTimeout)
	}
	if o.BatchSize == 0 {
		o.BatchSize = DefaultBatchSize
	}
	if o.Shards == 0 {
		o.Shards = 1
	}
	switch o.MaximumRetryAttempts {
	case 0:
		o.MaximumRetryAttempts = RetryForever
	case RetryNever:
		o.MaximumRetryAttempts = 0
	}
	if o.Buffer == 0 {
		o.Buffer = DefaultBuffer
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.BackOff == nil {
		o.BackOff = backOff
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// backOff doubles from firstBackOff up to lastBackOff.
func backOff(attempt int) time.Duration {
	d := firstBackOff
	for ; attempt > 1 && d < lastBackOff; attempt-- {
		d *= 2
	}
	return min(d, lastBackOff)
}
