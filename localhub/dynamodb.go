package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/table"
)

// dynamodb are the settings of tables outside of this process.
type dynamodb struct {
	endpoint              string // a URL, or inAWS; "": none
	hub, inventory, carts string // names of the tables
	layout                table.Layout
	create                bool
}

// inAWS is the -dynamodb that stands for the tables of an AWS account.
const inAWS = "aws"

func (d *dynamodb) flags(fs *flag.FlagSet) {
	fs.StringVar(&d.endpoint, "dynamodb", "", "keep rows in the DynamoDB at this `URL`, or in AWS's own if it is aws, and follow its streams (default: in this process)")
	fs.BoolVar(&d.create, "create-tables", false, "make the tables of -dynamodb that are not there, and put the catalogue into them")
	fs.StringVar(&d.hub, "hub-table", "securecart-hub", "`name` of the hub's own table")
	fs.StringVar(&d.inventory, "inventory-table", "securecart-inventory", "`name` of the table with the stock")
	fs.StringVar(&d.carts, "cart-table", "securecart-carts", "`name` of the table with the carts")
	fs.Func("inventory-attributes", "the shop's own `names` of attributes, ours first: sku=productId,available=stock", func(value string) (err error) {
		d.layout.Inventory, err = table.ParseInventory(value)
		return err
	})
	fs.Func("cart-attributes", "the same for carts: `names` such as cart=id,lines=content", func(value string) (err error) {
		d.layout.Cart, err = table.ParseCart(value)
		return err
	})
}

func (d *dynamodb) check(lambda string) error {
	if err := d.layout.Check(); err != nil {
		return usageError{err}
	}
	u, err := url.Parse(d.endpoint)
	switch {
	case d.endpoint == "" && d.create:
		return usageError{errors.New("-create-tables goes with -dynamodb")}
	case d.endpoint == "" && lambda != "":
		return usageError{errors.New("-lambda wants -dynamodb: processes do not share this one's memory (scripts/dynoxide runs a DynamoDB here)")}
	case d.endpoint == inAWS && lambda != "":
		// The bootstraps would find the connections of a deployed hub in its table,
		// and forget them: they are not connected here.
		return usageError{errors.New("-lambda runs with a DynamoDB on this machine, not with -dynamodb aws")}
	case d.endpoint == "" || d.endpoint == inAWS:
		return nil
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return usageError{fmt.Errorf("-dynamodb %q: it is a URL, for example http://127.0.0.1:8000, or aws", d.endpoint)}
	case lambda != "" && !house.IsLoopback(u.Host):
		// The same with the localhub of somebody else.
		return usageError{fmt.Errorf("-lambda runs with a DynamoDB on this machine, and %s is not: another localhub with the same hub table would take this one's connections away", u.Host)}
	}
	return nil
}

// noCredentials is among what functions are told where this machine has none: then the
// aws CLI has to be told them too, and the region.
const noCredentials = "AWS_ACCESS_KEY_ID=local"

// greeting is how to change stock in the table itself.
func (d *dynamodb) greeting(sku string, tables house.Tables) string {
	if d.endpoint == "" {
		return ""
	}
	told, endpoint := "", ""
	if d.endpoint != inAWS {
		endpoint = " --endpoint-url " + d.endpoint
		if env := tables.Env(); slices.Contains(env, noCredentials) {
			region := env[slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, "AWS_REGION=") })]
			told = noCredentials + " AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=" + strings.TrimPrefix(region, "AWS_REGION=") + " \\\n    "
		}
	}
	names := d.layout.Inventory
	return fmt.Sprintf(`
  a change of stock by the shop itself: any writer that counts the version up
    %saws dynamodb update-item%s --table-name %s \
      --key '{"%s":{"S":"%s"}}' --update-expression 'SET %s = :n ADD %s :one' \
      --expression-attribute-values '{":n":{"N":"2"},":one":{"N":"1"}}'
`, told, endpoint, d.inventory, names.Of(table.AttrSKU), sku, names.Of(table.AttrAvailable), names.Of(table.AttrVersion))
}
