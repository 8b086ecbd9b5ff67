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

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// stream is a stream with splitting shards, of which no local engine has any. It
// does what the SDK's real client would bring from the service.
type stream struct {
	mu      sync.Mutex // guards everything below
	shards  []*fakeShard
	next    int   // the next sequence number
	expire  bool  // the next GetRecords finds its iterator expired
	trim    bool  // the next GetShardIterator behind a record finds it trimmed
	failing error // every call
	pages   int   // DescribeStream calls
}

type fakeShard struct {
	id, parent string
	records    []types.Record
	closed     bool
}

func (s *stream) shard(id, parent string) *fakeShard {
	sh := &fakeShard{id: id, parent: parent}
	s.shards = append(s.shards, sh)
	return sh
}

// trimmed removes a shard with its records, as the service does after 24 hours.
func (s *stream) trimmed(sh *fakeShard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shards = slices.DeleteFunc(s.shards, func(other *fakeShard) bool { return other == sh })
}

// find is the shard of that id. The service knows nothing of one that was trimmed.
func (s *stream) find(id string) (*fakeShard, error) {
	for _, sh := range s.shards {
		if sh.id == id {
			return sh, nil
		}
	}
	return nil, &types.ResourceNotFoundException{}
}

func (s *stream) write(sh *fakeShard, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	number := strconv.Itoa(1000 + s.next)
	at := time.Unix(1_700_000_000, 0)
	sh.records = append(sh.records, types.Record{
		EventName: types.OperationTypeModify,
		Dynamodb: &types.StreamRecord{
			SequenceNumber: &number, ApproximateCreationDateTime: &at, StreamViewType: types.StreamViewTypeNewAndOldImages,
			Keys: map[string]types.AttributeValue{"sku": &types.AttributeValueMemberS{Value: key}},
		},
	})
}

// DescribeStream lists one shard a page.
func (s *stream) DescribeStream(_ context.Context, in *dynamodbstreams.DescribeStreamInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages++
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
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: out}, s.failing
}

func (s *stream) GetShardIterator(_ context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.find(*in.ShardId)
	if err != nil {
		return nil, err
	}
	at := 0
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeLatest:
		at = len(sh.records)
	case types.ShardIteratorTypeAfterSequenceNumber:
		if s.trim {
			s.trim = false
			sh.records = sh.records[len(sh.records)-1:]
			return nil, &types.TrimmedDataAccessException{}
		}
		at = 1 + slices.IndexFunc(sh.records, func(r types.Record) bool { return *r.Dynamodb.SequenceNumber == *in.SequenceNumber })
	}
	iterator := fmt.Sprint(sh.id, " ", at)
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: &iterator}, s.failing
}

// GetRecords returns two records at most.
func (s *stream) GetRecords(_ context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil {
		return nil, s.failing
	}
	if s.expire {
		s.expire = false
		return nil, &types.ExpiredIteratorException{}
	}
	id, number, _ := strings.Cut(*in.ShardIterator, " ")
	at, _ := strconv.Atoi(number)
	sh, err := s.find(id)
	if err != nil {
		return nil, err
	}
	end := min(at+2, len(sh.records))
	out := &dynamodbstreams.GetRecordsOutput{Records: sh.records[at:end]}
	if !sh.closed || end < len(sh.records) {
		next := fmt.Sprint(id, " ", end)
		out.NextShardIterator = &next
	}
	return out, nil
}

// fail makes every call fail from now on; nil: none.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}

// looked is how often somebody looked for shards.
func (s *stream) looked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages
}

// reader is a source that keeps the sequence numbers it handed on.
type reader struct {
	*streams.Source
	t   *testing.T
	got []string
	log bytes.Buffer
}

// wantLogged counts the lines that have a text.
func (r *reader) wantLogged(text string, want int) {
	r.t.Helper()
	if n := strings.Count(r.log.String(), text); n != want {
		r.t.Errorf("got %d lines with %q, want %d:\n%s", n, text, want, r.log.String())
	}
}

func read(t *testing.T, s *stream) *reader {
	t.Helper()
	r := &reader{t: t}
	log := slog.New(slog.NewTextHandler(&r.log, nil))
	r.Source = streams.New(s, "arn", "eu-central-1", func(rec streams.Record) { r.got = append(r.got, rec.SequenceNumber) }, log)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// drain steps until nothing comes any more.
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

func TestBeginsWithWhatComes(t *testing.T) {
	s := &stream{}
	a := s.shard("a", "")
	s.write(a, "X") // before anybody looked
	r := read(t, s)
	s.write(a, "X")
	s.write(a, "Y")
	s.write(a, "X")
	r.drain()
	r.want(2, 3, 4)
}

func TestParentsBeforeChildren(t *testing.T) {
	s := &stream{}
	a := s.shard("a", "")
	r := read(t, s)
	for range 5 {
		s.write(a, "X")
	}
	a.closed = true
	left, right := s.shard("b", "a"), s.shard("c", "a")
	for range 3 {
		s.write(left, "X")
	}
	s.write(right, "Y")
	left.closed = true
	grandchild := s.shard("d", "b")
	s.write(grandchild, "X")
	r.drain()
	var x []string
	for _, n := range r.got {
		if n != "1009" { // Y
			x = append(x, n)
		}
	}
	if want := []string{"1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1010"}; !slices.Equal(x, want) || len(r.got) != 10 {
		t.Errorf("got %v, want X in the order %v, and Y", r.got, want)
	}
}

func TestExpiredIterator(t *testing.T) {
	s := &stream{}
	a := s.shard("a", "")
	r := read(t, s)
	for range 3 {
		s.write(a, "X")
	}
	if _, err := r.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.expire = true
	r.drain()
	r.want(1, 2, 3)
}

// TestExpiredBeforeTheFirst: where nothing was read yet, the end of the shard is
// not where it was.
func TestExpiredBeforeTheFirst(t *testing.T) {
	s := &stream{}
	a := s.shard("a", "")
	s.write(a, "X")
	r := read(t, s)
	s.write(a, "X")
	s.expire = true
	r.drain()
	r.want(1, 2) // 1 is told anew, which versions allow
}

func TestTrimmedRecords(t *testing.T) {
	s := &stream{}
	a := s.shard("a", "")
	r := read(t, s)
	for range 5 {
		s.write(a, "X")
	}
	if _, err := r.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.expire, s.trim = true, true
	r.drain()
	r.want(1, 2, 5) // 3 and 4 are lost, and nothing is stuck
}

// TestShardVanished: a desk that slept for more than 24 hours goes on with the child
// of a shard that is no more.
func TestShardVanished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stream{}
		a := s.shard("a", "")
		r := read(t, s)
		s.write(a, "X")
		r.drain()
		s.write(a, "X") // nobody reads it
		child := s.shard("b", "a")
		s.write(child, "X")
		s.trimmed(a)
		time.Sleep(time.Minute)
		r.drain()
		r.want(1, 3)
		r.wantLogged("trimmed before they were read", 1)
	})
}

// TestShardEnded: of one that was read to its end nothing is lost.
func TestShardEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stream{}
		a := s.shard("a", "")
		r := read(t, s)
		s.write(a, "X")
		a.closed = true
		r.drain()
		s.trimmed(a)
		s.shard("b", "a")
		time.Sleep(time.Minute)
		r.drain()
		r.want(1)
		r.wantLogged("trimmed before they were read", 0)
	})
}

// TestFailuresAreToldOnce: the service is asked four times a second, and the log is
// for people.
func TestFailuresAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stream{}
		s.shard("a", "")
		r := read(t, s)
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
		r.wantLogged("goes on", 2)
	})
}

func TestFailuresPass(t *testing.T) {
	s := &stream{}
	a := s.shard("a", "")
	r := read(t, s)
	s.write(a, "X")
	s.failing = fmt.Errorf("down")
	if _, err := r.Step(t.Context()); err == nil {
		t.Error("a failure was not told")
	}
	s.failing = nil
	r.drain()
	r.want(1)
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stream{}
		a := s.shard("a", "")
		r := read(t, s)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(time.Second)
		s.write(a, "X")
		time.Sleep(time.Second)
		asked := s.looked()
		time.Sleep(time.Minute)
		if n := s.looked() - asked; n < 5 || n > 7 {
			t.Errorf("shards were looked for %d times in a minute, want about 6", n)
		}
		stop()
		<-ended
		r.want(1)
	})
}

// TestRecordShape: every kind of attribute as Lambda writes it, decoded by its own
// types.
func TestRecordShape(t *testing.T) {
	s := &stream{}
	a := s.shard("a", "")
	var got []streams.Record
	src := streams.New(s, "arn:aws:dynamodb:eu-central-1:1:table/x/stream/y", "eu-central-1", func(r streams.Record) { got = append(got, r) }, quiet)
	if err := src.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.write(a, "MUG")
	a.records[0].Dynamodb.NewImage = map[string]types.AttributeValue{
		"s": &types.AttributeValueMemberS{Value: "x"}, "n": &types.AttributeValueMemberN{Value: "42"},
		"bool": &types.AttributeValueMemberBOOL{Value: true}, "null": &types.AttributeValueMemberNULL{Value: true},
		"b": &types.AttributeValueMemberB{Value: []byte{1}}, "ss": &types.AttributeValueMemberSS{Value: []string{"a"}},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"}}},
		"m": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": &types.AttributeValueMemberS{Value: "v"}}},
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
