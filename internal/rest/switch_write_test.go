package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// write begins a write: an add of countedSKU, or a set of a line that only this user has.
func (p *page) write() {
	p.keys++
	m := message{"key": fmt.Sprint(p.name, ".", p.keys)}
	if p.s.rng.IntN(3) > 0 {
		m["action"], m["sku"], m["quantity"] = "add", countedSKU, float64(1+p.s.rng.IntN(3))
	} else {
		m["action"], m["lines"] = "set", message{"OF-" + p.mark(): float64(p.s.rng.IntN(4))}
	}
	p.pending = append(p.pending, m)
	p.try(m)
}

// repeat sends a write without an answer once more or, now and then, one that has its
// answer.
func (p *page) repeat() {
	if len(p.pending) > 0 {
		p.try(p.pending[p.s.rng.IntN(len(p.pending))])
		return
	}
	for _, key := range slices.Sorted(maps.Keys(p.answered)) {
		if p.s.chance(2) {
			p.try(p.answered[key].m)
			return
		}
	}
}

// try sends a write through a door, which may lose the answer.
func (p *page) try(m message) {
	key := fmt.Sprint(m["key"])
	door := "HTTP"
	if p.socket != "" && p.s.rng.IntN(4) > 0 {
		door = "the socket" // a page with a socket may have an HTTP request under way
	}
	p.s.met["write over "+door]++
	if last := p.doors[key]; last != "" && last != door {
		p.s.met["repeat over the other door"]++
	}
	p.doors[key] = door
	var answer message
	if sent := p.sent(m); door == "HTTP" {
		answer = p.overHTTP(sent)
	} else {
		answer = p.overSocket(sent)
	}
	if p.s.chance(5) {
		p.s.met["lost answer"]++
		return
	}
	p.hear(key, m, answer)
}

// sent is what a try sends.
func (p *page) sent(m message) message {
	m = maps.Clone(m)
	if p.s.defect == "a repeat has a new key" {
		p.keys++
		m["key"] = fmt.Sprint(p.name, ".", p.keys)
	}
	return m
}

// overHTTP sends a write as a request.
func (p *page) overHTTP(m message) message {
	method, path, _ := strings.Cut(httpForms[fmt.Sprint(m["action"])], " ")
	headers := append([]string{"Idempotency-Key", fmt.Sprint(m["key"])}, p.token...)
	delete(m, "action")
	delete(m, "key")
	text, err := json.Marshal(m)
	if err != nil {
		p.s.f.t.Error(err)
	}
	w := p.s.f.call(method, path, string(text), headers...)
	p.inspect(w.Body.String())
	return decode(p.s.f.t, w.Body.String())
}

// hear takes the answer to a write.
func (p *page) hear(key string, m, answer message) {
	if answer["type"] != "ok" {
		p.s.problem("%s: %v got %v", p.name, m, answer)
		return
	}
	if before, known := p.answered[key]; known {
		if before.version != answer["version"] || answer["duplicate"] != true {
			p.s.problem("%s: %v got version %v, and then %v", p.name, m, before.version, answer)
		}
		return
	}
	p.answered[key] = answered{m, answer["version"]}
	p.pending = slices.DeleteFunc(p.pending, func(other message) bool { return other["key"] == m["key"] })
	if m["action"] == "add" {
		p.s.added[p.principal.User] += int(m["quantity"].(float64))
	}
	if _, stepwise := answer["from"]; stepwise {
		p.applyCart(answer, false)
	}
}
