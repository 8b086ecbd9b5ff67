package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newTap is the word tap: it follows the log of events.
func newTap() *cobra.Command {
	var api endpoint
	var output outputFlag
	var until bounds
	var user, conn, topic string
	var types []string
	dir := enumFlag{"", []string{"in", "out"}}
	last := 0
	cmd := &cobra.Command{
		Use:   "tap [flags]",
		Short: "follow all frames and events, until interrupted",
		Long: `A line has the time, the type of the event, whose it is (user, and the end of
the connection's id), the topic with its version, and what happened. The log
masks tokens and carts. After a break it goes on where it was. What is missing
is said on standard error. The filters are those of GET /admin/tap; also with
-template.`,
		Example: `localhub tap -last 20 -n 20
localhub tap -topic MUG -type row -type post -for 10s
localhub tap -user alice -dir out -o json -for 10s`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := until.check(); err != nil {
				return err
			}
			t := tapper{api: &api, output: &output, stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(),
				last: last, lines: until.lines, filter: url.Values{"type": types}}
			for name, value := range map[string]string{"user": user, "conn": conn, "dir": dir.value} {
				if value != "" {
					t.filter.Set(name, value)
				}
			}
			if topic != "" {
				name, err := topicName(topic)
				if err != nil {
					return err
				}
				t.filter.Set("topic", name)
			}
			if last < 0 || last > maxLast {
				return usagef("-last must be from 0 to %d", maxLast)
			}
			ctx, cancel := until.context(cmd.Context())
			defer cancel()
			return t.run(ctx)
		},
	}
	setFlags(cmd, newGroup("Flags", "", func(fs *pflag.FlagSet) {
		fs.StringVar(&user, "user", "", "`NAME` events of a user only")
		fs.StringVar(&conn, "conn", "", "`ID` of a connection only")
		fs.StringVar(&topic, "topic", "", "`TOPIC` of a topic only: MUG, cart:ann")
		fs.StringArrayVar(&types, "type", nil, "`TYPE` of a type only, such as in, out, row, post; may be repeated")
		fs.Var(&dir, "dir", "`in|out` frames of clients, or to clients, only")
		fs.IntVar(&last, "last", 0, "`COUNT` begin with the newest events of the log, at most "+strconv.Itoa(maxLast))
	}, until.flags, api.adminFlags, output.flags))
	return cmd
}
