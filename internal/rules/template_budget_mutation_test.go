package rules

// budgetMutations are bounds of functions that are too small or too large.
var budgetMutations = []mutation{
	{"budgets", "a broadcaster that has time for its reserves only", "BroadcastFunction:\n", "Timeout: 25", "Timeout: 3"},
	{"budgets", "a broadcaster without time for its posts", "BroadcastFunction:\n", "Timeout: 25", "Timeout: 18"},
	{"budgets", "a broadcaster that outlives its records", "BroadcastFunction:\n", "Timeout: 25", "Timeout: 60"},
	{"budgets", "a broadcaster that closes connections before it heals them twice", "BroadcastFunction:\n",
		"Timeout: 25", "Timeout: 31"},
	{"budgets", "records that grow too old for retries", "CartMapping:\n", "MaximumRecordAgeInSeconds: 300",
		"MaximumRecordAgeInSeconds: 60"},
	{"budgets", "batches of ten thousand", "InventoryMapping:\n", "BatchSize: 1000", "BatchSize: 10000"},
	{"budgets", "batches of one", "CartMapping:\n", "BatchSize: 200", "BatchSize: 1"},
	{"budgets", "a broadcaster with a small share of a processor", "BroadcastFunction:\n", "MemorySize: 1024",
		"MemorySize: 256"},
	{"budgets", "a broadcaster with more than a processor", "BroadcastFunction:\n", "MemorySize: 1024",
		"MemorySize: 3008"},
	{"budgets", "an authorizer that ends with the fetch of its keys", "AuthorizeFunction:\n", "Timeout: 8", "Timeout: 5"},
	{"budgets", "an authorizer for which nobody waits", "AuthorizeFunction:\n", "Timeout: 8", "Timeout: 10"},
	{"budgets", "tickets that end with the fetch of the keys", "TicketFunction:\n", "Timeout: 8", "Timeout: 5"},
	{"budgets", "tickets that take too long", "TicketFunction:\n", "Timeout: 8", "Timeout: 28"},
	{"budgets", "connections without a retry", "ConnectFunction:\n", "Timeout: 5", "Timeout: 2"},
	{"budgets", "connections that take too long", "ConnectFunction:\n", "Timeout: 5", "Timeout: 28"},
	{"budgets", "no time to forget all subscriptions", "DisconnectFunction:\n", "Timeout: 15", "Timeout: 5"},
	{"budgets", "messages that end with the fetch of the keys", "MessageFunction:\n", "Timeout: 10", "Timeout: 5"},
	{"budgets", "messages for which no browser waits", "MessageFunction:\n", "Timeout: 10", "Timeout: 15"},
	{"budgets", "messages with little memory", "MessageFunction:\n", "MemorySize: 512", "MemorySize: 128"},
	{"budgets", "an authorizer with much memory", "AuthorizeFunction:\n", "MemorySize: 256", "MemorySize: 1024"},
}
