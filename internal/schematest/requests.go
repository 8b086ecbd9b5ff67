package schematest

import (
	"fmt"
	"maps"

	"github.com/danielgtaylor/huma/v2"

	"github.com/securecart/hub/internal/wire"
)

// Request returns the schema of what clients send for an action. Fields that it does not
// name are ignored, as the decoder does.
func Request(action wire.Action) *huma.Schema {
	s := &huma.Schema{Type: "object", Required: []string{"action"}, Properties: map[string]*huma.Schema{
		"action": {Type: "string", Enum: []any{string(action)}}, "id": idSchema(),
	}}
	required, fields := requestFields(action)
	s.Required = append(s.Required, required...)
	maps.Copy(s.Properties, fields)
	return s
}

// requestFields returns the fields of an action, beside "action" and "id".
func requestFields(action wire.Action) (required []string, fields map[string]*huma.Schema) {
	switch action {
	case wire.ActionHello:
		return nil, map[string]*huma.Schema{
			"token":  token("renews the session, or signs a guest in"),
			"pretty": {Type: "boolean", Description: "whether answers to typed lines are text"},
		}
	case wire.ActionSubscribe:
		return []string{"topics"}, map[string]*huma.Schema{
			"topics": {OneOf: []*huma.Schema{names(), versions()}}, "epoch": epoch(),
			"only": {Type: "boolean", Description: "whether all other topics are dropped"},
		}
	case wire.ActionUnsubscribe:
		return []string{"topics"}, map[string]*huma.Schema{"topics": namesOrAll()}
	case wire.ActionGet:
		return []string{"topics"}, map[string]*huma.Schema{
			"topics": namesOrAll(), "after": name("lists a vendor's SKUs after this one"),
		}
	case wire.ActionAdd:
		return []string{"sku"}, map[string]*huma.Schema{
			"sku": name("at most 128 bytes"), "quantity": pieces(), "key": key(),
		}
	case wire.ActionSet:
		return []string{"lines"}, map[string]*huma.Schema{
			"lines": lines(), "version": version(), "epoch": epoch(), "key": key(),
		}
	case wire.ActionMerge:
		return []string{"from"}, map[string]*huma.Schema{
			"from": token("the guest's token"), "policy": oneOfThese(Policies), "key": key(),
		}
	case wire.ActionCheckout:
		return nil, map[string]*huma.Schema{"version": version(), "epoch": epoch(), "key": key()}
	case wire.ActionWhy:
		return nil, map[string]*huma.Schema{
			"topic": text("absent: the connection", "", wire.MaxMessage), "version": version(), "epoch": epoch(),
		}
	case wire.ActionHelp:
		return nil, map[string]*huma.Schema{"about": text("a command of the shorthand", "", wire.MaxSafeName)}
	case wire.ActionPing:
		return nil, nil
	}
	panic(fmt.Sprintf("no schema for the action %q", action))
}

// The characters of a text, as a class of a regular expression.
const (
	safe    = "A-Za-z0-9._~-" // tokens, epochs and states
	visible = "!-~"           // keys
)

// text returns the schema of a text of 1 to most characters, all of a class; "" is any.
func text(description, class string, most int) *huma.Schema {
	one := 1
	s := &huma.Schema{Type: "string", Description: description, MinLength: &one, MaxLength: &most}
	if class != "" {
		s.Pattern = fmt.Sprintf("^[%s]{1,%d}$", class, most)
		s.MinLength, s.MaxLength = nil, nil
	}
	return s
}

func name(description string) *huma.Schema { return text(description, "", wire.MaxName) }
func epoch() *huma.Schema                  { return text("of the versions", safe, wire.MaxSafeName) }
func key() *huma.Schema                    { return text("makes a retry safe", visible, wire.MaxKey) }

// token returns the schema of a token. Its pattern has no length: it would be longer than
// some readers accept.
func token(description string) *huma.Schema {
	s := text(description, "", wire.MaxToken)
	s.Pattern = fmt.Sprintf("^[%s]+$", safe)
	return s
}

func integer(least, most int64) *huma.Schema {
	from, to := float64(least), float64(most)
	return &huma.Schema{Type: "integer", Minimum: &from, Maximum: &to}
}

func version() *huma.Schema { return integer(0, wire.MaxVersion) }

// pieces returns the schema of the quantity of an add.
func pieces() *huma.Schema {
	s := integer(-wire.MaxQuantity, wire.MaxQuantity)
	s.Not = &huma.Schema{Enum: []any{0}}
	s.Description = "pieces to add, or (negative) to take away; without it 1; not 0"
	return s
}

// lines returns the schema of the lines of a set.
func lines() *huma.Schema {
	least, most := 1, wire.MaxLines
	return &huma.Schema{
		Type: "object", AdditionalProperties: integer(0, wire.MaxQuantity), MinProperties: &least, MaxProperties: &most,
		Description: "quantities by SKU; 0 removes a line",
	}
}

// names returns the schema of a list of topics. A repeated one counts once, so the list
// has no limit.
func names() *huma.Schema {
	return &huma.Schema{
		Type: "array", Items: &huma.Schema{Type: "string"},
		Description: fmt.Sprintf("at most %d different topics", wire.MaxTopics),
	}
}

func namesOrAll() *huma.Schema {
	all := &huma.Schema{Type: "string", Pattern: "^[*]$", Description: "all that the connection is subscribed to"}
	return &huma.Schema{OneOf: []*huma.Schema{names(), all}}
}

// versions returns the schema of topics with what the client has of each: a version, or
// the badge that it shows.
func versions() *huma.Schema {
	most := wire.MaxTopics
	shown := &huma.Schema{
		Type: "object", Required: []string{"version", "state"}, Description: "the badge that the client shows",
		Properties: map[string]*huma.Schema{
			"version": version(), "state": text("", safe, wire.MaxSafeName), "until": text("", safe, wire.MaxSafeName),
			"quantity": integer(0, wire.MaxVersion),
		},
	}
	return &huma.Schema{
		Type: "object", MaxProperties: &most, Description: "versions or badges by topic",
		AdditionalProperties: &huma.Schema{OneOf: []*huma.Schema{version(), shown}},
	}
}
