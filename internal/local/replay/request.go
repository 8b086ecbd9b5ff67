package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/jsonedit"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/stockjson"
)

// stock writes an item that was there when the recording began.
func (p *player) stock(ctx context.Context, e *recording.Event) error {
	if p.target.Admin == nil {
		return nil // the frames will tell
	}
	i := e.Item
	tracked := i.Tracked == nil
	body, err := json.Marshal(hub.StockChange{
		Available: &i.Available, LowAt: &i.LowAt, Vendor: &i.Vendor, Tracked: &tracked, BackOrder: &i.BackOrder,
		BackAt: &i.BackAt,
	})
	if err != nil {
		return err
	}
	a, err := call(ctx, p.target.Admin, http.MethodPut, "/admin/stock/"+url.PathEscape(i.SKU), nil, string(body))
	if err != nil {
		return err
	}
	var written stockjson.Item
	if a.status != http.StatusOK || json.Unmarshal(a.body, &written) != nil {
		return fmt.Errorf("PUT /admin/stock/%s: status %d %s", i.SKU, a.status, clip(string(a.body)))
	}
	p.offsets.match("sku:"+i.SKU, i.Version, written.Version)
	return nil
}

// request sends a request of an operator, or of a client over HTTP. What it answers is not
// compared.
func (p *player) request(ctx context.Context, e *recording.Event) error {
	do := p.target.Admin
	if e.Type == recording.REST {
		do = p.target.REST
	}
	if do == nil {
		return nil // the frames will tell
	}
	header := p.headers(e)
	if e.Token != "" {
		token, err := p.tokenOf(ctx, e.Token)
		if errors.Is(err, errNoToken) {
			return nil // the frames will tell
		}
		if err != nil {
			return err
		}
		header.Set("Authorization", "Bearer "+token)
	}
	_, err := call(ctx, do, e.Method, p.path(e.Path), header, p.body(e))
	return err
}

// entityTag matches that of a cart.
var entityTag = regexp.MustCompile(`"(epoch-[0-9]+)\.([0-9]+)"`)

// headers returns the headers of a request with the epoch and the version of the target.
func (p *player) headers(e *recording.Event) http.Header {
	cart := ""
	if t := p.tokens[e.Token]; t != nil {
		cart = "cart:" + t.User
	}
	h := http.Header{}
	for name, value := range e.Headers {
		h.Set(name, entityTag.ReplaceAllStringFunc(value, func(tag string) string {
			m := entityTag.FindStringSubmatch(tag)
			return fmt.Sprintf("%q", p.names.of(epochs, m[1])+"."+p.version(cart, m[2]))
		}))
	}
	return h
}

// path returns a path with the target's names in it: "/admin/users/alice/revoke".
func (p *player) path(path string) string {
	segments := strings.Split(path, "/")
	if len(segments) < 4 {
		return path
	}
	k, ok := map[string]kind{"users": users, "connections": connections}[segments[2]]
	if decoded, err := url.PathUnescape(segments[3]); err == nil && ok {
		segments[3] = url.PathEscape(p.names.of(k, decoded))
	}
	return strings.Join(segments, "/")
}

func (p *player) body(e *recording.Event) string {
	topic := ""
	if sku, ok := strings.CutPrefix(e.Path[strings.LastIndex(e.Path, "/stock")+len("/stock"):], "/"); ok {
		if decoded, err := url.PathUnescape(sku); err == nil {
			topic = "sku:" + decoded
		}
	}
	body, ok := jsonedit.Rewrite(e.Body, func(part jsonedit.Part) (string, bool) {
		if part.Key() == "version" && part.Number != "" && topic != "" {
			return p.version(topic, part.Number), true
		}
		switch part.Key() {
		case "connection":
			return p.names.of(connections, part.Text), true
		case "from": // the token of a guest whose cart is merged
			token, err := p.tokenOf(context.Background(), part.Text)
			return token, err == nil
		}
		return "", false
	})
	if !ok {
		return e.Body // NDJSON has no names
	}
	return body
}

// version returns the target's version as text.
func (p *player) version(topic, recorded string) string {
	n, err := strconv.ParseInt(recorded, 10, 64)
	if err != nil {
		return recorded
	}
	return strconv.FormatInt(p.offsets.actual(topic, n), 10)
}

// text returns a client's message as the target needs it: with its tokens, its epoch, its
// names and its offsets.
func (p *player) text(c *conversation, text string) string {
	renamed, ok := jsonedit.Rewrite(text, func(part jsonedit.Part) (string, bool) { return p.part(c, part) })
	if ok {
		return renamed
	}
	return p.typed(c, text)
}

func (p *player) part(c *conversation, part jsonedit.Part) (string, bool) {
	key := part.Key()
	switch {
	case part.Number == "" && strings.HasPrefix(part.Text, "cart:"):
		return p.names.topic(part.Text), true
	case part.Number == "" && !part.Name && (key == "token" || key == "from"):
		token, err := p.tokenOf(context.Background(), part.Text)
		return token, err == nil
	case part.Number == "" && !part.Name && key == "epoch":
		return p.names.of(epochs, part.Text), true
	case part.Number != "" && key == "version" && len(part.Path) == 1:
		return p.version(c.cart, part.Number), true
	case part.Number != "" && len(part.Path) > 1 && part.Path[0] == "topics" && (len(part.Path) == 2 || key == "version"):
		return p.version(c.topic(part.Path[1]), part.Number), true
	}
	return "", false
}

var (
	typedToken   = regexp.MustCompile(`\btoken-(?:[0-9]+|bad)\b`)
	typedEpoch   = regexp.MustCompile(`\bepoch-[0-9]+\b`)
	typedCart    = regexp.MustCompile(`\bcart:[A-Za-z0-9.-]+`)
	typedVersion = regexp.MustCompile(`(\S+)@([0-9]+)\b`)
	cartVersion  = regexp.MustCompile(`^(\s*(?i:set|checkout)\b.*\sv)([0-9]+)\b`)
)

// typed is text for a line that somebody typed.
func (p *player) typed(c *conversation, line string) string {
	line = typedVersion.ReplaceAllStringFunc(line, func(m string) string {
		parts := typedVersion.FindStringSubmatch(m)
		topic := strings.Trim(parts[1], `"`)
		if !strings.Contains(topic, ":") && topic != "cart" {
			topic = "sku:" + topic
		}
		return parts[1] + "@" + p.version(c.topic(topic), parts[2])
	})
	line = cartVersion.ReplaceAllStringFunc(line, func(m string) string {
		parts := cartVersion.FindStringSubmatch(m)
		return parts[1] + p.version(c.cart, parts[2])
	})
	line = typedCart.ReplaceAllStringFunc(line, p.names.topic)
	line = typedEpoch.ReplaceAllStringFunc(line, func(e string) string { return p.names.of(epochs, e) })
	return typedToken.ReplaceAllStringFunc(line, func(standIn string) string {
		if token, err := p.tokenOf(context.Background(), standIn); err == nil {
			return token
		}
		return standIn
	})
}
