package rules

// rowMutations are rights on the hub table that are too wide, too narrow or
// misspelt.
var rowMutations = []mutation{
	{"rights", "a misspelt action (passes cfn-lint)", "ConnectRole:\n", "dynamodb:UpdateItem", "dynamodb:UpdateItems"},
	{"rights", "all actions", "MessageRole:\n", "[dynamodb:PutItem]", "[\"dynamodb:*\"]"},
	{"rights", "all tables", "ConnectRole:\n", "!GetAtt HubTable.Arn", "\"*\""},
	{"rights", "two actions on the partitions of one", "DisconnectRole:\n", "[dynamodb:PutItem]",
		"[dynamodb:PutItem, dynamodb:DeleteItem]"},
	{"rights", "one is missing", "BroadcastRole:\n", "[dynamodb:DeleteItem]", "[dynamodb:GetItem]"},
	{"rights", "another operator in a condition", "RestRole:\n", "ForAllValues:StringLike",
		"ForAllValues:StringNotLike"},
	{"rights", "a condition on another key", "ConnectRole:\n", "dynamodb:LeadingKeys", "dynamodb:Attributes"},
	{"rights", "all rows for the authorizer", "AuthorizeRole:\n", partitions(`"X#*"`), ""},
	{"rights", "other rows to read for the authorizer", "AuthorizeRole:\n", `["R#*"]`, `["*"]`},
	{"rights", "other rows for tickets", "RestRole:\n", `[E, "K#*", "V#*", "X#*"]`, `[E, "K#*", "*"]`},
	{"rights", "connections for the REST API", "RestRole:\n", `["N#*"]`, `["C#*", "N#*"]`},
	{"rights", "tickets for $connect", "ConnectRole:\n", `["O#*"]`, `["O#*", "X#*"]`},
	{"rights", "revocations for $connect", "ConnectRole:\n", `["O#*"]`, `["O#*", "R#*"]`},
	{"rights", "revocations for $disconnect", "DisconnectRole:\n", `["O#*", "T#*"]`, `["O#*", "R#*", "T#*"]`},
	{"rights", "all rows for $disconnect", "DisconnectRole:\n", partitions(`"C#*"`), ""},
	{"rights", "tickets for messages", "MessageRole:\n", `[E, "K#*"]`, `[E, "K#*", "X#*"]`},
	{"rights", "revocations for messages", "MessageRole:\n", `["O#*", "T#*"]`, `["O#*", "R#*", "T#*"]`},
	{"rights", "changed revocations for messages", "MessageRole:\n",
		`["C#*", "N#*", "S#*"]`, `["C#*", "N#*", "R#*", "S#*"]`},
	{"rights", "every partition with a letter for messages", "MessageRole:\n", `["O#*", "V#*"]`, `["?#*"]`},
	{"rights", "tickets for the broadcaster", "BroadcastRole:\n", `["C#*", E, "V#*"]`, `["C#*", E, "V#*", "X#*"]`},
	{"rights", "no revocations for the broadcaster", "BroadcastRole:\n", `["C#*", "R#*", "S#*"]`, `["C#*", "S#*"]`},
}

// partitions returns the condition of a statement.
func partitions(list string) string {
	return `                Condition: {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [` + list + "]}}\n"
}
