package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/securecart/hub/client"
	"github.com/securecart/hub/internal/wire"
)

// newSub is the word sub: it follows topics.
func newSub() *cobra.Command {
	var door endpoint
	var output outputFlag
	var until bounds
	cmd := &cobra.Command{
		Use:   "sub TOPIC ... [flags]",
		Short: "follow topics: a line for each value, until interrupted",
		Long: `A topic is MUG or sku:MUG, cart (of the token's user), cart:ID (for admins) or
vendor:ID. Values that are there come first. A line ends with "stale" while the
connection is lost: a newer value may exist. It is made again by itself. The
status is 1 if all topics are refused.`,
		Example: `localhub sub MUG TEE-RED-M -n 2
localhub sub MUG cart -token "$(localhub token -user alice)" -for 10s
localhub sub MUG -o json -n 1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("sub needs a TOPIC")
			}
			_, err := topicNames(args)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := until.check(); err != nil {
				return err
			}
			topics, _ := topicNames(args) // Args has checked them
			ctx, cancel := until.context(cmd.Context())
			defer cancel()
			l, err := door.connect(ctx, cmd.ErrOrStderr())
			switch {
			case err != nil && ctx.Err() != nil:
				return nil
			case err != nil:
				return err
			}
			s := subscriber{topics: topics, lines: until.lines, output: &output, stdout: cmd.OutOrStdout()}
			err = s.follow(l)
			if cause := l.close(); cause != nil {
				return cause
			}
			return err
		},
	}
	setFlags(cmd, newGroup("Flags", "", until.flags, door.socketFlags, output.flags))
	return cmd
}

// topicNames returns topics that somebody typed, each once.
func topicNames(args []string) (names []string, err error) {
	for _, arg := range args {
		name, err := topicName(arg)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// subscriber prints what happens to topics.
type subscriber struct {
	topics []string
	lines  int // 0: no end
	output *outputFlag
	stdout io.Writer

	printed int
	last    map[string]string // what was printed of a topic
	refused map[string]bool
}

// follow prints the states of the topics until the connection's context ends, the lines
// are printed, or all topics are refused.
func (s *subscriber) follow(l *live) error {
	s.last, s.refused = map[string]string{}, map[string]bool{}
	ctx, cancel := context.WithCancel(l.ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	_ = l.Subscribe(ctx, s.topics...) // what is refused, the states say
	for _, topic := range s.topics {
		if isDone, err := s.print(l.State(topic)); isDone || err != nil {
			return err
		}
	}
	states := make(chan client.State)
	for _, topic := range s.topics {
		watching.Go(func() {
			for state := range l.Watch(ctx, topic) {
				select {
				case states <- state:
				case <-ctx.Done():
				}
			}
		})
	}
	for {
		select {
		case state := <-states:
			if isDone, err := s.print(state); isDone || err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// print prints a state that says something new, and reports whether it was the last one.
func (s *subscriber) print(state client.State) (isDone bool, err error) {
	v := stateValue(state)
	text := v.text()
	s.refused[state.Topic] = state.Word == client.Refused
	if text != "" && text != s.last[state.Topic] {
		s.last[state.Topic] = text
		line, err := json.Marshal(v)
		if err == nil {
			err = s.output.print(s.stdout, line, text)
		}
		if err != nil {
			return true, err
		}
		s.printed++
	}
	for _, topic := range s.topics {
		if !s.refused[topic] {
			return s.printed == s.lines && s.lines > 0, nil
		}
	}
	return true, fmt.Errorf("%d of %d topics were refused", len(s.topics), len(s.topics))
}

// topicState is the JSON of a client.State.
type topicState struct {
	Topic    string      `json:"topic"`
	Word     client.Word `json:"word"`
	Value    wire.Value  `json:"value,omitempty"`
	Refused  wire.Code   `json:"refused,omitempty"`
	ProvenAt time.Time   `json:"provenAt,omitzero"` // of a stale value: when it was true
}

func stateValue(s client.State) topicState {
	t := topicState{Topic: s.Topic, Word: s.Word}
	switch {
	case s.Refusal != nil:
		t.Refused = wire.Code(s.Refusal.Code)
	case s.Badge != nil:
		t.Value = wire.Badge{Version: s.Badge.Version, State: wire.State(s.Badge.State),
			Quantity: s.Badge.Quantity, Until: s.Badge.Until}
	case s.Cart != nil:
		lines := map[string]*wire.Line{}
		for sku, line := range s.Cart.Lines {
			lines[sku] = &wire.Line{Quantity: line.Quantity, Version: line.Version}
		}
		t.Value = wire.Cart{Version: s.Cart.Version, Lines: lines}
	case s.Vendor != nil:
		t.Value = wire.Vendor{SKUs: s.Vendor.SKUs, More: s.Vendor.More}
	}
	if s.Word == client.Stale {
		t.ProvenAt = s.ProvenAt.UTC()
	}
	return t
}

// text returns the state in the words of wscat's "pretty on"; "" if nothing is known.
func (t topicState) text() string {
	snapshot := wire.Snapshot{}
	switch {
	case t.Refused != "":
		snapshot.Refused = map[string]wire.Code{t.Topic: t.Refused}
	case t.Value != nil:
		snapshot.Topics = map[string]wire.Value{t.Topic: t.Value}
	default:
		return ""
	}
	text := wire.Pretty(snapshot)
	if t.Word == client.Stale {
		text += " stale"
	}
	return text
}
