// Package esm imitates a DynamoDB stream with the event source mapping
// that feeds a Lambda function from it: shards, batches, retries, partial
// failures, splitting, giving up.
//
// The function is a [lambda.Handler], the same value that lambda.Start takes.
// [Mapping.Put] appends a record; [Mapping.Run] delivers on goroutines, as the
// local house does; [Mapping.Step] makes one invocation at a time on the
// caller's goroutine and looks at no clock, so that a simulation can replay a
// seed exactly.
//
// # Guarantees
//
// Order. The records of one key share a shard and reach the function in the order
// in which they were put. A shard has at most one invocation under way; while a
// batch of it is being retried, every later record of that shard waits. Shards
// know nothing of each other.
//
// At least once. A record leaves the trigger in one of three ways: acknowledged
// by the function, given up after its last attempt, or trimmed because its shard
// was full. The last two are told to Options.OnFailure. A record may reach the
// function more often than once, as on AWS.
//
// Blocking. Put, Stats, Shard and Shards never wait for the function. Step and
// Run wait for it: a function that ignores the end of its context holds up its
// shard (the real service would kill it), though its late answer counts as a
// timeout. Wait gives way to its context. No lock is held while the function, or
// a hook of [Options], runs, so each of them may call Put.
//
// Closing. There is nothing to close. Run ends with its context and returns when
// the goroutines it started have returned. What was not acknowledged by then
// stays, and a later Run or Step goes on with it.
//
// # Where it differs from AWS
//
// Nothing is polled: a record is delivered as soon as its shard is free, and a
// batch is what has gathered until then (a batching window of zero). Records are
// trimmed by number, not by age. There are no tumbling windows, no filters, no
// parallelisation factor. Shards are never split or merged. Rules that AWS does
// not document are marked "assumed" where they are applied.
package esm
