package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

const (
	// attempts is how often a request is sent, and how often a batch is asked to
	// process what it has not.
	attempts = 6

	// firstPause and its doubles bound the pauses between attempts: 25, 50, 100,
	// 200 and 400 ms, at most 775 ms in all, which a page can wait. Each is drawn
	// evenly from zero to its bound, so that those who collided part.
	// https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
	firstPause = 25 * time.Millisecond
)

func pause(try int) time.Duration { return rand.N(firstPause << try) }

// outcome is what a failure says about the request.
type outcome int

const (
	refused   outcome = iota // it will fare no better
	failed                   // its condition did not hold
	contended                // a transaction was in its way
	throttled                // there was too much at once
	unknown                  // it may have been carried out
)

var (
	throttles  = retry.IsErrorThrottles(retry.DefaultThrottles)
	retryables = retry.IsErrorRetryables(retry.DefaultRetryables)
)

// outcomeOf sorts errors.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func outcomeOf(err error) outcome {
	var (
		condition  *types.ConditionalCheckFailedException
		cancelled  *types.TransactionCanceledException
		conflict   *types.TransactionConflictException
		inProgress *types.TransactionInProgressException
	)
	switch {
	case errors.As(err, &condition):
		return failed
	case errors.As(err, &cancelled):
		return outcomeOfTransaction(cancelled)
	case errors.As(err, &conflict):
		return contended
	case errors.As(err, &inProgress): // our own: the token was seen before
		return unknown
	case throttles.IsErrorThrottle(err) == aws.TrueTernary:
		return throttled
	case retryables.IsErrorRetryable(err) == aws.TrueTernary:
		return unknown
	}
	return refused
}

// outcomeOfTransaction reads the reasons, one for each row of the transaction.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
func outcomeOfTransaction(cancelled *types.TransactionCanceledException) outcome {
	is := refused
	for _, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed":
			return failed
		case "TransactionConflict":
			is = contended
		case "ThrottlingError", "ProvisionedThroughputExceeded":
			if is == refused {
				is = throttled
			}
		}
	}
	return is
}

// kind wraps an error into the kind of package hub that it is of.
func (o outcome) kind(err error) error {
	switch o {
	case failed, contended:
		return fmt.Errorf("%w: %w", hub.ErrConflict, err)
	case throttled:
		return fmt.Errorf("%w: %w", hub.ErrThrottled, err)
	}
	return err
}

// conditionFailed reports whether a condition did not hold, and returns the row that
// it was judged by if the request asked for it.
func conditionFailed(err error) (row, bool) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return nil, false
	}
	return failed.Item, true
}

// noRetry leaves retries to us: they must know what was tried before, and end
// sooner than the SDK's, which may pause for 20 s.
func noRetry(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// do sends a request until it is answered. unsure: an attempt that failed may have
// been carried out all the same.
func do[In, Out any](ctx context.Context, s *Store, send func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error), in *In) (out *Out, unsure bool, err error) {
	for try := 0; ; try++ {
		out, err = send(ctx, in, noRetry)
		if err == nil {
			return out, unsure, nil
		}
		is := outcomeOf(err)
		if is == refused || is == failed || try+1 == attempts {
			return nil, unsure, is.kind(err)
		}
		unsure = unsure || is == unknown
		if ended := s.wait(ctx, pause(try)); ended != nil {
			return nil, unsure, fmt.Errorf("%w, after %w", ended, is.kind(err))
		}
	}
}

// rounds calls do, which returns how much is left to do, until that is nothing.
// DynamoDB leaves parts of batches when it is short of capacity.
func (s *Store) rounds(ctx context.Context, round func() (left int, err error)) error {
	for try := 0; ; try++ {
		left, err := round()
		if err != nil || left == 0 {
			return err
		}
		if try+1 == attempts {
			return fmt.Errorf("%w: %d of a batch not processed", hub.ErrThrottled, left)
		}
		if ended := s.wait(ctx, pause(try)); ended != nil {
			return fmt.Errorf("%w: %d of a batch not processed: %w", hub.ErrThrottled, left, ended)
		}
	}
}
