// Package table says what rows look like in DynamoDB, and turns a record of a
// DynamoDB stream into the change it tells of.
//
// The inventory table has the key sku, the cart table the key cart; both have a
// stream with NEW_AND_OLD_IMAGES. Numbers are integers, times are milliseconds
// since 1970. Attributes that this package does not know are left alone.
//
// It is the only package that reads events.DynamoDBAttributeValue, whose
// accessors panic on a value of another type.
package table
