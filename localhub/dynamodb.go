package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
)

// dynamodb are the settings of tables outside of this process.
type dynamodb struct {
	endpoint              string // a URL, or inAWS; "": none
	hub, inventory, carts string // names of the tables
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
}

func (d *dynamodb) check(lambda string) error {
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
	}
	return nil
}

// greeting is how to change stock in the table itself.
func (d *dynamodb) greeting(sku string) string {
	if d.endpoint == "" {
		return ""
	}
	endpoint := ""
	if d.endpoint != inAWS {
		endpoint = " --endpoint-url " + d.endpoint
	}
	return fmt.Sprintf(`
  a change of stock by the shop itself: any writer that counts the version up
    aws dynamodb update-item%s --table-name %s \
      --key '{"sku":{"S":"%s"}}' --update-expression 'SET available = :n ADD version :one' \
      --expression-attribute-values '{":n":{"N":"2"},":one":{"N":"1"}}'
`, endpoint, d.inventory, sku)
}
