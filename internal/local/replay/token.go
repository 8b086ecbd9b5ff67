package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/recording"
)

// token issues the token of a user. Those of guests come in answers to hello.
func (p *player) token(ctx context.Context, e *recording.Event) error {
	if e.Role == guestRole {
		return nil
	}
	if p.target.Admin == nil {
		return nil // open says so
	}
	user := e.User + p.target.Suffix
	if !p.names.bind(users, e.User, user) {
		return fmt.Errorf("%s is somebody else already", e.User)
	}
	body, err := json.Marshal(map[string]string{"user": user, "role": e.Role, "vendor": e.Vendor})
	if err != nil {
		return err
	}
	a, err := call(ctx, p.target.Admin, http.MethodPost, "/admin/token", nil, string(body))
	if err != nil {
		return err
	}
	var issued struct{ Token, Message string }
	if json.Unmarshal(a.body, &issued) != nil || issued.Token == "" {
		return fmt.Errorf("POST /admin/token: status %d %s", a.status, issued.Message)
	}
	p.names.bind(tokens, e.Token, issued.Token)
	return nil
}

// errNoToken: there is no admin API that issues the token of a user.
var errNoToken = errors.New("a user needs the admin API")

const guestRole = "guest"

// tokenOf returns the token that a stand-in stands for. A guest who was a guest before the
// recording began is a new one.
func (p *player) tokenOf(ctx context.Context, standIn string) (string, error) {
	if standIn == recording.BadToken {
		return "bad.token", nil
	}
	if token := p.names.actual[name{tokens, standIn}]; token != "" {
		return token, nil
	}
	if t := p.tokens[standIn]; t == nil || t.Role != guestRole {
		return "", errNoToken
	}
	conn, _, err := p.target.Dial(ctx, "", &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}})
	if err != nil {
		return "", fmt.Errorf("open a connection of a new guest: %w", err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"action":"hello"}`)); err != nil {
		return "", fmt.Errorf("hello of a new guest: %w", err)
	}
	_, data, err := conn.Read(ctx)
	if err != nil {
		return "", fmt.Errorf("hello of a new guest: %w", err)
	}
	var hello struct{ User, GuestToken, ConnectionID string }
	if err := json.Unmarshal(data, &hello); err != nil || hello.GuestToken == "" {
		return "", fmt.Errorf("the target gives guests no token: %s", clip(string(data)))
	}
	p.names.bind(tokens, standIn, hello.GuestToken)
	p.names.bind(users, p.tokens[standIn].User, hello.User)
	return hello.GuestToken, conn.Close(websocket.StatusNormalClosure, "")
}
