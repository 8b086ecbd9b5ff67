package dynamostore

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expression collects the names and values that the expressions of one request
// refer to. Every name gets a placeholder, because many of ours are reserved words.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
type expression struct {
	names  map[string]string
	values row
}

// name returns the placeholder of an attribute.
func (e *expression) name(attribute string) string {
	if e.names == nil {
		e.names = map[string]string{}
	}
	e.names["#"+attribute] = attribute
	return "#" + attribute
}

// value returns the placeholder of a value.
func (e *expression) value(name string, v types.AttributeValue) string {
	if e.values == nil {
		e.values = row{}
	}
	e.values[":"+name] = v
	return ":" + name
}

func (e *expression) exists(attribute string) string {
	return "attribute_exists(" + e.name(attribute) + ")"
}

func (e *expression) missing(attribute string) string {
	return "attribute_not_exists(" + e.name(attribute) + ")"
}

// compare compares an attribute with a value. The placeholder must differ from
// those of other values.
func (e *expression) compare(attribute, operator, placeholder string, v types.AttributeValue) string {
	return e.name(attribute) + " " + operator + " " + e.value(placeholder, v)
}

// update is an update expression.
type update struct {
	expression
	clauses map[string][]string
}

func (u *update) clause(verb, action string) {
	if u.clauses == nil {
		u.clauses = map[string][]string{}
	}
	u.clauses[verb] = append(u.clauses[verb], action)
}

// setRow sets the attributes of r, and removes those that are nil.
func (u *update) setRow(r row) {
	for _, attribute := range slices.Sorted(maps.Keys(r)) {
		if r[attribute] == nil {
			u.clause("REMOVE", u.name(attribute))
		} else {
			u.clause("SET", u.name(attribute)+" = "+u.value(attribute, r[attribute]))
		}
	}
}

// setMissing sets an attribute that does not exist.
func (u *update) setMissing(attribute string, v types.AttributeValue) {
	name := u.name(attribute)
	u.clause("SET", name+" = if_not_exists("+name+", "+u.value(attribute, v)+")")
}

// add adds to a number or a set.
func (u *update) add(attribute string, v types.AttributeValue) {
	u.clause("ADD", u.name(attribute)+" "+u.value(attribute, v))
}

// deleteFrom deletes elements of a set. DynamoDB removes a set without elements.
func (u *update) deleteFrom(attribute string, v types.AttributeValue) {
	u.clause("DELETE", u.name(attribute)+" "+u.value(attribute, v))
}

func (u *update) String() string {
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(u.clauses)) {
		parts = append(parts, verb+" "+strings.Join(u.clauses[verb], ", "))
	}
	return strings.Join(parts, " ")
}
