package client

import (
	"os"
	"strings"
	"testing"
)

// planted is a change of one of the client's own files that breaks a rule.
type planted struct {
	name string
	file string
	old  string // occurs exactly once
	new  string
}

// plantedDefects are the changes that the properties must find, one at a time. See
// TestPropertiesFindDefects, which needs the build tag planted.
var plantedDefects = []planted{
	{"forward: an older version is taken", "state.go",
		"return *v.Version > current || proven ||",
		"return *v.Version >= 0 || proven ||"},
	{"forward: an older rev is taken", "state.go",
		"if !newerRev(v.Rev, s.revs[topic]) {",
		"if false {"},
	{"forward: a rev is compared as text", "state.go",
		"	if len(a) != len(b) {\n",
		"	if false {\n"},
	{"epochs: a late message restores an epoch that has ended", "state.go",
		`if epoch == "" || s.past[epoch] {`,
		`if epoch == "" {`},
	{"epochs: a new epoch keeps the values", "state.go",
		"		clear(s.values)\n",
		""},
	{"epochs: a new epoch is not asked about", "receive.go",
		"			each.subs.requestAll()\n		}\n		each.subs.request(done.gaps)",
		"		}\n		each.subs.request(done.gaps)"},
	{"gaps: a step is taken over steps that are missing", "state.go",
		"if !whole && !(isVersion(v.From) && *v.From <= max(0, s.version(topic))) {",
		"if false {"},
	{"gaps: nobody asks for the steps that are missing", "receive.go",
		"		each.subs.request(done.gaps)\n",
		""},
	{"answers: a value that is lower than a push is not asked for again", "state.go",
		"			e.gaps[topic] = true\n		}\n	}\n}\n\n// isUnsure",
		"		}\n	}\n}\n\n// isUnsure"},
	{"answers: a lower version is never taken", "state.go",
		"*v.Version > current || proven || *v.Version",
		"*v.Version > current || *v.Version"},
	{"answers: an answer counts though something changed since its request", "state.go",
		"return asked && taken == s.taken[topic]",
		"return asked && taken <= s.taken[topic]"},
	{"resume: a new connection does not subscribe", "connection.go",
		"	l.subs.requestAll()\n	e.pump()\n",
		"	e.onSettled(l)\n	e.pump()\n"},
	{"resume: a topic is live though nothing has confirmed it", "engine.go",
		"fresh := e.current != nil && e.current.settled && e.current.subs.fresh[topic] &&",
		"fresh := e.current != nil && e.current.greeted &&"},
	{"keep-alive: nothing is asked for", "connection.go",
		"			e.current.subs.requestAll()\n		default:",
		"		default:"},
	{"lifetime: the old connection ends before the next one is made", "connection.go",
		"	e.stop(\"reconnect\")\n	if e.replacement != nil {",
		"	e.stop(\"reconnect\")\n	if e.current != nil {\n		e.current.close()\n	}\n	if e.replacement != nil {"},
	{"lifetime: the old connection stays open", "connection.go",
		"		previous.retire()\n",
		""},
	{"reconnect: clients that were cut come back together", "connection.go",
		"		within = e.within\n",
		""},
	{"reconnect: the wait of a bye is not kept", "receive.go",
		"	wait := time.Duration(m.After)*time.Millisecond + ",
		"	wait := 0*time.Duration(m.After) + "},
	{"proof: a ping without an answer proves", "link.go",
		"	l.start(\"proof\", proofWithin, func() { l.e.lost(l, 0, false) })\n",
		""},
	{"changes: a change that is sent again has another key", "changes.go",
		"	q.running = true\n	e.current.ask(",
		"	q.running = true\n	c.req.Key += \"x\"\n	e.current.ask("},
	{"changes: a change whose answer is lost is forgotten", "changes.go",
		"		if m != nil { // otherwise the link has closed: the next one sends it again\n			e.onAnswer(c, m)\n",
		"		if m == nil {\n			q.queue = q.queue[1:]\n		} else {\n			e.onAnswer(c, m)\n"},
	{"changes: the next one does not follow", "changes.go",
		"		c.done(r, err)\n	}\n	e.pump()\n",
		"		c.done(r, err)\n	}\n"},
	{"forget: what an unwanted topic brings is kept", "receive.go",
		"	e.forgetUnwanted(done)\n",
		""},
	{"forget: a topic that is wanted again is not requested", "subscriptions.go",
		"	for _, topic := range topics {\n		s.due[topic] = true\n	}\n	s.settle()",
		"	for _, topic := range topics {\n		s.due[topic] = !s.subscribed[topic]\n	}\n	s.settle()"},
	{"requests: an error that names none of them is ignored", "link.go",
		"	} else if m.namesNoRequest() {\n",
		"	} else if m.namesNoRequest() && l.closed {\n"},
}

// TestPlantedDefectsApply checks that each defect still fits its file, so that the list
// cannot rot between the runs that build it.
func TestPlantedDefectsApply(t *testing.T) {
	for _, p := range plantedDefects {
		t.Run(p.name, func(t *testing.T) { p.source(t) })
	}
}

// source returns the file with the defect.
func (p planted) source(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(p.file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), p.old); n != 1 || p.old == p.new {
		t.Fatalf("%s has the text %d times, want once:\n%s", p.file, n, p.old)
	}
	return strings.Replace(string(data), p.old, p.new, 1)
}
