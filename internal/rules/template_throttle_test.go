package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What API Gateway accepts for an account in a Region (G-LIMIT-10): requests a second,
// and at once.
const (
	accountRequests = 10_000
	accountBurst    = 5_000
)

// environments returns how many environments of the broadcaster post at the same
// time, beside the one that sweeps. This is for streams of one shard; they may have more.
func (k *checker) environments() int {
	n := 1 // for the schedule
	for _, r := range k.t.ofType(kindSource) {
		if r.id == "SweepMapping" {
			continue // its budget is SweepPostsPerSecond
		}
		factor, ok := number(r.properties["ParallelizationFactor"])
		if !ok {
			k.failf("%s has no ParallelizationFactor", r.id)
		}
		n += factor
	}
	return n
}

// checkPosts: the environments of the broadcaster, each with the default budget,
// leave half of the requests of the account to others.
func checkPosts(k *checker) {
	environments := k.environments()
	each, ok := number(k.t.parameters["PostsPerSecond"]["Default"])
	sweeps, sweepsOK := number(k.t.parameters["SweepPostsPerSecond"]["Default"])
	if most := accountRequests / 2; !ok || !sweepsOK || each < 1 || sweeps < each || each*environments+sweeps > most {
		k.failf("%d environments with %v posts a second each, and one with %v, want at most %d together",
			environments, each, sweeps, most)
	}
	k.want("the crowd of a hub without settings", int(k.constant("internal/hub", "DefaultPostsPerSecond")), each)
}

// checkThrottles: what the hub may use, by default, is what the account may have. A
// message of each client that reconnects is not throttled.
func checkThrottles(k *checker) {
	rate, burst := k.throttles("ThrottlingRateLimit"), k.throttles("ThrottlingBurstLimit")
	posts, _ := number(k.t.parameters["PostsPerSecond"]["Default"])
	// Each connection of a flood is ended once: no more are ended than connect.
	ends := rate.routes["$connect"]
	sweeps, _ := number(k.t.parameters["SweepPostsPerSecond"]["Default"])
	rate.sum += posts*k.environments() + sweeps + ends
	if rate.sum > accountRequests || burst.sum > accountBurst {
		k.failf("%d requests a second and %d at once, want at most %d and %d",
			rate.sum, burst.sum, accountRequests, accountBurst)
	}
	for _, limit := range []throttles{rate, burst} {
		for _, key := range []string{"hello", "subscribe"} {
			if limit.routes[key] < limit.routes["$connect"] {
				k.failf("%d clients connect at once, and %s accepts %d", limit.routes["$connect"], key, limit.routes[key])
			}
		}
	}
	const document = "docs/deploy.md"
	data, err := os.ReadFile(filepath.Join(root, document))
	for _, line := range []string{
		fmt.Sprintf("| `$connect` | %d |", rate.routes["$connect"]),
		fmt.Sprintf("| thirteen paths of the REST API, `RestRequestsPerSecond` each | %d |", k.restSum("RestApi")),
		fmt.Sprintf("| orders on their way to the shop | %d |",
			k.orderThrottle("ThrottlingRateLimit")),
		fmt.Sprintf("| eight paths of the shop's systems, `SystemRequestsPerSecond` each | %d |",
			k.restSum("SystemsApi", "PrivateApi")),
		fmt.Sprintf("no more than connect | %d |", ends),
		fmt.Sprintf("| six environments that post, `PostsPerSecond` each | %s |", spaced(posts*k.environments())),
		fmt.Sprintf("| one environment that sweeps, `SweepPostsPerSecond` | %s |", spaced(sweeps)),
		fmt.Sprintf("| together | %s |", spaced(rate.sum)),
		fmt.Sprintf("should stay above %d: after", rate.routes["$connect"]),
	} {
		if err != nil || !strings.Contains(string(data), line) {
			k.failf("%s does not have %q: %v", document, line, err)
		}
	}
}

// spaced returns a number of four digits or more as the documents write it.
func spaced(n int) string { return fmt.Sprintf("%d %03d", n/1000, n%1000) }

// throttles are the limits of all routes.
type throttles struct {
	routes map[string]int
	sum    int // of all routes, and of all paths of REST APIs
}

// throttles returns the limits of a name.
func (k *checker) throttles(name string) throttles {
	all := throttles{routes: map[string]int{}}
	for key := range k.byKey() {
		all.routes[key] = k.routeThrottle(k.one(kindStage), key, name)
		all.sum += all.routes[key]
	}
	for _, api := range k.t.ofType(kindRestAPI) {
		all.sum += len(restPaths(api)) * k.restThrottle(api, name)
	}
	all.sum += k.orderThrottle(name)
	return all
}

// orderThrottle returns a limit of the API of orders.
func (k *checker) orderThrottle(name string) int {
	return k.throttle(sub(k.t.resources["OrdersApi"].properties, "DefaultRouteSettings")[name])
}

// routeThrottle returns a limit of a route. A route without settings of its own has the
// default of its API.
func (k *checker) routeThrottle(api resource, key, name string) int {
	settings := sub(api.properties, "RouteSettings", key)
	if len(settings) == 0 {
		settings = sub(api.properties, "DefaultRouteSettings")
	}
	return k.throttle(settings[name])
}

// restPaths returns the paths of a REST API.
func restPaths(api resource) object { return sub(api.properties, "DefinitionBody", "paths") }

// restSum returns the requests a second that REST APIs accept.
func (k *checker) restSum(ids ...string) (sum int) {
	for _, id := range ids {
		api := k.t.resources[id]
		sum += len(restPaths(api)) * k.restThrottle(api, "ThrottlingRateLimit")
	}
	return sum
}

// restThrottle returns a limit of each path of a REST API.
func (k *checker) restThrottle(api resource, name string) int {
	settings, _ := api.properties["MethodSettings"].([]any)
	if len(settings) != 1 {
		k.failf("%s has %d settings of methods, want 1 for all", api.id, len(settings))
		return 0
	}
	all, _ := settings[0].(object)
	return k.throttle(all[name])
}

// throttle returns a limit of a template: a number, or the default of a parameter.
func (k *checker) throttle(v any) int {
	if ref, ok := v.(object); ok {
		name, _ := ref["Ref"].(string)
		v = k.t.parameters[name]["Default"]
	}
	n, ok := number(v)
	if !ok || n < 1 {
		k.failf("%v is not a limit", v)
	}
	return n
}
