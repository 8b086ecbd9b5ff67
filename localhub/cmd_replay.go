package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
)

// errDiffers is the error of a replay that has printed what differs.
var errDiffers = errors.New("the replay differs")

// newReplay is the word replay: it plays a recording again.
func newReplay() *cobra.Command {
	var api endpoint
	against := urlFlag{"ws://127.0.0.1:8797/" + defaultStage, doorSchemes}
	cmd := &cobra.Command{
		Use:   "replay FILE [flags]",
		Short: "play a recording again, and name the first frame that differs",
		Long: `FILE is what localhub -record FILE wrote. Without -against it is played
against a new hub in this process, and pauses are skipped. Versions, ids, times
and names need not be the same. The status is 1 if a conversation differs.

With -admin, users sign in, stock is written, and the other hub's clock is moved
forward. Without it only guests are played, and pauses are waited for.`,
		Example: `localhub replay afternoon.ndjson
localhub replay afternoon.ndjson -against :8797/v1 -admin :8798`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("replay needs one FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			rec, err := readRecording(args[0])
			if err != nil {
				return err
			}
			remote, hasAdmin := cmd.Flags().Changed("against"), cmd.Flags().Changed("admin")
			switch {
			case hasAdmin && !remote:
				return usagef("-admin needs -against: without it the hub is in this process")
			case !remote:
				return replayHere(cmd.Context(), rec, cmd.OutOrStdout())
			case !hasAdmin:
				return replayOn(cmd.Context(), rec, replay.Remote(against.parsed(), nil), cmd.OutOrStdout())
			}
			return replayOn(cmd.Context(), rec, replay.Remote(against.parsed(), api.send), cmd.OutOrStdout())
		},
	}
	setFlags(cmd, newGroup("Flags", "", func(fs *pflag.FlagSet) {
		fs.Var(&against, "against", "`URL` socket of another hub (default: a hub in this process)")
	}, api.adminFlags))
	return cmd
}

func readRecording(name string) (*recording.Recording, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, usagef("replay: %w", err)
	}
	defer file.Close()
	rec, err := recording.Read(file)
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return rec, nil
}

// replayHere plays a recording against a hub in this process.
func replayHere(ctx context.Context, rec *recording.Recording, stdout io.Writer) error {
	result, err := house.Replay(ctx, rec)
	return report(result, err, stdout)
}

// replayOn plays a recording against another hub.
func replayOn(ctx context.Context, rec *recording.Recording, t replay.Target, stdout io.Writer) error {
	result, err := replay.Play(ctx, rec, t)
	return report(result, err, stdout)
}

// report prints the result of a replay.
func report(result replay.Result, err error, stdout io.Writer) error {
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if err := result.Print(stdout); err != nil {
		return err
	}
	if result.Differing() > 0 {
		return errDiffers
	}
	return nil
}

// parsed returns the address; Set has parsed it.
func (u *urlFlag) parsed() *url.URL {
	parsed, _ := url.Parse(u.text)
	return parsed
}

// send sends a request with a path to the endpoint.
func (e *endpoint) send(req *http.Request) (*http.Response, error) {
	base := &urlFlag{text: e.base.http()}
	root := base.parsed()
	req.URL.Scheme, req.URL.Host = root.Scheme, root.Host
	if req.Header.Get("Authorization") == "" { // a vendor's request has a token of its own
		if err := e.authorize(req); err != nil {
			return nil, err
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, e.noAnswer(err)
	}
	return resp, nil
}
