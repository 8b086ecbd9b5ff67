package streams_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"go.uber.org/goleak"

	"github.com/securecart/hub/internal/local/streams"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))

// fakeStream is a stream whose shards split, which no local engine offers. It behaves
// as the SDK's client does with the service.
type fakeStream struct {
	mu         sync.Mutex // guards everything below
	shards     []*fakeShard
	lastNumber int   // the last sequence number
	expireNext bool  // the next GetRecords returns ExpiredIteratorException
	trimNext   bool  // the next GetShardIterator behind a record returns TrimmedDataAccessException
	err        error // of every call
	described  int   // calls of DescribeStream
}

type fakeShard struct {
	id, parent string
	records    []types.Record
	closed     bool
}

func (s *fakeStream) addShard(id, parent string) *fakeShard {
	sh := &fakeShard{id: id, parent: parent}
	s.shards = append(s.shards, sh)
	return sh
}

// trimShard removes a shard with its records, as the service does after 24 hours.
func (s *fakeStream) trimShard(sh *fakeShard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shards = slices.DeleteFunc(s.shards, func(other *fakeShard) bool { return other == sh })
}

// find returns the shard with that id. The service does not know trimmed shards.
func (s *fakeStream) find(id string) (*fakeShard, error) {
	for _, sh := range s.shards {
		if sh.id == id {
			return sh, nil
		}
	}
	return nil, &types.ResourceNotFoundException{}
}

func (s *fakeStream) write(sh *fakeShard, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastNumber++
	number := strconv.Itoa(1000 + s.lastNumber)
	created := time.Unix(1_700_000_000, 0)
	sh.records = append(sh.records, types.Record{
		EventName: types.OperationTypeModify,
		Dynamodb: &types.StreamRecord{
			SequenceNumber: &number, ApproximateCreationDateTime: &created, StreamViewType: types.StreamViewTypeNewAndOldImages,
			Keys: map[string]types.AttributeValue{"sku": &types.AttributeValueMemberS{Value: key}},
		},
	})
}

// DescribeStream returns one shard on each page.
func (s *fakeStream) DescribeStream(
	_ context.Context, in *dynamodbstreams.DescribeStreamInput, _ ...func(*dynamodbstreams.Options),
) (*dynamodbstreams.DescribeStreamOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.described++
	i := 0
	if in.ExclusiveStartShardId != nil {
		i = 1 + slices.IndexFunc(s.shards, func(sh *fakeShard) bool { return sh.id == *in.ExclusiveStartShardId })
	}
	out := &types.StreamDescription{}
	if i < len(s.shards) {
		sh := s.shards[i]
		one := types.Shard{ShardId: &sh.id}
		if sh.parent != "" {
			one.ParentShardId = &sh.parent
		}
		out.Shards = []types.Shard{one}
		if i+1 < len(s.shards) {
			out.LastEvaluatedShardId = &sh.id
		}
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: out}, s.err
}

func (s *fakeStream) GetShardIterator(
	_ context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options),
) (*dynamodbstreams.GetShardIteratorOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.find(*in.ShardId)
	if err != nil {
		return nil, err
	}
	index := 0
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeLatest:
		index = len(sh.records)
	case types.ShardIteratorTypeAfterSequenceNumber:
		if s.trimNext {
			s.trimNext = false
			sh.records = sh.records[len(sh.records)-1:]
			return nil, &types.TrimmedDataAccessException{}
		}
		index = 1 + slices.IndexFunc(sh.records,
			func(r types.Record) bool { return *r.Dynamodb.SequenceNumber == *in.SequenceNumber })
	}
	iterator := fmt.Sprint(sh.id, " ", index)
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: &iterator}, s.err
}

// GetRecords returns at most two records.
func (s *fakeStream) GetRecords(
	_ context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options),
) (*dynamodbstreams.GetRecordsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if s.expireNext {
		s.expireNext = false
		return nil, &types.ExpiredIteratorException{}
	}
	id, number, _ := strings.Cut(*in.ShardIterator, " ")
	index, _ := strconv.Atoi(number)
	sh, err := s.find(id)
	if err != nil {
		return nil, err
	}
	end := min(index+2, len(sh.records))
	out := &dynamodbstreams.GetRecordsOutput{Records: sh.records[index:end]}
	if !sh.closed || end < len(sh.records) {
		next := fmt.Sprint(id, " ", end)
		out.NextShardIterator = &next
	}
	return out, nil
}

// fail makes all later calls fail with err, or succeed if it is nil.
func (s *fakeStream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// describeCalls returns how often DescribeStream was called.
func (s *fakeStream) describeCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.described
}

// reader is a Source that keeps the sequence numbers that it passes on.
type reader struct {
	*streams.Source
	t   *testing.T
	got []string
	log bytes.Buffer
}

// wantLogged compares the number of log lines that contain text.
func (r *reader) wantLogged(text string, want int) {
	r.t.Helper()
	if n := strings.Count(r.log.String(), text); n != want {
		r.t.Errorf("got %d log lines with %q, want %d:\n%s", n, text, want, r.log.String())
	}
}

func startReader(t *testing.T, s *fakeStream) *reader {
	t.Helper()
	r := &reader{t: t}
	log := slog.New(slog.NewTextHandler(&r.log, nil))
	r.Source = streams.New(s, "arn", "eu-central-1",
		func(rec streams.Record) { r.got = append(r.got, rec.SequenceNumber) }, log)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// drain steps until no more records come.
func (r *reader) drain() {
	r.t.Helper()
	for busy := true; busy; {
		var err error
		if busy, err = r.Step(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *reader) want(numbers ...int) {
	r.t.Helper()
	var want []string
	for _, n := range numbers {
		want = append(want, strconv.Itoa(1000+n))
	}
	if !slices.Equal(r.got, want) {
		r.t.Errorf("got %v, want %v", r.got, want)
	}
}

func TestBeginsAfterStart(t *testing.T) {
	s := &fakeStream{}
	a := s.addShard("a", "")
	s.write(a, "X") // before Start
	r := startReader(t, s)
	s.write(a, "X")
	s.write(a, "Y")
	s.write(a, "X")
	r.drain()
	r.want(2, 3, 4)
}

func TestParentsBeforeChildren(t *testing.T) {
	s := &fakeStream{}
	a := s.addShard("a", "")
	r := startReader(t, s)
	for range 5 {
		s.write(a, "X")
	}
	a.closed = true
	lowerShard, upperShard := s.addShard("b", "a"), s.addShard("c", "a")
	for range 3 {
		s.write(lowerShard, "X")
	}
	s.write(upperShard, "Y")
	lowerShard.closed = true
	grandchild := s.addShard("d", "b")
	s.write(grandchild, "X")
	r.drain()
	var x []string
	for _, n := range r.got {
		if n != "1009" { // Y
			x = append(x, n)
		}
	}
	if want := []string{"1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1010"}; !slices.Equal(x, want) ||
		len(r.got) != 10 {
		t.Errorf("got %v, want X in the order %v, and Y", r.got, want)
	}
}

func TestExpiredIterator(t *testing.T) {
	s := &fakeStream{}
	a := s.addShard("a", "")
	r := startReader(t, s)
	for range 3 {
		s.write(a, "X")
	}
	if _, err := r.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.expireNext = true
	r.drain()
	r.want(1, 2, 3)
}

// TestExpiredBeforeTheFirstRecord: an iterator expires before its first record. A new
// one at the end of the shard would miss records.
func TestExpiredBeforeTheFirstRecord(t *testing.T) {
	s := &fakeStream{}
	a := s.addShard("a", "")
	s.write(a, "X")
	r := startReader(t, s)
	s.write(a, "X")
	s.expireNext = true
	r.drain()
	r.want(1, 2) // 1 is passed on again, which versions allow
}

func TestTrimmedRecords(t *testing.T) {
	s := &fakeStream{}
	a := s.addShard("a", "")
	r := startReader(t, s)
	for range 5 {
		s.write(a, "X")
	}
	if _, err := r.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.expireNext, s.trimNext = true, true
	r.drain()
	r.want(1, 2, 5) // 3 and 4 are lost, and reading continues
}

// TestShardTrimmed: a machine that was asleep for more than 24 hours continues with
// the child of a shard that was trimmed.
func TestShardTrimmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		a := s.addShard("a", "")
		r := startReader(t, s)
		s.write(a, "X")
		r.drain()
		s.write(a, "X") // never read
		child := s.addShard("b", "a")
		s.write(child, "X")
		s.trimShard(a)
		time.Sleep(time.Minute)
		r.drain()
		r.want(1, 3)
		r.wantLogged("trimmed before they were read", 1)
	})
}

// TestEndedShardTrimmed: no record is lost if a shard that was read to its end is
// trimmed.
func TestEndedShardTrimmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		a := s.addShard("a", "")
		r := startReader(t, s)
		s.write(a, "X")
		a.closed = true
		r.drain()
		s.trimShard(a)
		s.addShard("b", "a")
		time.Sleep(time.Minute)
		r.drain()
		r.want(1)
		r.wantLogged("trimmed before they were read", 0)
	})
}

// TestFailuresAreLoggedOnce: a stream is read four times a second. People read the
// log.
func TestFailuresAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		s.addShard("a", "")
		r := startReader(t, s)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		for range 2 {
			s.fail(errors.New("down"))
			time.Sleep(time.Minute)
			s.fail(nil)
			time.Sleep(time.Minute)
		}
		stop()
		<-ended
		r.wantLogged("down", 2)
		r.wantLogged("can be read again", 2)
	})
}

func TestStepReturnsFailures(t *testing.T) {
	s := &fakeStream{}
	a := s.addShard("a", "")
	r := startReader(t, s)
	s.write(a, "X")
	s.err = fmt.Errorf("down")
	if _, err := r.Step(t.Context()); err == nil {
		t.Error("Step returned no error")
	}
	s.err = nil
	r.drain()
	r.want(1)
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		a := s.addShard("a", "")
		r := startReader(t, s)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(time.Second)
		s.write(a, "X")
		time.Sleep(time.Second)
		before := s.describeCalls()
		time.Sleep(time.Minute)
		if n := s.describeCalls() - before; n < 5 || n > 7 {
			t.Errorf("DescribeStream was called %d times in a minute, want about 6", n)
		}
		stop()
		<-ended
		r.want(1)
	})
}

// TestRecordShape decodes every type of attribute with the types of aws-lambda-go.
func TestRecordShape(t *testing.T) {
	s := &fakeStream{}
	a := s.addShard("a", "")
	var got []streams.Record
	const arn = "arn:aws:dynamodb:eu-central-1:1:table/x/stream/y"
	put := func(r streams.Record) { got = append(got, r) }
	src := streams.New(s, arn, "eu-central-1", put, discard)
	if err := src.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.write(a, "MUG")
	a.records[0].Dynamodb.NewImage = map[string]types.AttributeValue{
		"s": &types.AttributeValueMemberS{Value: "x"}, "n": &types.AttributeValueMemberN{Value: "42"},
		"bool": &types.AttributeValueMemberBOOL{Value: true}, "null": &types.AttributeValueMemberNULL{Value: true},
		"b": &types.AttributeValueMemberB{Value: []byte{1}}, "ss": &types.AttributeValueMemberSS{Value: []string{"a"}},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"}}},
		"m": &types.AttributeValueMemberM{
			Value: map[string]types.AttributeValue{"k": &types.AttributeValueMemberS{Value: "v"}},
		},
	}
	if _, err := src.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	var r events.DynamoDBEventRecord
	if len(got) != 1 || json.Unmarshal(got[0].Data, &r) != nil {
		t.Fatalf("got %v", got)
	}
	image := r.Change.NewImage
	if r.EventName != "MODIFY" || r.Change.SequenceNumber != "1001" || r.Change.Keys["sku"].String() != "MUG" ||
		image["n"].Number() != "42" || !image["bool"].Boolean() || !image["null"].IsNull() || image["b"].Binary()[0] != 1 ||
		image["ss"].StringSet()[0] != "a" || image["l"].List()[0].Number() != "1" || image["m"].Map()["k"].String() != "v" ||
		r.Change.ApproximateCreationDateTime.Unix() != 1_700_000_000 || !strings.Contains(got[0].Key, "MUG") {
		t.Errorf("got %s", got[0].Data)
	}
}
