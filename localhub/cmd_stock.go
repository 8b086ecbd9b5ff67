package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/securecart/hub/internal/local/shell"
	"github.com/securecart/hub/internal/stockjson"
)

// newStock is the word stock: it shows the stock of an item, or sets that of some.
func newStock() *cobra.Command {
	var api endpoint
	var output outputFlag
	cmd := &cobra.Command{
		Use:   "stock SKU\nstock SKU QUANTITY [SKU QUANTITY]... [flags]",
		Short: "look at the stock of an item, or set it",
		Long: `One SKU alone shows its item. Pairs of a SKU and a quantity set the stock, one
after the other, until one fails: badges move at once. An item that does not
exist is made. Behind -- an argument may begin with -.`,
		Example: `localhub stock MUG
localhub stock MUG 3 CAP-NAVY 0
localhub stock "RED CAP" 12 -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 1 && len(args)%2 == 1 {
				return usagef("stock needs one SKU to look at, or pairs of SKU and QUANTITY to set")
			}
			return checkQuantities(args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			for i := 0; i < len(args); i += 2 {
				method, change := http.MethodGet, any(nil)
				if len(args) > 1 {
					method, change = http.MethodPut, map[string]json.Number{"available": json.Number(args[i+1])}
				}
				body, err := api.askShort(cmd.Context(), method, "/admin/stock/"+skuSegment(args[i]), change)
				if err != nil {
					return fmt.Errorf("%s: %w", args[i], err)
				}
				var item stockjson.Item
				if err := json.Unmarshal(body, &item); err != nil {
					return fmt.Errorf("%s: %w", args[i], err)
				}
				if err := output.print(cmd.OutOrStdout(), body, itemText(item)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	setFlags(cmd, newGroup("Flags", "", api.adminFlags, output.flags))
	return cmd
}

// checkQuantities refuses a list of pairs before any of them is sent.
func checkQuantities(pairs []string) error {
	for i := 1; i < len(pairs); i += 2 {
		if n, err := strconv.Atoi(pairs[i]); err != nil || n < 0 {
			return usagef("%s %s: a quantity is a whole number from 0", pairs[i-1], pairs[i])
		}
	}
	return nil
}

// skuSegment returns a SKU as a segment of a path. "." and ".." would be removed.
func skuSegment(sku string) string {
	if sku == "." || sku == ".." {
		return strings.ReplaceAll(sku, ".", "%2E")
	}
	return url.PathEscape(sku)
}

// itemText is an item in words.
func itemText(i stockjson.Item) string {
	what := fmt.Sprint(i.Available)
	switch {
	case i.Deleted:
		what = "deleted"
	case i.Tracked != nil && !*i.Tracked:
		what = "not counted"
	}
	facts := []string{fmt.Sprint("low at ", i.LowAt)}
	if i.Vendor != "" {
		facts = append(facts, "vendor "+i.Vendor)
	}
	if i.BackOrder {
		facts = append(facts, strings.TrimSpace("on back order "+i.BackAt))
	}
	facts = append(facts, fmt.Sprint("version ", i.Version))
	return shell.Word(i.SKU) + " " + what + " (" + strings.Join(facts, ", ") + ")"
}
