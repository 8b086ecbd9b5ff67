// Package streams reads a DynamoDB stream and passes its records on as Lambda's
// event source mapping writes them, each as one element of "Records".
//
// In AWS the event source mapping reads the stream. Locally a [Source] does, so that
// a house can follow the tables of any DynamoDB endpoint, including those in AWS.
//
// # Guarantees
//
// Records of one item come in the order of the stream: a shard is read only after its
// parent has ended. A [Source] starts no goroutine, and [Source.Run] returns when its
// context ends. After an expired iterator a Source continues behind the last record
// that it passed on. After a gap (records are trimmed after 24 hours, and shards with
// them) it continues with the oldest record, and logs the gap.
package streams
