package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/wire"
)

// newWhy is the word why: it says why a connection has what it has of a topic.
func newWhy() *cobra.Command {
	var api endpoint
	var output outputFlag
	var conn, user string
	cmd := &cobra.Command{
		Use:   "why [TOPIC] [flags]",
		Short: "say why something came to a client, or why not",
		Long: `The answer is the one that the client itself gets for why, with the way of the
last change in milliseconds. Without a topic it is about the connection. Name
the client by -conn, or all of a user by -user; tap shows both.`,
		Example: `localhub why MUG -user alice`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			topic := ""
			if len(args) > 0 {
				var err error
				if topic, err = topicName(args[0]); err != nil {
					return err
				}
			}
			ids, err := connectionsOf(cmd.Context(), &api, conn, user)
			if err != nil {
				return err
			}
			for _, id := range ids {
				query := url.Values{"conn": {id}, "topic": {topic}}
				body, err := api.askShort(cmd.Context(), http.MethodGet, "/admin/why?"+query.Encode(), nil)
				if err != nil {
					return err
				}
				var answer wire.Why
				if err := json.Unmarshal(body, &answer); err != nil {
					return err
				}
				if err := output.print(cmd.OutOrStdout(), body, id+"\n"+wire.Pretty(answer)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	client := func(fs *pflag.FlagSet) {
		fs.StringVar(&conn, "conn", "", "`ID` connection")
		fs.StringVar(&user, "user", "", "`NAME` all connections of a user")
	}
	setFlags(cmd, newGroup("Flags", "", client, api.adminFlags, output.flags))
	return cmd
}

// connectionsOf returns the connection with an id, or those of a user.
func connectionsOf(ctx context.Context, api *endpoint, conn, user string) ([]string, error) {
	switch {
	case (conn == "") == (user == ""):
		return nil, usageError{errors.New("name a client: -conn ID, or -user NAME")}
	case conn != "":
		return []string{conn}, nil
	}
	body, err := api.askShort(ctx, http.MethodGet, "/admin/connections", nil)
	if err != nil {
		return nil, err
	}
	var open struct {
		Connections []struct{ ConnectionID, User string }
	}
	if err := json.Unmarshal(body, &open); err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range open.Connections {
		if c.User == user {
			ids = append(ids, c.ConnectionID)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s has no connection", user)
	}
	return ids, nil
}
