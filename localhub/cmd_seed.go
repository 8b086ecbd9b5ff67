package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/securecart/hub/internal/stockjson"
)

// newSeed is the word seed: it writes many items.
func newSeed() *cobra.Command {
	var api endpoint
	var output outputFlag
	cmd := &cobra.Command{
		Use:   "seed FILE|- [flags]",
		Short: "write many items, one JSON object a line",
		Long: `Each line is a change of one item, as for PUT /admin/stock. A line that fails
writes nothing and does not stop the others. - reads standard input. (The
catalogue of localhub -seed is another thing: a list of products, for a start.)`,
		Example: `echo '{"sku":"MUG","available":3}' | localhub seed -
localhub seed stock.ndjson -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("seed needs one FILE, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name, lines := "standard input", io.NopCloser(cmd.InOrStdin())
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return usagef("seed: %w", err)
				}
				name, lines = args[0], file
			}
			defer lines.Close()
			body, result, err := api.seed(cmd.Context(), lines)
			if err != nil {
				return err
			}
			if err := output.print(cmd.OutOrStdout(), body, resultText(result)); err != nil {
				return err
			}
			return failedLines(name, result)
		},
	}
	setFlags(cmd, newGroup("Flags", "", api.adminFlags, output.flags))
	return cmd
}

// seed sends lines of NDJSON. It takes as long as they take.
func (e *endpoint) seed(ctx context.Context, lines io.Reader) (body []byte, r stockjson.Result, err error) {
	body, err = e.ask(ctx, http.MethodPost, "/admin/stock", lines,
		http.StatusMultiStatus, http.StatusUnprocessableEntity)
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	return body, r, err
}

func resultText(r stockjson.Result) string {
	text := fmt.Sprint(r.Done, " written")
	if r.Ignored > 0 {
		text += fmt.Sprintf(", %d of them older than what is stored", r.Ignored)
	}
	return text + fmt.Sprintf(", %d failed", r.Failed)
}

// failedLines is an error with a line for each line that failed; nil if none did.
func failedLines(name string, r stockjson.Result) error {
	if r.Failed == 0 {
		return nil
	}
	text := []string{fmt.Sprintf("%d of %d lines of %s failed", r.Failed, r.Failed+r.Done, name)}
	for _, e := range r.Errors {
		at := fmt.Sprintf("%s:%d: ", name, e.Line)
		if e.SKU != "" {
			at += e.SKU + ": "
		}
		text = append(text, at+e.Message)
	}
	if more := r.Failed - len(r.Errors); more > 0 {
		text = append(text, fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(text, "\n"))
}
