// Package streams reads a DynamoDB stream and hands its records on as Lambda's
// event source mapping writes them, one element of "Records" each.
//
// It is the desk's side of a trigger: with it, a local house can watch the tables
// of any DynamoDB endpoint, in AWS too. In AWS itself the mapping does this.
//
// # Guarantees
//
// Records of one item come in the order of the stream: a shard is read only after
// its parents have ended. A [Source] starts no goroutine; [Source.Run] returns
// when its context ends. After an expired iterator it goes on behind the last
// record it handed on; after a gap (records older than 24 hours are trimmed, and
// shards with them) with the oldest there is, and says so.
package streams
