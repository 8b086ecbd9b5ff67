package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/client"
)

// newSet is the word set: it sets lines of a cart.
func newSet() *cobra.Command {
	var w cartWord
	var seen int64
	cmd := &cobra.Command{
		Use:   "set SKU N [SKU N]... [flags]",
		Short: "set lines of a cart; 0 removes one",
		Long: cartText + `
With -at, it is a conflict if one of the lines has changed after that version.
(The stock of an item is another thing: localhub stock SKU QUANTITY.)`,
		Example: `localhub set MUG 3 CAP-NAVY 0
localhub set MUG 1 -token "$(localhub token -user bob)" -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args)%2 == 1 {
				return usagef("set needs pairs of SKU and N")
			}
			return checkQuantities(args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			lines := map[string]int{}
			for i := 0; i < len(args); i += 2 {
				if _, ok := lines[args[i]]; ok {
					return usagef("set: %s stands there twice", args[i])
				}
				lines[args[i]], _ = strconv.Atoi(args[i+1]) // Args has checked it
			}
			return w.change(cmd, func(ctx context.Context, c *client.Client) (client.Result, error) {
				if !cmd.Flags().Changed("at") {
					return c.Set(ctx, lines, nil)
				}
				now, err := c.Get(ctx, ownCart)
				if err != nil {
					return client.Result{}, fmt.Errorf("cart: %w", err)
				}
				return c.Set(ctx, lines, &client.Cart{Epoch: now.Cart.Epoch, Version: seen})
			})
		},
	}
	setFlags(cmd, newGroup("Flags", "", func(fs *pflag.FlagSet) {
		fs.Int64Var(&seen, "at", 0, "`VERSION` of the cart that you have seen (default: whatever it is)")
	}, w.door.socketFlags, w.output.flags))
	return cmd
}
