package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/table"
)

const (
	// creationTimeout is how long CreateTables waits for one table. Creation takes
	// seconds.
	creationTimeout = 2 * time.Minute
	// creationPoll is how often it checks.
	creationPoll = time.Second
)

// Schema is one of the tables.
type Schema struct {
	Table *dynamodb.CreateTableInput
	TTL   string // attribute of the table's TTL, "" for no TTL
}

// Schemas returns the tables as template.yaml creates them, that of the sweeps if it has
// a name.
func Schemas(o Options) []Schema {
	cartTTL := ""
	if names := o.Layout.Cart; names.HasExpires() {
		cartTTL = names.Attribute(table.AttrExpires)
	}
	schemas := []Schema{
		{Table: schema(o.HubTable, nil, attrPK, attrSK), TTL: attrExpires},
		{Table: schema(o.InventoryTable, images, o.Layout.Inventory.Attribute(table.AttrSKU))},
		{Table: schema(o.CartTable, images, o.Layout.Cart.Attribute(table.AttrCart)), TTL: cartTTL},
	}
	if o.SweepTable != "" {
		schemas = append(schemas, Schema{Table: schema(o.SweepTable, bells, attrPK, attrSK)})
	}
	return schemas
}

var images = &types.StreamSpecification{
	StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
}

// bells is the stream of the sweep table, whose records say nothing but that there is
// work.
var bells = &types.StreamSpecification{
	StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly,
}

func schema(name string, stream *types.StreamSpecification, keys ...string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, StreamSpecification: stream,
	}
	for i, k := range keys {
		kind := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &k, AttributeType: types.ScalarAttributeTypeS,
		})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &k, KeyType: kind})
	}
	return in
}

// Admin is what CreateTables needs of DynamoDB. [dynamodb.Client] implements it.
type TablesAPI interface {
	CreateTable(
		context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options),
	) (*dynamodb.CreateTableOutput, error)
	DescribeTable(
		context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options),
	) (*dynamodb.DescribeTableOutput, error)
	DescribeTimeToLive(
		context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options),
	) (*dynamodb.DescribeTimeToLiveOutput, error)
	UpdateTimeToLive(
		context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options),
	) (*dynamodb.UpdateTimeToLiveOutput, error)
}

var _ TablesAPI = (*dynamodb.Client)(nil)

// CreateTables creates missing tables, and returns when all are ready. It does not
// change existing tables. It fails if the keys, stream or TTL of an existing table
// are not what the hub needs.
func CreateTables(ctx context.Context, client TablesAPI, o Options) error {
	for _, want := range Schemas(o) {
		_, err := client.CreateTable(ctx, want.Table)
		var exists *types.ResourceInUseException
		if err == nil || errors.As(err, &exists) {
			err = prepare(ctx, client, want)
		}
		if err != nil {
			return fmt.Errorf("create table %s: %w", *want.Table.TableName, err)
		}
	}
	return nil
}

// ErrNoTable: a table does not exist.
var ErrNoTable = errors.New("there is no such table")

// CheckTables fails if a table does not exist (ErrNoTable), or if its keys or stream
// are not what the hub needs. It changes nothing.
func CheckTables(ctx context.Context, client TablesAPI, o Options) error {
	for _, want := range Schemas(o) {
		out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: want.Table.TableName})
		var missing *types.ResourceNotFoundException
		if errors.As(err, &missing) {
			err = ErrNoTable
		}
		if err == nil {
			err = compare(out.Table, want.Table)
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", *want.Table.TableName, err)
		}
	}
	return nil
}

// firstRows is how many rows CheckRows reads.
const firstRows = 100

// ScanAPI is what CheckRows needs of DynamoDB. [dynamodb.Client] implements it.
type ScanAPI interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// CheckRows reads some rows of the inventory and returns a problem for each attribute
// that the hub needs and none of them has: its name in the layout is wrong then.
func CheckRows(ctx context.Context, client ScanAPI, o Options) (problems []error, err error) {
	limit := int32(firstRows)
	out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &o.InventoryTable, Limit: &limit})
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", o.InventoryTable, err)
	}
	var census table.Census
	for _, r := range out.Items {
		image := imageOf(r)
		census.Count(o.Layout, image, image)
	}
	return census.Problems(o.Layout), nil
}

// prepare waits for a table, checks it and turns its TTL on.
func prepare(ctx context.Context, client TablesAPI, want Schema) error {
	name := want.Table.TableName
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay = creationPoll
	})
	out, err := waiter.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: name}, creationTimeout)
	if err != nil {
		return err
	}
	if err := compare(out.Table, want.Table); err != nil {
		return fmt.Errorf("the table exists: %w", err)
	}
	if want.TTL == "" {
		return nil
	}
	ttl, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: name})
	if err != nil {
		return err
	}
	if attribute, enabled := ttlAttribute(ttl.TimeToLiveDescription); enabled {
		if attribute != want.TTL {
			return fmt.Errorf("the table exists: its TTL is on %q, want %q", attribute, want.TTL)
		}
		return nil
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &want.TTL, Enabled: aws.Bool(true),
		},
	})
	return err
}

func ttlAttribute(d *types.TimeToLiveDescription) (attribute string, enabled bool) {
	if d == nil {
		return "", false
	}
	enabled = d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling
	return aws.ToString(d.AttributeName), enabled
}

// compare returns an error that names what of a table is wrong.
func compare(table *types.TableDescription, want *dynamodb.CreateTableInput) error {
	got := keyNames(table.KeySchema, table.AttributeDefinitions)
	if want := keyNames(want.KeySchema, want.AttributeDefinitions); got != want {
		return fmt.Errorf("its key is %s, want %s", got, want)
	}
	if want.StreamSpecification == nil {
		return nil
	}
	view := want.StreamSpecification.StreamViewType
	if table.StreamSpecification == nil || table.StreamSpecification.StreamViewType != view {
		return fmt.Errorf("its stream must have the view type %s", view)
	}
	return nil
}

// keyNames returns the attributes of a key: name, role and type of each. It ignores
// attributes that a table defines for its indexes.
func keyNames(schema []types.KeySchemaElement, defined []types.AttributeDefinition) string {
	kinds := map[string]types.ScalarAttributeType{}
	for _, d := range defined {
		kinds[aws.ToString(d.AttributeName)] = d.AttributeType
	}
	names := make([]string, len(schema))
	for i, k := range schema {
		name := aws.ToString(k.AttributeName)
		names[i] = fmt.Sprint(name, " ", k.KeyType, " ", kinds[name])
	}
	return fmt.Sprint(names)
}
