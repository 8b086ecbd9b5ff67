package rest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/rest"
)

// TestSwitching: pages that change between the socket and HTTP at random, with answers
// that come late or never. No value goes back, no write takes effect twice, nobody gets
// what is another's, and all screens end right. HUB_TEST_SEEDS is the number of seeds.
func TestSwitching(t *testing.T) {
	seeds := seedSetting(t, "HUB_TEST_SEEDS", 100)
	problems, met := switchAll(t, seeds, "")
	for _, p := range problems {
		t.Error(p)
	}
	t.Log(met)
	for _, what := range []string{
		"write over the socket", "write over HTTP", "repeat over the other door", "lost answer", "late answer",
		"unchanged poll", "delta", "gap", "lost push", "exact stock",
	} {
		if met[what] < int(seeds)/10 {
			t.Errorf("%d seeds met %q %d times", seeds, what, met[what])
		}
	}
}

// TestSwitchingFindsDefects: the judges of TestSwitching find what they are for.
func TestSwitchingFindsDefects(t *testing.T) {
	for _, defect := range []string{
		"answers are applied whatever came since", "a repeat has a new key", "bob has the token of vera",
		"unchanged is taken for nothing",
	} {
		t.Run(defect, func(t *testing.T) {
			if problems, _ := switchAll(t, 100, defect); len(problems) == 0 {
				t.Error("nothing was found")
			}
		})
	}
}

// switchAll runs seeds, and returns the problems of one that has any, and what the runs met.
func switchAll(t *testing.T, seeds uint64, defect string) (problems []string, met map[string]int) {
	t.Helper()
	seed, problems, met := runSeeds(t, 1, seeds, func(f *fixture, seed uint64) ([]string, map[string]int) {
		s := newSwitching(f, seed, defect)
		s.run()
		return s.problems, s.met
	})
	if problems != nil {
		problems = append([]string{fmt.Sprint("seed ", seed)}, problems...)
	}
	return problems, met
}

// switching is one run: a shop, its hub, and pages.
type switching struct {
	f        *fixture
	rng      *rand.Rand
	defect   string
	memory   *memstore.Store
	faults   bool
	pages    []*page
	sockets  map[string]*page // by connection
	opened   int
	changes  []hub.Change               // of the stream, not delivered
	items    map[string]map[string]bool // texts that a version of a SKU had, by "SKU@version exact"
	added    map[string]int             // pieces that users know to have added to countedSKU
	problems []string
	met      map[string]int
}

// countedSKU is a SKU that nothing but adds changes in carts.
const countedSKU = "COUNT"

// switchSKUs are the SKUs of the pages. acme sells the first.
var switchSKUs = []string{"OURS", "MUG", "TEE"}

func newSwitching(f *fixture, seed uint64, defect string) *switching {
	s := &switching{
		f: f, rng: rand.New(rand.NewPCG(seed, 9)), defect: defect, memory: memstore.New("k3"), faults: true,
		sockets: map[string]*page{}, items: map[string]map[string]bool{}, added: map[string]int{}, met: map[string]int{},
	}
	f.log.Reset()
	f.now = time.UnixMilli(1_800_000_000_000).UTC()
	f.store = &failingStore{Store: s.memory, errs: map[string]error{}}
	s.memory.Follow(s.committed)
	limits, err := hub.ParseLimits("guest=0,customer=0,vendor=0,admin=0,skus=0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.hub = hub.New(f.store, s, func() time.Time { return f.now }).WithCartsFrom(s.memory.FirstCartVersion).
		WithLimits(limits)
	f.use(f.issuer.Client(), rest.Options{})
	s.pages = []*page{
		s.newPage("phone", hub.Principal{User: "ann", Role: hub.RoleCustomer}),
		s.newPage("laptop", hub.Principal{User: "ann", Role: hub.RoleCustomer}),
		s.newPage("bob", hub.Principal{User: "bob", Role: hub.RoleCustomer}),
		s.newPage("guest", hub.Principal{User: "guest:9f2c", Role: hub.RoleGuest}),
		s.newPage("vera", hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: "acme"}),
	}
	f.stock(switchSKUs[0], 9, "acme")
	for _, sku := range append(switchSKUs[1:], countedSKU) {
		f.stock(sku, 1_000_000, "")
	}
	for _, p := range s.pages {
		f.stock("OF-"+p.mark(), 1_000_000, "")
	}
	return s
}

func (s *switching) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// chance is true once in n times, while there are faults.
func (s *switching) chance(n int) bool { return s.faults && s.rng.IntN(n) == 0 }

// committed is the stream of the tables.
func (s *switching) committed(c hub.Change) {
	s.changes = append(s.changes, c)
	if c.NewItem != nil {
		for shape, exact := range map[hub.Shape]bool{hub.ShapeBadge: false, hub.ShapeExact: true} {
			at := fmt.Sprint(c.NewItem.SKU, "@", c.NewItem.Version, " ", exact)
			if s.items[at] == nil {
				s.items[at] = map[string]bool{}
			}
			b := c.NewItem.Badge(shape)
			s.items[at][badgeText(string(b.State), b.Quantity)] = true
		}
	}
}

func badgeText(state string, quantity *int) string {
	if quantity == nil {
		return state
	}
	return fmt.Sprint(state, " ", *quantity)
}

// deliver gives some changes to the broadcaster.
func (s *switching) deliver() {
	n := min(len(s.changes), 1+s.rng.IntN(4))
	if n == 0 {
		return
	}
	batch := s.changes[:n]
	s.changes = s.changes[n:]
	if _, err := s.f.hub.Broadcast(context.Background(), batch); err != nil {
		s.problem("broadcast: %v", err)
	}
}

// Post is the gateway: it has accepted what a page never gets if its socket drops.
func (s *switching) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i, post := range posts {
		p := s.sockets[post.ConnectionID]
		if p == nil {
			errs[i] = hub.ErrGone
			continue
		}
		p.inspect(string(post.Data))
		m := decode(s.f.t, string(post.Data))
		p.inbox = append(p.inbox, letter{pushed: true, read: func() { s.met["delta"]++; p.apply(m, nil) }})
	}
	return errs
}

// Disconnect is the gateway's.
func (s *switching) Disconnect(context.Context, string, string) error { return nil }

// run runs one seed.
func (s *switching) run() {
	for range 120 {
		s.event()
		s.f.now = s.f.now.Add(time.Millisecond)
	}
	s.faults = false
	for range 4 {
		for _, p := range s.pages {
			for range len(p.pending) {
				p.repeat()
			}
			for len(s.changes) > 0 {
				s.deliver()
			}
			p.readAll()
			p.ask()
			p.readAll()
		}
	}
	s.judgeEnd()
}

// event makes one random thing happen.
func (s *switching) event() {
	p := s.pages[s.rng.IntN(len(s.pages))]
	switch n := s.rng.IntN(100); {
	case n < 15:
		available := s.rng.IntN(9)
		sku := switchSKUs[s.rng.IntN(len(switchSKUs))]
		if _, err := s.f.hub.PutStock(context.Background(), sku, hub.StockChange{Available: &available}); err != nil {
			s.problem("stock: %v", err)
		}
	case n < 35:
		s.deliver()
	case n < 60:
		if len(p.inbox) > 0 {
			p.readOne(s.rng.IntN(len(p.inbox)))
		}
	case n < 75:
		p.ask()
	case n < 82:
		p.switchDoor()
	case n < 93:
		p.write()
	default:
		p.repeat()
	}
}

// judgeEnd compares carts and screens with the store.
func (s *switching) judgeEnd() {
	ctx := context.Background()
	items, err := s.memory.Items(ctx, switchSKUs)
	if err != nil {
		s.problem("items: %v", err)
	}
	for _, p := range s.pages {
		cart, err := s.memory.Cart(ctx, p.principal.CartID())
		if err != nil {
			s.problem("cart: %v", err)
		}
		if got := cart.Lines[countedSKU].Quantity; got != s.added[p.principal.User] {
			s.problem("%s: the cart has %d pieces, and %d were added", p.name, got, s.added[p.principal.User])
		}
		if text := linesText(cart); p.shown["cart"].text != text || len(p.pending) > 0 {
			s.problem("%s shows the cart %v, want %d %s", p.name, p.shown["cart"], cart.Version, text)
		}
		for _, sku := range switchSKUs {
			item := items[sku]
			shape := hub.ShapeBadge
			if p.sees(sku) {
				shape = hub.ShapeExact
			}
			b := item.Badge(shape)
			want := view{float64(item.Version), badgeText(string(b.State), b.Quantity)}
			if got := p.shown["sku:"+sku]; got.text != want.text {
				s.problem("%s shows %s as %v, want %v", p.name, sku, got, want)
			}
		}
	}
}

// linesText is what a page shows of a cart.
func linesText(c hub.Cart) string {
	lines := map[string]int{}
	for sku, l := range c.Lines {
		if l.Quantity > 0 {
			lines[sku] = l.Quantity
		}
	}
	return fmt.Sprint(lines)
}
