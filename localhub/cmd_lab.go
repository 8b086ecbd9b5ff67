package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
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
the newest ` + strconv.Itoa(maxLast) + ` events of each type of localhub's log. The status is 1 if a step
is missing.`,
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
				return fmt.Errorf("lab %d: %s to go (docs/labs.md)", n, plural(missing, "step"))
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

// labEvents returns the newest events of each type that steps of labs look at, in order.
func labEvents(ctx context.Context, api *endpoint) (log []events.Event, err error) {
	var situation struct{ Template bool }
	if err := api.askInto(ctx, "/admin/situation", &situation); err != nil {
		return nil, err
	}
	if situation.Template {
		return nil, fmt.Errorf("the localhub at %s serves a template, and a lab needs the hub", api.base.text)
	}
	for _, kind := range labTypes {
		query := url.Values{"last": {strconv.Itoa(maxLast)}, "type": {string(kind)}}
		var answer struct{ Events []events.Event }
		if err := api.askInto(ctx, "/admin/events?"+query.Encode(), &answer); err != nil {
			return nil, err
		}
		log = append(log, answer.Events...)
	}
	slices.SortFunc(log, func(a, b events.Event) int { return cmp.Compare(a.ID, b.ID) })
	return log, nil
}
