package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/datafile"
	"github.com/securecart/hub/internal/local/devkeys"
	"github.com/securecart/hub/internal/local/house"
)

// storage are the settings of what outlives this process without a DynamoDB.
type storage struct {
	data     string // folder of the file with rows and keys; "": rows end with this process
	newEpoch bool   // the file is a copy that was restored
	keys     string // folder of the keys, or noKeys; "": in the user's cache folder
}

// noKeys is the value of -keys for new keys at each start.
const noKeys = "none"

func (s *storage) flags(fs *pflag.FlagSet) {
	fs.Func("data", "`DIR` keep rows and keys in a file in this folder "+
		"(default: rows end with this process)", folder(&s.data))
	fs.BoolVar(&s.newEpoch, "new-epoch", false, "clients forget all versions: "+
		"for the first start after you restored a copy of the file of -data")
	fs.Func("keys", "`DIR|none` keep the development keys in this folder, or with none make new ones "+
		"at each start (default: in your cache folder)", folder(&s.keys))
}

// folder returns the parser of a flag with a folder. An empty one is a variable that a
// shell did not know: taking it for none would keep nothing.
func folder(value *string) func(string) error {
	return func(text string) error {
		if text == "" {
			return errors.New("it needs a folder")
		}
		*value = text
		return nil
	}
}

// check refuses combinations that cannot work. dynamodb is the flag of that name.
func (s *storage) check(dynamodb string) error {
	switch {
	case s.data != "" && dynamodb != "":
		return usagef("-data and -dynamodb: rows are in a file or in a DynamoDB, not in both")
	case s.newEpoch && s.data == "":
		return usagef("-new-epoch needs -data")
	case s.keys != "" && s.data != "":
		return usagef("-keys and -data: the file with the rows has the keys too")
	case s.keys != "" && dynamodb != "":
		return usagef("-keys and -dynamodb: the hub's table has the keys too")
	}
	return nil
}

// open opens the keys and, without tables, the rows. Close what it returns after the
// house. end is called if the rows are lost while the house runs.
func (s *storage) open(
	ctx context.Context, tables house.Tables, o *house.Options, log *slog.Logger, end func(error),
) (c io.Closer, err error) {
	switch {
	case tables != nil:
		if o.Keys, err = devkeys.Load(ctx, tables); err != nil {
			err = fmt.Errorf("row D of the hub's table: %w", err)
		}
		return io.NopCloser(nil), err
	case s.data != "":
		file, err := s.openData(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("-data %s: %w", s.data, err)
		}
		file.OnDamage(func(err error) { end(fmt.Errorf("-data %s: %w", s.data, err)) })
		return file, nil
	}
	o.Keys, err = s.loadKeys(ctx)
	if errors.Is(err, devkeys.ErrCannotKeep) && s.keys == "" {
		log.Warn("the development keys end with this process; -keys chooses a folder for them", "error", err)
		err = nil
	}
	return io.NopCloser(nil), err
}

func (s *storage) openData(ctx context.Context, o *house.Options) (*datafile.File, error) {
	file, err := datafile.Open(s.data)
	if err != nil {
		return nil, err
	}
	o.Rows.Journal, o.Rows.NewEpoch = file, s.newEpoch
	if o.Keys, err = devkeys.Load(ctx, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// loadKeys returns the keys of the folder that -keys names; none for noKeys.
func (s *storage) loadKeys(ctx context.Context) (keys devkeys.Keys, err error) {
	file := devkeys.InFolder(s.keys)
	switch s.keys {
	case noKeys:
		return keys, nil
	case "":
		if file, err = devkeys.InCache(); err != nil {
			return keys, err
		}
	}
	if keys, err = devkeys.Load(ctx, file); err != nil {
		err = fmt.Errorf("%s: %w", file.Path(), err)
	}
	return keys, err
}
