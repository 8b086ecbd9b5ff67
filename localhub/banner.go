package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/datafile"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/inspector"
	"github.com/securecart/hub/internal/local/shell"
	"github.com/securecart/hub/internal/redact"
	"github.com/securecart/hub/internal/table"
)

// banner prints commands to paste into other terminals.
type banner struct {
	settings
	house       *house.House
	tables      house.Tables // nil: in memory
	addr, admin string       // to connect to
	products    []catalogue.Product
}

func (b *banner) print(w io.Writer) error {
	sku := "TEE-RED-M"
	if len(b.products) > 0 {
		sku = b.products[0].SKU
	}
	socket := "ws://" + b.addr + "/" + b.stage
	wscat := "npx wscat -c " + socket + " -s securecart.v1"
	alice := wscat + " \\\n" + `      -H "Authorization: Bearer $(` + b.word("token", "-user alice") + `)"`
	page := "http://" + b.addr + "/"
	if b.adminToken.value != "" {
		page += "#admin-token=" + url.QueryEscape(b.adminToken.value) // a browser sends no fragment
	}
	_, err := fmt.Fprintf(w, `localhub %s
  socket     %s
  shop       %s
  inspector  %s
  admin      http://%s/
%s
In other terminals (then type: help):

  a guest
    %s

  alice, on as many devices as you like
    %s

  move a badge
    %s
%s%s
Interrupt (ctrl-c) to end.
`, version(), socket, page, "http://"+b.admin+inspector.Path, b.admin, b.dataFile(), wscat, alice,
		b.word("stock", stockArguments(sku)), b.updateItem(sku), b.signedRequest())
	return err
}

// word is a command with a word that asks this localhub.
func (b *banner) word(word, arguments string) string {
	command := "localhub"
	if _, err := exec.LookPath(command); err != nil {
		if self, err := os.Executable(); err == nil {
			command = commandOf(self)
		}
	}
	command += " " + word
	if b.admin != defaultAdmin {
		command += " -admin " + b.admin
	}
	if b.adminToken.value != "" {
		command += " -admin-token " + shell.Word(b.adminToken.given)
	}
	return command + " " + arguments
}

// goRun matches the executables of go run: in its build cache, or, before Go 1.24, in a
// temporary folder.
var goRun = regexp.MustCompile(`/(?:[0-9a-f]{64}-d|go-build[0-9]+/b001/exe)/[^/]+$`)

// commandOf is what to type for an executable. For one of go run that is go run, which
// works in the folder of this project only, but fits on a line.
func commandOf(executable string) string {
	if goRun.MatchString(filepath.ToSlash(executable)) {
		return "go run ./localhub"
	}
	return shell.Word(executable)
}

// dataFile is a line with the file of -data; "" without one.
func (b *banner) dataFile() string {
	if b.storage.data == "" {
		return ""
	}
	return "  data       " + filepath.Join(b.storage.data, datafile.Name) + "\n"
}

// localCredential is among the variables of functions if this machine has no AWS
// credentials. Then the aws command needs them too, and the region.
const localCredential = "AWS_ACCESS_KEY_ID=local"

// updateItem is a command that changes stock in the table itself; "" without tables.
func (b *banner) updateItem(sku string) string {
	if b.tables == nil {
		return ""
	}
	env, endpoint := "", ""
	if b.dynamodb.endpoint != inAWS {
		endpoint = " --endpoint-url " + redact.URL(b.dynamodb.endpoint)
		if variables := b.tables.Env(); slices.Contains(variables, localCredential) {
			env = localCredential + " AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=" + regionOf(variables) + " \\\n    "
		}
	}
	names := b.dynamodb.layout.Inventory
	key, version := names.Attribute(table.AttrSKU), names.Attribute(table.AttrVersion)
	available := names.Attribute(table.AttrAvailable)
	return fmt.Sprintf(`
  a change of stock by the shop itself: any write that raises the version
    %saws dynamodb update-item%s --table-name %s \
      --key %s --update-expression 'SET %s = :n ADD %s :one' \
      --expression-attribute-values '{":n":{"N":"2"},":one":{"N":"1"}}'
`, env, endpoint, b.dynamodb.inventory, keyJSON(key, sku), available, version)
}

// regionOf finds AWS_REGION in a list of variables.
func regionOf(variables []string) string {
	for _, v := range variables {
		if region, ok := strings.CutPrefix(v, "AWS_REGION="); ok {
			return region
		}
	}
	return account.Region
}

// signedRequest is a command that reads a connection, where requests need signatures.
func (b *banner) signedRequest() string {
	if !b.requireSigV4 {
		return ""
	}
	key := account.Credential
	return fmt.Sprintf(`
  a signed request to a connection
    AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s \
      aws --region %s apigatewaymanagementapi get-connection --endpoint-url http://%s/%s --connection-id ID
`, key.AccessKeyID, key.SecretAccessKey, account.Region, b.addr, b.stage)
}
