package main

import (
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newToken is the word token: it prints a token that a running localhub makes.
func newToken() *cobra.Command {
	var api endpoint
	var output outputFlag
	var user, vendor string
	role := enumFlag{"customer", []string{"customer", "vendor", "admin"}}
	cmd := &cobra.Command{
		Use:   "token -user NAME [flags]",
		Short: "print a token of a user",
		Long: `The token is for the header Authorization of a socket, for -token of other
words, and for the demo shop's REST API. It is good for this localhub only.`,
		Example: `localhub token -user alice
localhub token -user vera -role vendor -vendor acme >vera
localhub get vendor:acme -token @vera`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if user == "" {
				return usagef("token needs -user NAME")
			}
			request := map[string]string{"user": user, "role": role.value, "vendor": vendor}
			body, err := api.askShort(cmd.Context(), http.MethodPost, "/admin/token", request)
			if err != nil {
				return err
			}
			var answer struct{ Token string }
			if err := json.Unmarshal(body, &answer); err != nil {
				return err
			}
			return output.print(cmd.OutOrStdout(), body, answer.Token)
		},
	}
	setFlags(cmd, newGroup("Flags", "", func(fs *pflag.FlagSet) {
		fs.StringVar(&user, "user", "", "`NAME` user, as in sub of the token")
		fs.Var(&role, "role", "`customer|vendor|admin` role of the user")
		fs.StringVar(&vendor, "vendor", "", "`NAME` vendor, for the role vendor")
	}, api.adminFlags, output.flags))
	return cmd
}

// noArguments refuses arguments that are no flags.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%q is not a flag (%s -h lists the flags)", args[0], cmd.CommandPath())
	}
	return nil
}
