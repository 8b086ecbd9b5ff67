package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	// pollEvery is how often an open shard without records is asked: Lambda asks
	// four times a second.
	pollEvery = 250 * time.Millisecond

	// describeEvery is how often new shards are looked for, beside the end of a
	// shard.
	describeEvery = 10 * time.Second
)

// trimmedRecords is told of a shard whose records were older than 24 hours before
// anybody read them.
const trimmedRecords = "stream records were trimmed before they were read"

// API is what a Source uses of the SDK's client.
type API interface {
	DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

// Record is one record of the stream.
type Record struct {
	Key            string // of the item: order is kept for each
	SequenceNumber string
	Data           []byte // as an event source mapping writes it
}

// Source reads one stream. It is made by [New] and used by one goroutine.
type Source struct {
	api    API
	arn    string
	region string
	put    func(Record)
	log    *slog.Logger

	shards    map[string]*shard
	described time.Time
	started   bool // shards that appear from now on are read from their beginning
}

// shard is one shard and how far it was read.
type shard struct {
	id       string
	parent   string
	from     types.ShardIteratorType
	last     string // sequence number of the last record handed on
	iterator *string
	ended    bool
}

// New returns a Source of the stream that hands records to put. It begins with
// what happens after [Source.Start].
func New(api API, streamARN, region string, put func(Record), log *slog.Logger) *Source {
	return &Source{api: api, arn: streamARN, region: region, put: put, log: log, shards: map[string]*shard{}}
}

// Start finds the ends of all shards, so that every change after it is read.
func (s *Source) Start(ctx context.Context) error {
	if err := s.describe(ctx, types.ShardIteratorTypeLatest); err != nil {
		return err
	}
	for _, sh := range s.shards {
		if err := s.seek(ctx, sh); err != nil {
			return err
		}
	}
	s.started = true
	return nil
}

// Run reads until ctx ends. What fails is tried again; the first failure of a row
// is logged, and its end.
func (s *Source) Run(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		busy, err := s.Step(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			s.log.WarnContext(ctx, "stream", "stream", s.arn, "error", err)
		case err == nil && failing:
			s.log.InfoContext(ctx, "stream goes on", "stream", s.arn)
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

// Step asks every shard that may be read once, and reports whether there was
// anything.
func (s *Source) Step(ctx context.Context) (busy bool, err error) {
	if time.Since(s.described) > describeEvery {
		if err := s.describe(ctx, types.ShardIteratorTypeTrimHorizon); err != nil {
			return false, err
		}
	}
	var failed error
	for _, sh := range s.shards {
		if parent, known := s.shards[sh.parent]; sh.ended || known && !parent.ended {
			continue
		}
		some, err := s.read(ctx, sh)
		busy = busy || some
		failed = errors.Join(failed, err)
	}
	return busy, failed
}

// describe lists the shards. New ones are read from where it is said, those that
// were there before go on.
func (s *Source) describe(ctx context.Context, from types.ShardIteratorType) error {
	var after *string
	listed := map[string]bool{}
	for {
		page, err := s.api.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, ExclusiveStartShardId: after})
		if err != nil {
			return fmt.Errorf("describe stream: %w", err)
		}
		for _, sh := range page.StreamDescription.Shards {
			id := *sh.ShardId
			listed[id] = true
			if s.shards[id] == nil {
				s.shards[id] = &shard{id: id, parent: value(sh.ParentShardId), from: from}
			}
		}
		if after = page.StreamDescription.LastEvaluatedShardId; after == nil {
			break
		}
	}
	for id, sh := range s.shards {
		if listed[id] {
			continue
		}
		// Trimmed with all its records, and of no use as a parent any more: its children
		// are read from their beginning.
		if !sh.ended {
			s.log.WarnContext(ctx, trimmedRecords, "shard", id)
		}
		delete(s.shards, id)
	}
	s.described = time.Now()
	return nil
}

// seek gets an iterator behind the last record that was handed on.
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

func (s *Source) read(ctx context.Context, sh *shard) (bool, error) {
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
		// Seek again, behind the last record. Without one, begin where the stream does:
		// something may have come since Start, and what is older is only told twice.
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
		s.described = time.Time{} // its children are there now
	}
	return len(out.Records) > 0 || sh.ended, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
