package rules

import (
	"time"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/hub"
)

// Folders that have the constants behind the bounds of functions.
const (
	authFolder   = "internal/auth"
	storeFolder  = "internal/hub/dynamostore"
	posterFolder = "internal/cloud/apigw"
)

// budget has the bounds of a function.
type budget struct {
	least, most         time.Duration // of its timeout
	leastMemory, memory int           // MB
}

// storePause is the longest time that the store pauses for one request.
func (k *checker) storePause() time.Duration {
	all := time.Duration(0)
	for try := range k.constant(storeFolder, "attempts") - 1 {
		all += k.duration(storeFolder, "firstPause") << try
	}
	return all
}

// budgets returns the bounds of each function, from the constants of the code. A
// function must be able to answer although a dependency makes it wait as long as
// the code allows: a function that Lambda ends answers nothing and logs nothing. It
// must not run longer than somebody waits for it.
func (k *checker) budgets() map[config.Function]budget {
	pause := k.storePause()
	keys := k.duration(authFolder, "fetchTimeout")
	// A connection's row, its holders, and its entries with previous holders.
	const connectSteps = 3
	// All subscriptions in batches of 25, and the steps of a connection.
	const disconnectSteps = hub.ConnectionsPerUser*2/25 + connectSteps
	return map[config.Function]budget{
		// API Gateway waits 10 seconds for an authorizer. It reads a revocation.
		config.Authorize: {keys + pause, 9 * time.Second, 256, 512},
		config.Connect:   {connectSteps * pause, 10 * time.Second, 256, 512},
		// Nobody waits for it.
		config.Disconnect: {disconnectSteps * pause, gatewayTimeout * time.Millisecond, 256, 512},
		// A merge verifies a token and writes to a cart; it may have to try again. The
		// browser gives up on an answer after answerWithin.
		config.Message:   {keys + 3*pause, k.browserDuration("answerWithin") - time.Second, 512, 1024},
		config.Rest:      {keys + 3*pause, k.browserDuration("answerWithin") - time.Second, 512, 1024},
		config.Broadcast: k.broadcastBudget(),
	}
}

// broadcastBudget: a batch and a page of a sweep post for about a second each, behind a post
// that hangs. The retries of a batch end before its records are too old, and a marked
// connection is healed twice before it is closed.
func (k *checker) broadcastBudget() budget {
	reserves := k.duration("internal/handler", "answerReserve") + k.duration(posterFolder, "defaultReserve")
	const pages = 10 // of a sweep, so that an invocation is worth its start
	b := budget{
		least: reserves + k.duration(posterFolder, "callTimeout") + k.storePause() +
			k.duration("internal/handler", "sweepPageTime") + pages*time.Second,
		most: k.duration("internal/hub", "closeAfter") / 2, leastMemory: 1024, memory: 1769, // 1 769 MB are one vCPU
	}
	for _, r := range k.t.ofType(kindSource) {
		age, _ := number(r.properties["MaximumRecordAgeInSeconds"])
		retries, _ := number(r.properties["MaximumRetryAttempts"])
		b.most = min(b.most, time.Duration(age)*time.Second/time.Duration(max(0, retries)+1))
	}
	return b
}

// checkBudgets: each function has the time and the memory that it needs, and not
// much more.
func checkBudgets(k *checker) {
	budgets := k.budgets()
	if len(budgets) != len(config.Functions) {
		k.failf("%d functions have bounds, want %d", len(budgets), len(config.Functions))
	}
	for _, f := range config.Functions {
		id, b := functionID(f), budgets[f]
		seconds, _ := number(k.t.resources[id].properties["Timeout"])
		if runs := time.Duration(seconds) * time.Second; runs < b.least || runs > b.most {
			k.failf("%s may run %s, want %s to %s", id, runs, b.least, b.most)
		}
		if mb, _ := number(k.t.resources[id].properties["MemorySize"]); mb < b.leastMemory || mb > b.memory {
			k.failf("%s has %d MB, want %d to %d", id, mb, b.leastMemory, b.memory)
		}
	}
	// The largest batches fit into an invocation: 6 MB, as JSON. An image has some 200
	// bytes, and a record two of them.
	for _, r := range k.t.ofType(kindSource) {
		if size, _ := number(r.properties["BatchSize"]); size < 100 || size > 1_000 {
			k.failf("%s has batches of %d, want 100 to 1 000", r.id, size)
		}
	}
}
