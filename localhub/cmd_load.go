package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/load"
	"github.com/securecart/hub/internal/wire"
)

const (
	// loadPerUser is how many connections each user of a load has: two messages of each are
	// within what a customer may send at once.
	loadPerUser = hub.CustomerMessages / 2

	// maxLoad is the most connections of a load: about the ports of an address.
	maxLoad = 28_000
)

// newLoad is the word load: it measures a localhub.
func newLoad() *cobra.Command {
	l := loader{}
	cmd := &cobra.Command{
		Use:   "load -topics SKU,SKU [flags]",
		Short: "measure with many connections, and check what each gets",
		Long: `Opens connections of the users load-1, load-2 … that follow items, changes their
stock by the admin API, and reads every push. It ends with a table. A loss is an
item of a connection that did not show the newest version at the end; older is a
push of an older version than the one before it; invented is a push of a version
that was not written, or with another value. The status is 1 if there is one.
The items must be counted, and few must be left at 3. Their stock stays changed.
Nobody else may change them meanwhile.`,
		Example: `localhub load -n 20 -topics MUG,TEE-RED-M -rate 10 -for 3s`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l.stderr = cmd.ErrOrStderr()
			if err := l.check(); err != nil {
				return err
			}
			r, err := l.run(cmd.Context())
			switch {
			case cmd.Context().Err() != nil:
				return nil
			case err != nil:
				return err
			}
			text, err := json.Marshal(loadJSON(r))
			if err != nil {
				return err
			}
			if err := l.output.print(cmd.OutOrStdout(), text, strings.TrimSuffix(r.String(), "\n")); err != nil {
				return err
			}
			if r.Lost+r.Older+r.Invented > 0 {
				return fmt.Errorf("%d lost, %d older, %d invented", r.Lost, r.Older, r.Invented)
			}
			return nil
		},
	}
	setFlags(cmd, newGroup("Flags", "", l.flags, l.door.urlOnly, l.api.adminFlags, l.output.flags))
	return cmd
}

// loader runs a load.
type loader struct {
	door, api   endpoint
	output      outputFlag
	stderr      io.Writer
	connections int
	topics      string
	rate        float64
	time        time.Duration
	settle      time.Duration

	skus []string
}

func (l *loader) flags(fs *pflag.FlagSet) {
	fs.StringVar(&l.topics, "topics", "", "`SKU,SKU` items to follow and to change")
	fs.IntVar(&l.connections, "n", 100, "`COUNT` connections")
	fs.Float64Var(&l.rate, "rate", 10, "`COUNT` changes a second, of all items together")
	fs.DurationVar(&l.time, "for", 10*time.Second, "`TIME` how long to change stock")
	fs.DurationVar(&l.settle, "settle", 10*time.Second, "`TIME` how long to wait for what is missing then")
}

func (l *loader) check() error {
	switch {
	case l.topics == "":
		return usagef("load needs -topics SKU,SKU")
	case l.connections < 1 || l.connections > maxLoad:
		return usagef("-n must be from 1 to %d", maxLoad)
	case !(l.rate > 0) || l.rate > 1000:
		return usagef("-rate must be above 0, and at most 1000")
	case l.time <= 0 || l.settle < 0:
		return usagef("-for must be above 0, and -settle not below")
	case l.rate*l.time.Seconds() < 1:
		return usagef("-rate %g for %v is less than one change", l.rate, l.time)
	}
	names, err := topicNames(strings.Split(l.topics, ","))
	if err != nil {
		return err
	}
	for _, name := range names {
		sku, ok := strings.CutPrefix(name, string(hub.KindSKU)+":")
		if !ok {
			return usagef("-topics: %s is not an item", name)
		}
		l.skus = append(l.skus, sku)
	}
	return nil
}

// run measures. The progress goes to standard error.
func (l *loader) run(ctx context.Context) (r load.Result, err error) {
	tokens, err := l.tokens(ctx)
	if err != nil {
		return r, err
	}
	opened := 0
	return load.Run(ctx, load.Options{
		Connections: l.connections, SKUs: l.skus,
		Changes: int(l.rate * l.time.Seconds()), Every: time.Duration(float64(time.Second) / l.rate), Settle: l.settle,
		Dial: func(ctx context.Context) (*websocket.Conn, error) {
			token := tokens[opened/loadPerUser]
			opened++
			conn, _, err := websocket.Dial(ctx, l.door.base.socket(), &websocket.DialOptions{
				Subprotocols: []string{wire.Subprotocol, "bearer." + token},
			})
			if err != nil {
				return nil, l.door.noAnswer(err)
			}
			return conn, nil
		},
		Change: load.AdminAPI(func(ctx context.Context, sku string, change any) ([]byte, error) {
			return l.api.askShort(ctx, http.MethodPut, "/admin/stock/"+skuSegment(sku), change)
		}),
		Progress: func(p load.Progress) {
			fmt.Fprintf(l.stderr, "%d connections, %d changes, %d deltas\n", p.Connections, p.Changes, p.Deltas)
		},
	})
}

// tokens returns a token for each loadPerUser connections.
func (l *loader) tokens(ctx context.Context) (tokens []string, err error) {
	for n := 0; n*loadPerUser < l.connections; n++ {
		request := map[string]string{"user": fmt.Sprint("load-", n+1), "role": string(hub.RoleCustomer)}
		body, err := l.api.askShort(ctx, http.MethodPost, "/admin/token", request)
		if err != nil {
			return nil, err
		}
		var answer struct{ Token string }
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, err
		}
		tokens = append(tokens, answer.Token)
	}
	return tokens, nil
}

// loadJSON is a result with times in milliseconds.
func loadJSON(r load.Result) any {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return struct {
		Connections int     `json:"connections"`
		ConnectedMs float64 `json:"connectedMs"`
		Changes     int     `json:"changes"`
		Deltas      int     `json:"deltas"`
		TookMs      float64 `json:"tookMs"`
		P50Ms       float64 `json:"p50Ms"`
		P99Ms       float64 `json:"p99Ms"`
		Lost        int     `json:"lost"`
		Older       int     `json:"older"`
		Invented    int     `json:"invented"`
	}{r.Connections, ms(r.Connected), r.Changes, r.Deltas, ms(r.Took), ms(r.P50), ms(r.P99), r.Lost, r.Older, r.Invented}
}
