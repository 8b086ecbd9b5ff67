package hubtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// Names returns the names of testdata/names.json: SKUs that shops have, and text that
// is not a SKU. The tests of every place that a SKU passes through read them.
func Names(t testing.TB) (good, bad []string) {
	t.Helper()
	good, bad, err := readNames()
	if err != nil {
		t.Fatal(err)
	}
	return good, bad
}

// readNames finds the file from the folder of any package.
func readNames() (good, bad []string, err error) {
	for dir := "."; len(dir) < len("../../../../../.."); dir = filepath.Join("..", dir) {
		data, err := os.ReadFile(filepath.Join(dir, "testdata", "names.json"))
		if err != nil {
			continue
		}
		var names struct{ Good, Bad []string }
		if err := json.Unmarshal(data, &names); err != nil || len(names.Good) == 0 || len(names.Bad) == 0 {
			return nil, nil, fmt.Errorf("names.json: %d good and %d bad names, %v", len(names.Good), len(names.Bad), err)
		}
		return names.Good, names.Bad, nil
	}
	return nil, nil, errors.New("found no testdata/names.json above this folder")
}

// anySKU checks that a store keeps any two SKUs apart, as items, in lists of vendors,
// as lines and as topics.
func anySKU(ctx context.Context, f Fixture) error {
	names, _, err := readNames()
	if err != nil {
		return err
	}
	for n, name := range names {
		// Each is a SKU of one vendor, and the name of the vendor of another SKU.
		listed, own := item(name, 1, n), item(fmt.Sprint("OF-", n), 1, n)
		listed.Vendor, own.Vendor = "all", name
		if err := errors.Join(f.Store.PutItem(ctx, listed, 0), f.Store.PutItem(ctx, own, 0)); err != nil {
			return err
		}
		skus, more, err := f.Store.VendorSKUs(ctx, name, "", 2)
		if err := errors.Join(err, same("list of a vendor", fmt.Sprint(skus, more), "["+own.SKU+"] false")); err != nil {
			return err
		}
	}
	return cmp.Or(anyItem(ctx, f, names), anyVendorPage(ctx, f, names), anyLine(ctx, f, names), anyTopic(ctx, f, names))
}

func anyItem(ctx context.Context, f Fixture, names []string) error {
	items, err := f.Store.Items(ctx, names)
	if err != nil || len(items) != len(names) {
		return fmt.Errorf("got %d items, %v, want %d", len(items), err, len(names))
	}
	for n, name := range names {
		want := item(name, 1, n)
		want.Vendor = "all"
		if err := same("item", items[name], want); err != nil {
			return err
		}
	}
	return nil
}

// anyVendorPage pages through a list in the order of bytes.
func anyVendorPage(ctx context.Context, f Fixture, names []string) error {
	var listed []string
	for after, more := "", true; more; after = listed[len(listed)-1] {
		var page []string
		var err error
		if page, more, err = f.Store.VendorSKUs(ctx, "all", after, 3); err != nil || len(page) == 0 {
			return fmt.Errorf("list after %q: got %q, %v", after, page, err)
		}
		listed = append(listed, page...)
	}
	return same("list", listed, slices.Sorted(slices.Values(names)))
}

// anyLine keeps a cart with all names, and its receipt.
func anyLine(ctx context.Context, f Fixture, names []string) error {
	lines := map[string]int{}
	for n, name := range names {
		lines[name] = n
	}
	want := cart("u~alice", 1, lines)
	if err := f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: want}}, nil); err != nil {
		return err
	}
	got, err := f.Store.Cart(ctx, "u~alice")
	if err := errors.Join(err, same("cart", got, want)); err != nil {
		return err
	}
	changes, err := f.Changes(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, c := range changes {
		if c.NewItem != nil {
			seen[c.NewItem.SKU] = true
			continue
		}
		if err := same("cart in the feed", *c.NewCart, want); err != nil {
			return err
		}
	}
	for _, name := range names {
		if !seen[name] {
			return fmt.Errorf("%q is not in the feed", name)
		}
	}
	return nil
}

// anyTopic subscribes one connection to each name, and another one to all.
func anyTopic(ctx context.Context, f Fixture, names []string) error {
	var all []hub.Topic
	for n, name := range names {
		topics := []hub.Topic{{Kind: hub.KindSKU, Name: name}, {Kind: hub.KindVendor, Name: name}}
		if err := connect(ctx, f, fmt.Sprintf("c%02d", n), topics...); err != nil {
			return err
		}
		all = append(all, topics...)
	}
	if err := connect(ctx, f, "all", all...); err != nil {
		return err
	}
	c, err := f.Store.Connection(ctx, "all")
	for _, topics := range [][]hub.Topic{all, c.Topics} {
		slices.SortFunc(topics, func(a, b hub.Topic) int { return strings.Compare(a.String(), b.String()) })
	}
	if err := errors.Join(err, same("topics", c.Topics, all)); err != nil {
		return err
	}
	for n, name := range names {
		for _, kind := range []hub.TopicKind{hub.KindSKU, hub.KindVendor} {
			if err := wantSubscribers(ctx, f, hub.Topic{Kind: kind, Name: name}, "all", fmt.Sprintf("c%02d", n)); err != nil {
				return err
			}
		}
	}
	members, err := f.Store.Collect(ctx, "g~g1", "s~1", names, len(names), minute(60))
	return errors.Join(err, same("set", len(members), len(names)))
}
