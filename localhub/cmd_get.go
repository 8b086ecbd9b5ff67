package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// ownCart is the topic of the cart of the token's user.
const ownCart = "cart"

// newGet is the word get: it reads topics once, over HTTP.
func newGet() *cobra.Command {
	var door endpoint
	var output outputFlag
	cmd := &cobra.Command{
		Use:   "get TOPIC ... [flags]",
		Short: "read topics once: stock badges, a cart, a vendor's list",
		Long: `A topic is MUG or sku:MUG (stock), cart (of the token's user), or vendor:ID
(for that vendor and admins). A name with a colon needs its kind: sku:A:B. The
words are those of wscat after "pretty on". The status is 1 if a topic is
refused: it does not exist, or the user may not see it.`,
		Example: `localhub get MUG TEE-RED-M
localhub get cart -token "$(localhub token -user alice)"
localhub get MUG -url https://rest.example.com/v1 -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("get needs a TOPIC")
			}
			_, err := parseTopics(args)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			topics, err := parseTopics(args)
			if err != nil {
				return err
			}
			g := getter{endpoint: &door, output: &output, stdout: cmd.OutOrStdout()}
			return g.get(cmd.Context(), topics)
		},
	}
	setFlags(cmd, newGroup("Flags", "", door.doorFlags, output.flags))
	return cmd
}

// topics are what can be read over HTTP.
type topics struct {
	skus    []string
	cart    bool
	vendors []string
}

// parseTopics reads topics as people type them.
func parseTopics(args []string) (t topics, err error) {
	for _, arg := range args {
		text := arg
		if !strings.Contains(text, ":") {
			text = string(hub.KindSKU) + ":" + text
		}
		topic, err := hub.ParseTopic(text)
		switch {
		case arg == ownCart:
			t.cart = true
		case err != nil:
			return t, usagef("get: %q is not a topic", arg)
		case topic.Kind == hub.KindSKU && slices.Contains(t.skus, topic.Name),
			topic.Kind == hub.KindVendor && slices.Contains(t.vendors, topic.Name): // once is enough
		case topic.Kind == hub.KindSKU:
			t.skus = append(t.skus, topic.Name)
		case topic.Kind == hub.KindVendor:
			t.vendors = append(t.vendors, topic.Name)
		default:
			return t, usagef("get %s: over HTTP there is only the cart of the token's user: get cart", arg)
		}
	}
	return t, nil
}

func (t topics) count() int {
	n := len(t.skus) + len(t.vendors)
	if t.cart {
		n++
	}
	return n
}

// getter reads topics and prints them.
type getter struct {
	*endpoint
	output  *outputFlag
	stdout  io.Writer
	refused int // topics
}

func (g *getter) get(ctx context.Context, t topics) error {
	for skus := range slices.Chunk(t.skus, wire.MaxTopics) {
		if _, err := g.print(ctx, "/stock?"+url.Values{"sku": skus}.Encode()); err != nil {
			return err
		}
	}
	if t.cart {
		if _, err := g.print(ctx, "/cart"); err != nil {
			return fmt.Errorf("cart: %w", err)
		}
	}
	for _, vendor := range t.vendors {
		err := g.printVendor(ctx, vendor)
		if isDenied(err) {
			err = g.printRefused("vendor:" + vendor)
		}
		if err != nil {
			return fmt.Errorf("vendor:%s: %w", vendor, err)
		}
	}
	if g.refused > 0 {
		return fmt.Errorf("%d of %d topics were refused", g.refused, t.count())
	}
	return nil
}

// isDenied reports whether a hub let nobody see what was asked for.
func isDenied(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) && refused.Code == string(wire.CodeDenied)
}

// printRefused prints a topic that the hub refused, as it does those of many in one answer.
func (g *getter) printRefused(topic string) error {
	g.refused++
	s := wire.Snapshot{Topics: map[string]wire.Value{}, Refused: map[string]wire.Code{topic: wire.CodeDenied}}
	return g.output.print(g.stdout, wire.Encode(s), wire.Pretty(s))
}

// printVendor prints all pages of a vendor's list.
func (g *getter) printVendor(ctx context.Context, vendor string) error {
	query := url.Values{"vendor": {vendor}}
	for {
		snapshot, err := g.print(ctx, "/inventory?"+query.Encode())
		if err != nil {
			return err
		}
		list, _ := snapshot.Topics["vendor:"+vendor].(wire.Vendor)
		if !list.More || len(list.SKUs) == 0 {
			return nil
		}
		query.Set("after", list.SKUs[len(list.SKUs)-1])
	}
}

// print prints the snapshot at a path.
func (g *getter) print(ctx context.Context, path string) (s wire.Snapshot, err error) {
	body, err := g.askShort(ctx, http.MethodGet, path, nil)
	if err != nil {
		return s, err
	}
	if s, err = decodeSnapshot(body); err != nil {
		return s, fmt.Errorf("the program at %s is not a hub: %w", g.base.text, err)
	}
	g.refused += len(s.Refused)
	return s, g.output.print(g.stdout, body, wire.Pretty(s))
}

// decodeSnapshot reads a snapshot with the values of its topics.
func decodeSnapshot(body []byte) (s wire.Snapshot, err error) {
	var read struct {
		Topics map[string]json.RawMessage `json:"topics"`
		wire.Snapshot
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return s, err
	}
	s = read.Snapshot
	s.Topics = map[string]wire.Value{}
	for name, text := range read.Topics {
		kind, _, _ := strings.Cut(name, ":")
		switch hub.TopicKind(kind) {
		case hub.KindSKU:
			s.Topics[name], err = decode[wire.Badge](text)
		case hub.KindVendor:
			s.Topics[name], err = decode[wire.Vendor](text)
		default:
			s.Topics[name], err = decode[wire.Cart](text)
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

func decode[T wire.Value](text []byte) (value T, err error) {
	err = json.Unmarshal(text, &value)
	return value, err
}
