// Package esm imitates a DynamoDB stream and the event source mapping that feeds
// a Lambda function from it: shards, batches, retries, partial failures, splitting,
// and giving up.
//
// The function is a [lambda.Handler], the same value that lambda.Start takes.
// [Mapping.Put] appends a record to the stream. [Mapping.Run] delivers records on
// its own goroutines, as the local house does. [Mapping.Step] makes one invocation
// on the caller's goroutine and reads no clock, so that a simulation can replay a
// seed exactly.
//
// # Guarantees
//
// Order. The records of one key are in one shard and reach the function in the
// order in which they were put. A shard has at most one invocation in progress.
// While a batch is being retried, all later records of its shard wait. Shards are
// independent of each other.
//
// At least once. A record leaves the mapping in one of three ways: the function
// acknowledges it, its last attempt fails, or it is trimmed because its shard is
// full. Options.OnFailure receives the last two. As on AWS, the function may receive
// a record more than once.
//
// Blocking. Put, Stats, Shard and Shards never wait for the function. Step and Run
// wait for it: a function that ignores the end of its context blocks its shard. Its
// late response counts as a timeout; Lambda would end the function. Wait returns when
// its context ends. No lock is held while the function or a hook of [Options] runs,
// so both may call Put.
//
// Closing. There is nothing to close. When its context ends, Run waits for its
// goroutines and returns. Records that are not acknowledged stay in the mapping, and
// a later Run or Step continues with them.
//
// # Where it differs from AWS
//
//   - Nothing is polled. A record is delivered as soon as its shard is free, in a
//     batch with the records that wait with it (a batching window of zero).
//   - Records are trimmed by number, not by age.
//   - There are no tumbling windows, no filters and no parallelization factor.
//   - Shards are never split or merged.
//
// Rules that AWS does not document are marked "assumed" where they are applied.
package esm
