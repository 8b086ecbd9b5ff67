package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/events"
)

// newLab is the word lab: it lists the steps of a lab, or says which of them were done.
func newLab() *cobra.Command {
	var api endpoint
	var check bool
	cmd := &cobra.Command{
		Use:   "lab N [flags]",
		Short: "list the steps of a lab, or say which of them you did",
		Long: `The labs are in docs/labs.md, with what to type. -check looks for each step in
the newest ` + strconv.Itoa(maxLast) + ` events of localhub's log. The status is 1 if a step is missing.`,
		Example: `localhub lab 1
localhub lab 3 -check || echo not yet`,
		Args: func(_ *cobra.Command, args []string) error {
			_, err := labNumber(args)
			return err
		},
		ValidArgs: []string{"1", "2", "3"},
		RunE: func(cmd *cobra.Command, args []string) error {
			n, _ := labNumber(args) // Args has checked it
			lab := labs[n-1]
			if !check {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "Lab %d: %s (docs/labs.md)\n%s", n, lab.title, lab.list())
				return err
			}
			log, err := labEvents(cmd.Context(), &api)
			if err != nil {
				return err
			}
			lines, missing := lab.judge(log)
			fmt.Fprint(cmd.OutOrStdout(), lines)
			if missing > 0 {
				return fmt.Errorf("lab %d: %s to go", n, plural(missing, "step"))
			}
			return nil
		},
	}
	setFlags(cmd, newGroup("Flags", "", func(fs *pflag.FlagSet) {
		fs.BoolVar(&check, "check", false, "ask the running localhub which steps were done")
	}, api.adminFlags))
	return cmd
}

// labNumber reads the number of a lab.
func labNumber(args []string) (int, error) {
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil && n >= 1 && n <= len(labs) {
			return n, nil
		}
	}
	return 0, usagef("lab needs the number of a lab, from 1 to %d", len(labs))
}

// labEvents returns the newest events that steps of labs look at.
func labEvents(ctx context.Context, api *endpoint) ([]events.Event, error) {
	query := url.Values{"last": {strconv.Itoa(maxLast)}, "type": labTypes}
	body, err := api.askShort(ctx, http.MethodGet, "/admin/events?"+query.Encode(), nil)
	var answer struct{ Events []events.Event }
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	return answer.Events, err
}
