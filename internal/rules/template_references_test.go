package rules

import (
	"fmt"
	"regexp"
)

// checkReferences: a resource refers only to resources that are made whenever it is
// made.
func checkReferences(k *checker) { k.followReferences(k.scenes()) }

func (k *checker) followReferences(scenes []*scene) {
	for _, s := range scenes {
		stack := s.evaluator()
		made := map[string]bool{}
		for _, r := range stack.Resources() {
			made[r.ID] = true
		}
		for _, r := range stack.Resources() {
			r.Property().JSON()
			for _, id := range r.DependsOn() {
				if !made[id] {
					k.failf("%s: %s depends on %s, which is not made", s.name, r.ID, id)
				}
			}
		}
		for _, output := range stack.Section("Outputs").Fields() {
			if name, _ := k.t.outputs[output.Name]["Condition"].(string); s.holds(name) {
				output.Value.Field("Value").JSON()
			}
		}
		s.collect()
		for _, e := range s.errors {
			k.failf("%s", e)
		}
	}
}

// placeholder matches ${Name} and ${Name.Attribute} in a Fn::Sub.
var placeholder = regexp.MustCompile(`\$\{([^!][^}]*)\}`)

// references adds the names that a value refers to.
func references(v any, names map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			references(each, names)
		}
	case object:
		for name, args := range v {
			list, _ := args.([]any)
			switch text, _ := args.(string); {
			case name == "Ref" || name == "Condition":
				names[text] = true
			case name == "Fn::Sub":
				for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
					names[m[1]] = true
				}
			case name == "Fn::If" && len(list) > 0:
				names[fmt.Sprint(list[0])] = true
			}
			references(args, names)
		}
	}
}

// checkConditions: conditions and parameters are defined and used, and the first deployment
// has to give none.
func checkConditions(k *checker) {
	checkUsed(k)
	for name, p := range k.t.parameters {
		if _, ok := p["Default"]; !ok {
			k.failf("the parameter %s has no default", name)
		}
	}
	k.checkRules()
}

// checkUsed: conditions and parameters are defined and used.
func checkUsed(k *checker) {
	used := map[string]bool{}
	for _, section := range []string{"Conditions", "Resources", "Outputs"} {
		references(k.t.sections[section], used)
	}
	for _, r := range k.t.resources {
		references(r.properties, used) // the globals too
		if _, ok := k.t.conditions[r.condition]; r.condition != "" && !ok {
			k.failf("%s has the condition %s, which is not defined", r.id, r.condition)
		}
	}
	for name := range k.t.conditions {
		if !used[name] {
			k.failf("the condition %s is not used", name)
		}
	}
	for name := range k.t.parameters {
		if !used[name] {
			k.failf("the parameter %s is not used", name)
		}
	}
}

// checkRules checks that the rules refuse half of a pair of parameters, which are
// only useful together, and accept all scenes.
func (k *checker) checkRules() {
	for _, pair := range [][2]string{
		{"TokenIssuer", "TokenClients"}, {"InventoryTableName", "InventoryStreamArn"}, {"CartTableName", "CartStreamArn"},
		{"DomainName", "CertificateArn"}, {"EdgeDomainName", "EdgeSecretArn"},
	} {
		for _, name := range pair {
			if (&scene{name: name, given: map[string]string{name: "x"}, t: k.t}).allowed() {
				k.failf("%s may be given without the other of %v", name, pair)
			}
		}
	}
	if (&scene{name: "keys", given: map[string]string{"TokenJwksUrl": "x"}, t: k.t}).allowed() {
		k.failf("TokenJwksUrl may be given without TokenIssuer")
	}
	for _, s := range k.scenes() {
		if !s.allowed() {
			k.failf("the rules refuse the parameters of %s", s.name)
		}
	}
}

// literals match text that a template must not have.
var literals = map[string]*regexp.Regexp{
	"an account": regexp.MustCompile(`\b\d{12}\b`),
	"a Region": regexp.MustCompile(`\b(us|eu|ap|ca|sa|me|af|il|mx|cn)(-gov)?` +
		`-(north|south|east|west|central|northeast|southeast|northwest|southwest)-\d\b`),
	"a partition":           regexp.MustCompile(`\barn:aws[a-z-]*:`),
	"an address of AWS":     regexp.MustCompile(`execute-api\.[^\s"]*amazonaws\.com`),
	"something like a key":  regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`),
	"a bucket":              regexp.MustCompile(`\bs3://`),
	"an unfinished part":    regexp.MustCompile(`@@|TODO|FIXME|XXX`),
	"a tab":                 regexp.MustCompile(`\t`),
	"an ended runtime":      regexp.MustCompile(`\bgo1\.x\b|provided\.al2\b`),
	"tracing of the stage":  regexp.MustCompile(`TracingEnabled`),
	"WAF at the WebSockets": regexp.MustCompile(`WebACLAssociation`), // a web ACL cannot be attached to a WebSocket API
}

// checkLiterals: the template deploys in any account and Region.
func checkLiterals(k *checker) {
	for what, form := range literals {
		if m := form.FindString(k.t.text); m != "" {
			k.failf("%s: %q", what, m)
		}
	}
}
