package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/securecart/hub/client"
)

// newAdd is the word add: it puts pieces into a cart.
func newAdd() *cobra.Command {
	var w cartWord
	cmd := &cobra.Command{
		Use:   "add SKU [N] [flags]",
		Short: "put N pieces into a cart, or one",
		Long:  cartText + "\nBehind -- a negative N takes pieces away.",
		Example: `localhub add MUG
localhub add MUG 2 -token "$(localhub token -user alice)"
localhub add -o json -- MUG -1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usagef("add needs a SKU, and a number if it is not 1")
			}
			_, err := pieces(args)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			n, _ := pieces(args) // Args has checked it
			return w.change(cmd, func(ctx context.Context, c *client.Client) (client.Result, error) {
				return c.Add(ctx, args[0], n)
			})
		},
	}
	setFlags(cmd, newGroup("Flags", "", w.door.socketFlags, w.output.flags))
	return cmd
}

// pieces returns the number behind a SKU, or 1.
func pieces(args []string) (int, error) {
	if len(args) == 1 {
		return 1, nil
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n == 0 {
		return 0, usagef("add %s %s: the number is a whole number and not 0", args[0], args[1])
	}
	return n, nil
}
