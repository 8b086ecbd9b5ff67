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
	"github.com/aws/smithy-go"

	"github.com/securecart/hub/internal/hub"
)

const (
	// attempts is how often a request is sent, and how often the rest of a
	// batch is sent.
	attempts = 6

	// firstPause and its doubles limit the pauses between attempts: 25, 50, 100,
	// 200 and 400 ms, at most 775 ms in all, which a page can wait. Each pause is
	// drawn evenly from zero to its limit, so that requests that collided do not
	// collide again.
	// https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
	firstPause = 25 * time.Millisecond
)

func pause(try int) time.Duration { return rand.N(firstPause << try) }

// outcome is what an error says about the request.
type outcome int

const (
	refused   outcome = iota // another attempt would fail too
	failed                   // its condition did not hold
	contended                // it met a transaction
	throttled                // there were too many requests
	unknown                  // it may have been carried out
)

var (
	throttles  = retry.IsErrorThrottles(retry.DefaultThrottles)
	retryables = retry.IsErrorRetryables(retry.DefaultRetryables)
)

// outcomeOf classifies an error.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func outcomeOf(err error) outcome {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return outcomeOfTransaction(cancelled)
	}
	// By code, not by type: which of an operation's errors have a type of their own
	// depends on the SDK's version.
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch {
	case code == "ConditionalCheckFailedException":
		return failed
	case code == "TransactionConflictException":
		return contended
	case code == "TransactionInProgressException": // an earlier attempt with the same token
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
	o := refused
	for _, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed":
			return failed
		case "TransactionConflict":
			o = contended
		case "ThrottlingError", "ProvisionedThroughputExceeded":
			if o == refused {
				o = throttled
			}
		}
	}
	return o
}

// wrap adds the matching kind of package hub to an error.
func (o outcome) wrap(err error) error {
	switch o {
	case failed, contended:
		return fmt.Errorf("%w: %w", hub.ErrConflict, err)
	case throttled:
		return fmt.Errorf("%w: %w", hub.ErrThrottled, err)
	}
	return err
}

// conditionFailed reports whether a condition did not hold. It returns the row that
// was checked, if the request asked for it.
func conditionFailed(err error) (row, bool) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return nil, false
	}
	return failed.Item, true
}

// noRetry turns the SDK's retries off. Ours know what was tried before, and end
// sooner: the SDK may pause for 20 s.
func noRetry(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// sender is a method of [API].
type sender[In, Out any] func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error)

// do sends a request until it is answered. unsure reports that an attempt that
// failed may have been carried out.
func do[In, Out any](ctx context.Context, s *Store, send sender[In, Out], in *In) (out *Out, unsure bool, err error) {
	for try := 0; ; try++ {
		out, err = send(ctx, in, noRetry)
		if err == nil {
			return out, unsure, nil
		}
		o := outcomeOf(err)
		if o == refused || o == failed || try+1 == attempts {
			return nil, unsure, o.wrap(err)
		}
		unsure = unsure || o == unknown
		if ctxErr := s.wait(ctx, pause(try)); ctxErr != nil {
			return nil, unsure, fmt.Errorf("%w, after %w", ctxErr, o.wrap(err))
		}
	}
}

// rounds calls round until it leaves nothing. DynamoDB leaves parts of batches
// unprocessed when it is short of capacity.
func (s *Store) rounds(ctx context.Context, round func() (left int, err error)) error {
	for try := 0; ; try++ {
		left, err := round()
		if err != nil || left == 0 {
			return err
		}
		if try+1 == attempts {
			return fmt.Errorf("%w: %d of a batch not processed", hub.ErrThrottled, left)
		}
		if ctxErr := s.wait(ctx, pause(try)); ctxErr != nil {
			return fmt.Errorf("%w: %d of a batch not processed: %w", hub.ErrThrottled, left, ctxErr)
		}
	}
}
