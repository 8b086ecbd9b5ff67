package dynamostore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub/dynamostore"
)

func TestCreateTables(t *testing.T) {
	db := newTestDB(t)
	if err := dynamostore.CreateTables(t.Context(), db.client, db.options); err != nil {
		t.Errorf("second call: got %v, want success", err)
	}
	for name, want := range map[string]struct {
		keys string
		view types.StreamViewType
		ttl  string
	}{
		db.options.HubTable:       {"pk HASH sk RANGE", "", "expires"},
		db.options.InventoryTable: {"sku HASH", types.StreamViewTypeNewAndOldImages, ""},
		db.options.CartTable:      {"cart HASH", types.StreamViewTypeNewAndOldImages, "expires"},
	} {
		out, tableErr := db.client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
		ttl, ttlErr := db.client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
		if err := errors.Join(tableErr, ttlErr); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, k := range out.Table.KeySchema {
			keys = append(keys, *k.AttributeName+" "+string(k.KeyType))
		}
		wantSame(t, name+": keys", strings.Join(keys, " "), want.keys, nil)
		var view types.StreamViewType
		if out.Table.StreamSpecification != nil {
			view = out.Table.StreamSpecification.StreamViewType
		}
		wantSame(t, name+": stream", view, want.view, nil)
		attribute := ""
		if ttl.TimeToLiveDescription != nil && ttl.TimeToLiveDescription.AttributeName != nil {
			attribute = *ttl.TimeToLiveDescription.AttributeName
		}
		wantSame(t, name+": TTL", attribute, want.ttl, nil)
		if out.Table.BillingModeSummary == nil || out.Table.BillingModeSummary.BillingMode != types.BillingModePayPerRequest {
			t.Errorf("%s is not on demand", name)
		}
		if n := len(out.Table.GlobalSecondaryIndexes) + len(out.Table.LocalSecondaryIndexes); n > 0 {
			t.Errorf("%s has %d indexes", name, n)
		}
	}
}

// TestCreateTablesRefuses checks that CreateTables fails if an existing table is
// wrong, says why, and does not change the table.
func TestCreateTablesRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		wrong func(o *dynamostore.Options)
		want  string
	}{
		"keys": {func(o *dynamostore.Options) { o.HubTable = o.InventoryTable },
			"its key is [sku HASH S], want [pk HASH S sk RANGE S]"},
		"type of a key": {func(o *dynamostore.Options) { o.InventoryTable += "-numbered" },
			"its key is [sku HASH N], want [sku HASH S]"},
		"stream": {func(o *dynamostore.Options) { o.CartTable += "-streamless" },
			"its stream must have the view type NEW_AND_OLD_IMAGES"},
		"TTL": {func(o *dynamostore.Options) { o.HubTable += "-ttl" }, `its TTL is on "other", want "expires"`},
	} {
		t.Run(name, func(t *testing.T) {
			db := newTestDB(t)
			schemas := dynamostore.Schemas(db.options)
			streamless, ttl, numbered := *schemas[2].Table, *schemas[0].Table, *schemas[1].Table
			streamless.StreamSpecification = nil
			sku := "sku"
			numbered.AttributeDefinitions = []types.AttributeDefinition{{AttributeName: &sku,
				AttributeType: types.ScalarAttributeTypeN}}
			for in, suffix := range map[*dynamodb.CreateTableInput]string{&streamless: "-streamless", &ttl: "-ttl",
				&numbered: "-numbered"} {
				name := *in.TableName + suffix
				in.TableName = &name
				if _, err := db.client.CreateTable(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				if err := dynamodb.NewTableExistsWaiter(db.client).Wait(t.Context(),
					&dynamodb.DescribeTableInput{TableName: &name}, 60e9); err != nil {
					t.Fatal(err)
				}
				defer func() {
					if _, err := db.client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
						t.Error(err)
					}
				}()
			}
			other, on := "other", true
			if _, err := db.client.UpdateTimeToLive(t.Context(),
				&dynamodb.UpdateTimeToLiveInput{TableName: ttl.TableName,
					TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &other, Enabled: &on}}); err != nil {
				t.Fatal(err)
			}
			o := db.options
			tt.wrong(&o)
			if err := dynamostore.CreateTables(t.Context(), db.client, o); err == nil || !strings.Contains(err.Error(),
				tt.want) {
				t.Errorf("got error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestCheckRows checks that a required attribute that no row has is named.
func TestCheckRows(t *testing.T) {
	db := newTestDB(t)
	check := func(want ...string) {
		t.Helper()
		problems, err := dynamostore.CheckRows(t.Context(), db.client, db.options)
		var got []string
		for _, p := range problems {
			got = append(got, p.Error())
		}
		wantSame(t, "problems", got, want, err)
	}
	put := func(sku, attribute string) {
		t.Helper()
		number := &types.AttributeValueMemberN{Value: "1"}
		_, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &db.options.InventoryTable,
			Item:      row{"sku": &types.AttributeValueMemberS{Value: sku}, "version": number, attribute: number},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check() // an empty table
	for _, sku := range []string{"A", "B", "C"} {
		put(sku, "stock")
	}
	check(`none of 3 inventory rows has the attribute "available"; if it has another name, map it: available=NAME`)
	put("D", "available")
	check()
}
