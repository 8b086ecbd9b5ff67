package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/securecart/hub/internal/local/cost"
	"github.com/securecart/hub/internal/redact"
)

// listedInText is how many connections and topics a report in words has.
const listedInText = 5

// newCost is the word cost: it prints what a session would have cost on AWS.
func newCost() *cobra.Command {
	var api endpoint
	var output outputFlag
	cmd := &cobra.Command{
		Use:   "cost [flags]",
		Short: "print what the session would have cost on AWS",
		Long: `Units are counted since localhub was started; ~ stands at those that are
computed. Connections and topics are the dearest five; -o json has all, what
the report rests on and what it leaves out. Also with -template.`,
		Example: `localhub cost
localhub cost -o json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := api.askShort(cmd.Context(), http.MethodGet, "/admin/cost", nil)
			if err != nil {
				return err
			}
			var report cost.Report
			if err := json.Unmarshal(body, &report); err != nil {
				return err
			}
			return output.print(cmd.OutOrStdout(), body, costText(report))
		},
	}
	setFlags(cmd, newGroup("Flags", "", api.adminFlags, output.flags))
	return cmd
}

// costText is a report as tables.
func costText(r cost.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "$%.6f since %s, by the prices of %s of %s\n", r.Dollars,
		r.Since.Local().Format(time.TimeOnly), r.Region, r.PricesOf)
	writeTable(&b, "units\t$\tof what", func(row func(...any)) {
		for _, l := range r.Lines {
			sign := ""
			if l.Assumed {
				sign = "~"
			}
			row(fmt.Sprintf("%s%.5g", sign, l.Units), fmt.Sprintf("%.7f", l.Dollars), l.What)
		}
	})
	if len(r.Connections) > 0 {
		writeTable(&b, "messages\t$\tconnection", func(row func(...any)) {
			for _, c := range r.Connections[:min(listedInText, len(r.Connections))] {
				row(c.Messages, fmt.Sprintf("%.7f", c.Dollars), redact.Printable(strings.TrimSpace(c.Conn+" "+c.User)))
			}
		})
	}
	if len(r.Topics) > 0 {
		writeTable(&b, "messages\t$\ttopic", func(row func(...any)) {
			for _, t := range r.Topics[:min(listedInText, len(r.Topics))] {
				row(t.Messages, fmt.Sprintf("%.7f", t.Dollars), redact.Printable(t.Topic))
			}
		})
	}
	b.WriteString("\nnot in it: " + strings.Join(r.NotIn[:min(listedInText, len(r.NotIn))], ", ") + " …")
	return b.String()
}

// writeTable writes a blank line and three columns: two of figures, and a name.
func writeTable(w io.Writer, head string, rows func(row func(...any))) {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, head)
	rows(func(cells ...any) { fmt.Fprintf(table, "%v\t%v\t%v\n", cells...) })
	_ = table.Flush()
}
