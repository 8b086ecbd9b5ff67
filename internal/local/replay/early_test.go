package replay

import "testing"

// TestEarlyDelta: the delta of a change may come before the answer to a subscription that was
// sent at the same time. It is compared when that answer has told the topic's versions.
func TestEarlyDelta(t *testing.T) {
	const (
		snapshot = `{"type":"snapshot","epoch":"e","topics":{"sku:MUG":{"version":1,"state":"low","quantity":2}}}`
		words    = "sku:MUG  few left, 2 (version 1)"
		first    = `{"type":"delta","epoch":"e","topics":{"sku:MUG":{"version":1,"state":"low","quantity":2}}}`
		gone     = `{"type":"delta","epoch":"e","topics":{"sku:MUG":{"version":2,"state":"out"}}}`
		wrong    = `{"type":"delta","epoch":"e","topics":{"sku:MUG":{"version":2,"state":"in"}}}`
		ok       = `{"type":"ok","version":1}`
		step     = `{"type":"delta","epoch":"e","topics":{"cart":{"version":1,"from":0,"lines":{"MUG":{"quantity":1}}}}}`
		later    = `{"type":"delta","epoch":"e","topics":{"cart":{"version":2,"from":1,"lines":{"MUG":null}}}}`
	)
	for name, tt := range map[string]struct {
		recorded, got []string
		differs       bool
	}{
		"in order":             {recorded: []string{snapshot, gone}, got: []string{snapshot, gone}},
		"what the answer has":  {recorded: []string{snapshot, gone}, got: []string{first, snapshot, gone}},
		"all before it":        {recorded: []string{snapshot, gone}, got: []string{first, gone, snapshot}},
		"an answer in words":   {recorded: []string{words, gone}, got: []string{first, words, gone}},
		"a change of the cart": {recorded: []string{ok, step, later}, got: []string{step, later, ok}},
		"another value":        {recorded: []string{snapshot, gone}, got: []string{wrong, snapshot}, differs: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConversation("guest-1", newNames(), offsets{})
			c.cart = "cart:guest-1"
			c.ask()
			c.requests = 1
			for _, text := range tt.recorded {
				c.add(text)
			}
			for _, text := range tt.got {
				c.got(text)
			}
			if differs := c.first != nil; differs != tt.differs {
				t.Errorf("the first difference is %+v", c.first)
			}
			for _, f := range c.frames {
				if !f.done && !tt.differs {
					t.Errorf("frame %d has not come", f.number)
				}
			}
		})
	}
}
