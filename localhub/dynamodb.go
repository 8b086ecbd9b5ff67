package main

import (
	"net/url"

	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/admin"
	"github.com/securecart/hub/internal/redact"
	"github.com/securecart/hub/internal/table"
)

// dynamodb are the settings of tables outside of this process.
type dynamodb struct {
	endpoint              string // a URL, or inAWS; "": rows stay in memory
	hub, inventory, carts string // names of the tables
	layout                table.Layout
	create                bool
	lambda                bool // the functions are bootstraps, which keep all rows in tables
}

// inAWS is the value of -dynamodb for the tables of an AWS account.
const inAWS = "aws"

func (d *dynamodb) flags(fs *pflag.FlagSet) {
	fs.StringVar(&d.endpoint, "dynamodb", "", "`URL|aws` keep rows in the DynamoDB at this URL, or with aws "+
		"in your AWS account, and follow its streams (default: keep rows in this process)")
	fs.BoolVar(&d.create, "create-tables", false, "create the tables of -dynamodb that do not exist, "+
		"and put the catalogue into them")
	fs.StringVar(&d.hub, "hub-table", "securecart-hub", "`NAME` the hub's own table")
	fs.StringVar(&d.inventory, "inventory-table", "securecart-inventory", "`NAME` table with the stock")
	fs.StringVar(&d.carts, "cart-table", "securecart-carts", "`NAME` table with the carts")
	inventory := func(value string) (err error) {
		d.layout.Inventory, err = table.ParseInventory(value)
		return err
	}
	cart := func(value string) (err error) {
		d.layout.Cart, err = table.ParseCart(value)
		return err
	}
	fs.Func("inventory-attributes", "`NAMES` the shop's own names of inventory attributes, each after the hub's: "+
		"sku=productId,available=stock", inventory)
	fs.Func("cart-attributes", "`NAMES` the shop's own names of cart attributes: cart=id,lines=content", cart)
}

// check refuses combinations that cannot work. lambda is the flag of that name.
//
// Bootstraps keep connections in the hub table, and remove those that are not open
// here. In a table that another hub uses too, they would remove that hub's
// connections. So with bootstraps the table must be on this machine.
func (d *dynamodb) check(lambda string) error {
	if err := d.layout.Check(); err != nil {
		return usageError{err}
	}
	d.lambda = lambda != ""
	u, err := url.Parse(d.endpoint)
	switch {
	case d.endpoint == "" && d.create:
		return usagef("-create-tables needs -dynamodb")
	case d.endpoint == "" && lambda != "":
		return usagef("-lambda needs -dynamodb: bootstraps do not share the memory of this process " +
			"(scripts/dynoxide runs a DynamoDB here)")
	case d.endpoint == inAWS && lambda != "":
		return usagef("-lambda needs a DynamoDB on this machine, not -dynamodb aws")
	case d.endpoint == "" || d.endpoint == inAWS:
		return nil
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return usagef("-dynamodb %q: it must be a URL, for example http://127.0.0.1:8000, or aws", redact.URL(d.endpoint))
	case lambda != "" && !admin.IsLoopback(u.Host):
		return usagef("-lambda needs a DynamoDB on this machine, and %s is not: "+
			"another localhub with the same hub table would lose its connections to this one", u.Host)
	}
	return nil
}
