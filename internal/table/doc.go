// Package table defines the rows of the inventory and cart tables in DynamoDB, and
// reads a record of a DynamoDB stream as a [hub.Change].
//
// The inventory table has the key sku, the cart table the key cart. Both have a
// stream with NEW_AND_OLD_IMAGES. Numbers are integers. Times are written as
// milliseconds since 1970; seconds and ISO 8601 are read too. The package ignores
// attributes that it does not know, and optional ones that it cannot read.
//
// It is the only package that reads events.DynamoDBAttributeValue, whose accessors
// panic on a value of another type.
package table
