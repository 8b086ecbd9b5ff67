package dynamostore

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expression collects the names and values that the expressions of one request
// refer to. Every name gets a placeholder: many of ours are reserved words.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
type expression struct {
	names  map[string]string
	values row
}

func (e *expression) name(attribute string) string {
	if e.names == nil {
		e.names = map[string]string{}
	}
	e.names["#"+attribute] = attribute
	return "#" + attribute
}

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

// compare is an attribute, an operator and a value, whose placeholder must not be
// that of another.
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

// become gives the attributes of r their values, and removes those that are nil.
func (u *update) become(r row) {
	for _, attribute := range slices.Sorted(maps.Keys(r)) {
		if r[attribute] == nil {
			u.clause("REMOVE", u.name(attribute))
		} else {
			u.clause("SET", u.name(attribute)+" = "+u.value(attribute, r[attribute]))
		}
	}
}

// keep gives an attribute a value if it has none.
func (u *update) keep(attribute string, v types.AttributeValue) {
	name := u.name(attribute)
	u.clause("SET", name+" = if_not_exists("+name+", "+u.value(attribute, v)+")")
}

// add adds to a number or a set.
func (u *update) add(attribute string, v types.AttributeValue) {
	u.clause("ADD", u.name(attribute)+" "+u.value(attribute, v))
}

// take takes elements out of a set. A set without elements is no attribute.
func (u *update) take(attribute string, v types.AttributeValue) {
	u.clause("DELETE", u.name(attribute)+" "+u.value(attribute, v))
}

func (u *update) String() string {
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(u.clauses)) {
		parts = append(parts, verb+" "+strings.Join(u.clauses[verb], ", "))
	}
	return strings.Join(parts, " ")
}
