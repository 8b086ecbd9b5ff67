package dynamostore_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// documentedCommand returns the arguments of the command in docs/operations.md as a
// shell passes them on.
func documentedCommand(t *testing.T) map[string]string {
	t.Helper()
	doc, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?s)\naws dynamodb update-item .*?[^\\]\n`).Find(doc)
	shell := exec.CommandContext(t.Context(), "bash", "-c", `aws() { printf '%s\n' "$@"; }`+"\n"+string(command))
	out, err := shell.Output()
	if err != nil || command == nil {
		t.Fatalf("docs/operations.md has the command %q: %v", command, err)
	}
	words := strings.Split(strings.TrimSpace(string(out)), "\n")
	arguments := map[string]string{}
	for option := range slices.Chunk(words[2:], 2) {
		arguments[option[0]] = option[1]
	}
	return arguments
}

// values returns attributes as the AWS CLI takes them.
func values(t *testing.T, text string) map[string]types.AttributeValue {
	t.Helper()
	var parsed map[string]struct{ S, N string }
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	row := map[string]types.AttributeValue{}
	for name, v := range parsed {
		row[name] = &types.AttributeValueMemberS{Value: v.S}
		if v.N != "" {
			row[name] = &types.AttributeValueMemberN{Value: v.N}
		}
	}
	return row
}

// TestDocumentedCommandBeginsAnEpoch runs the command of docs/operations.md: the former
// epoch holds for EpochNotice, and then a new one.
func TestDocumentedCommandBeginsAnEpoch(t *testing.T) {
	arguments := documentedCommand(t)
	db := newTestDB(t)
	s := db.store(db.client)
	read := func() hub.Epoch {
		t.Helper()
		epoch, err := s.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return epoch
	}
	run := func() error {
		_, err := db.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &db.options.HubTable, Key: values(t, arguments["--key"]),
			UpdateExpression:          aws.String(arguments["--update-expression"]),
			ConditionExpression:       aws.String(arguments["--condition-expression"]),
			ExpressionAttributeValues: values(t, arguments["--expression-attribute-values"]),
		})
		return err
	}
	before := read()
	if err := run(); err != nil {
		t.Fatal(err)
	}
	var refused *types.ConditionalCheckFailedException
	announced := read()
	if err := run(); !errors.As(err, &refused) || read() != announced {
		t.Errorf("the command again: %v, and %+v, want a refusal and %+v", err, read(), announced)
	}
	after, now := read(), time.Now()
	if after.Previous != before.Name || after.Name == before.Name || after != read() {
		t.Errorf("got %+v and then %+v, want a new epoch after %s, which stays", after, read(), before.Name)
	}
	if got := after.At(now); got != before.Name {
		t.Errorf("now the epoch is %s, want %s", got, before.Name)
	}
	if got := after.At(now.Add(hub.EpochNotice)); got != after.Name {
		t.Errorf("after the notice the epoch is %s, want %s", got, after.Name)
	}
	if earliest := now.Add(hub.EpochNotice - 10*time.Second); after.Begins.Before(earliest) {
		t.Errorf("the epoch begins at %s, want %s later than now", after.Begins, hub.EpochNotice)
	}
}
