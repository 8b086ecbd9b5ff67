package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	// pollEvery is how often an open shard without records is read: Lambda polls four
	// times a second.
	pollEvery = 250 * time.Millisecond

	// describeEvery is how often a Source looks for new shards. It also does when a
	// shard ends.
	describeEvery = 10 * time.Second
)

// trimmedRecords is logged for a shard whose records became older than 24 hours
// before they were read.
const trimmedRecords = "stream records were trimmed before they were read"

// API is the part of the SDK's client that a Source uses.
type API interface {
	DescribeStream(
		context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options),
	) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(
		context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options),
	) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(
		context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options),
	) (*dynamodbstreams.GetRecordsOutput, error)
}

// Record is one record of the stream.
type Record struct {
	Key            string // of the item; records of one key are in order
	SequenceNumber string
	Data           []byte // as an event source mapping writes it
}

// Source reads one stream. It is created by [New] and used by one goroutine.
type Source struct {
	api    API
	arn    string
	region string
	put    func(Record)
	log    *slog.Logger

	shards    map[string]*shard
	described time.Time // of the last DescribeStream
}

// shard is one shard and how far it was read.
type shard struct {
	id       string
	parent   string
	from     types.ShardIteratorType // where to begin without a last record
	last     string                  // sequence number of the last record passed on
	iterator *string
	ended    bool
}

// New returns a Source that passes the records of a stream to put. It begins with
// the changes after [Source.Start].
func New(api API, streamARN, region string, put func(Record), log *slog.Logger) *Source {
	return &Source{api: api, arn: streamARN, region: region, put: put, log: log, shards: map[string]*shard{}}
}

// Start finds the ends of all shards, so that every later change is read.
func (s *Source) Start(ctx context.Context) error {
	if err := s.describe(ctx, types.ShardIteratorTypeLatest); err != nil {
		return err
	}
	for _, sh := range s.byID() {
		if err := s.seek(ctx, sh); err != nil {
			return err
		}
	}
	return nil
}

// byID returns the shards in the order of their ids.
func (s *Source) byID() []*shard {
	var all []*shard
	for _, id := range slices.Sorted(maps.Keys(s.shards)) {
		all = append(all, s.shards[id])
	}
	return all
}

// Run reads until ctx ends. It retries what fails. Of several failures in a row, it
// logs the first, and the success after them.
func (s *Source) Run(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		busy, err := s.Step(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			s.log.WarnContext(ctx, "cannot read the stream", "stream", s.arn, "error", err)
		case err == nil && failing:
			s.log.InfoContext(ctx, "the stream can be read again", "stream", s.arn)
		}
		failing = err != nil
		if busy {
			continue
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return ctx.Err()
}

// Step reads once from every shard that may be read. It reports whether there may be
// more.
func (s *Source) Step(ctx context.Context) (busy bool, err error) {
	if time.Since(s.described) > describeEvery {
		if err := s.describe(ctx, types.ShardIteratorTypeTrimHorizon); err != nil {
			return false, err
		}
	}
	var failures []error
	for _, sh := range s.byID() {
		if parent, known := s.shards[sh.parent]; sh.ended || known && !parent.ended {
			continue
		}
		progress, err := s.read(ctx, sh)
		busy = busy || progress
		failures = append(failures, err)
	}
	return busy, errors.Join(failures...)
}

// describe lists the shards. New ones are read from the position given, known ones
// continue.
func (s *Source) describe(ctx context.Context, from types.ShardIteratorType) error {
	var after *string
	listed := map[string]bool{}
	for {
		page, err := s.api.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{
			StreamArn: &s.arn, ExclusiveStartShardId: after,
		})
		if err != nil {
			return fmt.Errorf("describe stream: %w", err)
		}
		for _, sh := range page.StreamDescription.Shards {
			id := *sh.ShardId
			listed[id] = true
			if s.shards[id] == nil {
				s.shards[id] = &shard{id: id, parent: valueOf(sh.ParentShardId), from: from}
			}
		}
		if after = page.StreamDescription.LastEvaluatedShardId; after == nil {
			break
		}
	}
	for _, sh := range s.byID() {
		if listed[sh.id] {
			continue
		}
		// The shard was trimmed with all its records. Its children are read from their
		// beginning and do not need it any more.
		if !sh.ended {
			s.log.WarnContext(ctx, trimmedRecords, "shard", sh.id)
		}
		delete(s.shards, sh.id)
	}
	s.described = time.Now()
	return nil
}

// seek gets an iterator behind the last record that was passed on.
func (s *Source) seek(ctx context.Context, sh *shard) error {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: &sh.id, ShardIteratorType: sh.from}
	if sh.last != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &sh.last
	}
	out, err := s.api.GetShardIterator(ctx, in)
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) {
		s.log.WarnContext(ctx, trimmedRecords, "shard", sh.id)
		sh.last, sh.from = "", types.ShardIteratorTypeTrimHorizon
		in = &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: &sh.id, ShardIteratorType: sh.from}
		out, err = s.api.GetShardIterator(ctx, in)
	}
	if err != nil {
		return fmt.Errorf("iterator of %s: %w", sh.id, err)
	}
	sh.iterator = out.ShardIterator
	return nil
}

// read reads once from a shard. It reports whether there may be more.
func (s *Source) read(ctx context.Context, sh *shard) (progress bool, err error) {
	if sh.iterator == nil {
		if err := s.seek(ctx, sh); err != nil {
			return false, err
		}
	}
	out, err := s.api.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: sh.iterator})
	var expired *types.ExpiredIteratorException
	var trimmed *types.TrimmedDataAccessException
	switch {
	case errors.As(err, &expired), errors.As(err, &trimmed):
		// Seek again behind the last record. Without one, begin where the stream does:
		// records may have come since Start, and older ones are only delivered again.
		sh.iterator, sh.from = nil, types.ShardIteratorTypeTrimHorizon
		return true, nil
	case err != nil:
		return false, fmt.Errorf("records of %s: %w", sh.id, err)
	}
	for _, r := range out.Records {
		data, key, err := encode(r, s.arn, s.region)
		if err != nil {
			s.log.ErrorContext(ctx, "stream record", "shard", sh.id, "error", err)
			continue
		}
		s.put(Record{Key: key, SequenceNumber: *r.Dynamodb.SequenceNumber, Data: data})
		sh.last = *r.Dynamodb.SequenceNumber
	}
	sh.iterator = out.NextShardIterator
	if sh.iterator == nil {
		sh.ended = true
		s.described = time.Time{} // look for its children
	}
	return len(out.Records) > 0 || sh.ended, nil
}

// valueOf returns *s, or "" if s is nil.
func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
