package esm

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Limits of an event source mapping on a DynamoDB stream:
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
const (
	// DefaultBatchSize is the default of Options.BatchSize, in records.
	DefaultBatchSize = 100
	// MaxBatchSize is the largest batch, in records.
	MaxBatchSize = 10_000
	// MaxRetryAttempts is the largest MaximumRetryAttempts.
	MaxRetryAttempts = 10_000
	// MaxWindow is the longest batching window.
	MaxWindow = 5 * time.Minute
	// MaxPayload is the largest event, in bytes: 6 MB for a synchronous
	// invocation (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
	MaxPayload = 6 << 20
)

// Limits of this imitation.
const (
	// MaxShards is the largest number of shards. Run starts a goroutine for each.
	MaxShards = 1024
	// DefaultBuffer is the default of Options.Buffer, in records.
	DefaultBuffer = 100_000
	// DefaultTimeout is the default of Options.Timeout.
	DefaultTimeout = 30 * time.Second
	// MaxTimeout is the longest timeout of a Lambda function.
	MaxTimeout = 15 * time.Minute

	firstBackOff = 100 * time.Millisecond
	lastBackOff  = 10 * time.Second
)

// Special values of Options.MaximumRetryAttempts.
const (
	// RetryForever is AWS's -1.
	RetryForever = -1
	// RetryNever is AWS's 0: records are given up after their first failure.
	RetryNever = -2
)

// Options are the settings of a [Mapping]. The zero value behaves as an event source
// mapping that was created with the defaults of AWS.
type Options struct {
	// BatchSize is the largest number of records in one invocation. Zero means
	// DefaultBatchSize. A batch also ends before the event would exceed MaxPayload. A
	// larger record is delivered alone.
	BatchSize int

	// Window is how long Run waits for more records once the first one has come to a
	// shard without any. It stands for AWS's polls, four a second, and its
	// MaximumBatchingWindowInSeconds. Zero means that Run does not wait.
	Window time.Duration

	// Shards is the number of shards. Zero means one.
	Shards int

	// MaximumRetryAttempts is how often a batch is retried before it is given up.
	// Zero and RetryForever mean without limit, which is AWS's default. RetryNever
	// stands for AWS's 0, since zero means "not set" here.
	MaximumRetryAttempts int

	// BisectBatchOnFunctionError splits a batch whose invocation failed.
	BisectBatchOnFunctionError bool

	// ReportBatchItemFailures makes the mapping read the function's response.
	// Without it, every response that is not an error is a success.
	ReportBatchItemFailures bool

	// Timeout limits one invocation by Run. Zero means DefaultTimeout. Step starts no
	// timer and passes its context on.
	Timeout time.Duration

	// Buffer is how many records of one shard may wait. Records that the function is
	// processing do not count. If more wait, the oldest is dropped, as DynamoDB trims
	// a stream after 24 hours. Zero means DefaultBuffer.
	Buffer int

	// BackOff returns how long Run waits after a number of failures in a row, counted
	// from one. Nil doubles from 100 ms up to 10 s.
	BackOff func(failures int) time.Duration

	// Duplicate is called after each batch that succeeded. If it returns true, the
	// batch is delivered once more, as Lambda does when it fails to store its
	// checkpoint. If the second delivery fails, it is retried as usual. Duplicate is
	// not called for it.
	Duplicate func(Batch) bool

	// OnFailure is the on-failure destination. Run and Step call it, Put never does.
	// There is one call at a time for each shard.
	OnFailure func(Failure)

	// Observe, if not nil, is called before each invocation. The function receives the
	// context that it returns, which must be derived from ctx. Then end is called with the
	// result: how many records, from the first, are acknowledged, and why not the rest.
	Observe func(ctx context.Context, b Batch) (inner context.Context, end func(acknowledged int, err error))

	// Log receives one line for each failed invocation and each Failure. Nil discards
	// them.
	Log *slog.Logger
}

// Batch is the input of one invocation. Its records must not be changed.
type Batch struct {
	Shard   int
	Records []Record
	Attempt int // earlier failures that count against MaximumRetryAttempts
}

// withDefaults checks o and sets defaults.
func (o Options) withDefaults() (Options, error) {
	for _, c := range []struct {
		name           string
		got, low, high int
	}{
		{"BatchSize", o.BatchSize, 0, MaxBatchSize},
		{"Shards", o.Shards, 0, MaxShards},
		{"MaximumRetryAttempts", o.MaximumRetryAttempts, RetryNever, MaxRetryAttempts},
	} {
		if c.got < c.low || c.got > c.high {
			return o, fmt.Errorf("esm: %s is %d, want %d to %d", c.name, c.got, c.low, c.high)
		}
	}
	if o.Window < 0 || o.Window > MaxWindow {
		return o, fmt.Errorf("esm: Window is %v, want 0 to %v", o.Window, MaxWindow)
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
func backOff(failures int) time.Duration {
	d := firstBackOff
	for ; failures > 1 && d < lastBackOff; failures-- {
		d *= 2
	}
	return min(d, lastBackOff)
}
