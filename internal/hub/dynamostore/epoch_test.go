package dynamostore_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestDocumentedCommandBeginsAnEpoch deletes the row that docs/operations.md names,
// and checks that the next read begins a new epoch, which then stays.
func TestDocumentedCommandBeginsAnEpoch(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`aws dynamodb delete-item --table-name \S+ --key '(.*)'\n`).FindSubmatch(doc)
	if command == nil {
		t.Fatal("docs/operations.md does not have the command")
	}
	var attributes map[string]struct{ S string }
	if err := json.Unmarshal(command[1], &attributes); err != nil {
		t.Fatal(err)
	}
	key := map[string]types.AttributeValue{}
	for name, value := range attributes {
		key[name] = &types.AttributeValueMemberS{Value: value.S}
	}
	db := newTestDB(t)
	s := db.store(db.client)
	epochs := map[string]bool{}
	read := func() {
		t.Helper()
		epoch, err := s.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		epochs[epoch] = true
	}
	read()
	in := &dynamodb.DeleteItemInput{TableName: &db.options.HubTable, Key: key}
	if _, err := db.client.DeleteItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	read()
	read()
	if len(epochs) != 2 {
		t.Errorf("got epochs %v, want two", epochs)
	}
}
