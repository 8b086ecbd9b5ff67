package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/securecart/hub/client"
	"github.com/securecart/hub/internal/local/shell"
	"github.com/securecart/hub/internal/wire"
)

// cartText is the end of the help of the words that change a cart.
const cartText = `The cart is that of the token's user. Without a token it is that of a new guest,
whose token is printed on standard error, to go on with it. What stock does not
allow is cut, and said. The status is 1 if the hub refuses the change.`

// cartWord is a word that changes a cart.
type cartWord struct {
	door   endpoint
	output outputFlag
}

// change connects, makes a change, and prints the answer.
func (w *cartWord) change(cmd *cobra.Command, do func(context.Context, *client.Client) (client.Result, error)) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), answerTimeout)
	defer cancel()
	l, err := w.door.connect(ctx, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	result, err := do(l.ctx, l.Client)
	guest := l.Identity().GuestToken
	if cause := l.close(); cause != nil {
		return cause
	}
	if err != nil {
		return changeError(err)
	}
	if token, _ := w.door.currentToken(); token == "" { // connect has read it without an error
		fmt.Fprintln(cmd.ErrOrStderr(), "a new guest: LOCALHUB_TOKEN="+guest)
	}
	ok := okOf(result)
	return w.output.print(cmd.OutOrStdout(), wire.Encode(ok), wire.Pretty(ok))
}

// okOf returns the message that a result came in.
func okOf(r client.Result) wire.OK {
	ok := wire.OK{Duplicate: r.Duplicate, From: r.From, Version: r.Version, Lines: map[string]*wire.Line{}}
	for sku, line := range r.Lines {
		ok.Lines[sku] = (*wire.Line)(line)
	}
	if len(r.Clamped) > 0 {
		ok.Clamped = map[string]wire.Clamp{}
	}
	for sku, clamp := range r.Clamped {
		ok.Clamped[sku] = wire.Clamp(clamp)
	}
	return ok
}

// changeError is a refusal with its code, and with what the cart has now if it is a conflict.
func changeError(err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) {
		return err
	}
	text := string(refused.Code)
	if refused.Message != "" {
		text += ": " + refused.Message
	}
	if len(refused.Lines) == 0 {
		return errors.New(text)
	}
	var now []string
	for _, sku := range slices.Sorted(maps.Keys(refused.Lines)) {
		count := "no"
		if line := refused.Lines[sku]; line != nil {
			count = strconv.Itoa(line.Quantity)
		}
		now = append(now, count+" "+shell.Word(sku))
	}
	return fmt.Errorf("%s; now %s (version %d)", text, strings.Join(now, ", "), refused.Version)
}
