package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/redact"
)

// words make the commands behind localhub. The help sorts them.
var words = []func() *cobra.Command{
	newAdd, newCompletion, newCost, newGet, newLab, newLoad, newReplay, newSeed, newSet, newStock, newSub, newTap,
	newToken, newWhy,
}

// run does what a command line says.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := newRoot(args)
	long := longFlags(root, args)
	if completesShort(args) {
		long[len(long)-1] = "-" + args[len(args)-1]
		stdout = shortFlags{stdout}
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(long)
	return root.ExecuteContext(ctx)
}

// newRoot returns localhub with its words. args are the command line: an error may print it
// with a correction.
func newRoot(args []string) *cobra.Command {
	s := settings{template: newTemplateSettings()}
	printVersion := false
	root := &cobra.Command{
		Use:     rootUse,
		Short:   "the real-time hub on one machine: sockets, demo shop and admin API",
		Long:    rootText,
		Example: rootExamples,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printVersion {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "localhub", version())
				return err
			}
			if err := s.check(cmd.Flags()); err != nil {
				return err
			}
			if cmd.Flags().Changed("template") {
				return runTemplate(cmd.Context(), s, cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return runHouse(cmd.Context(), s, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
		SilenceErrors: true, SilenceUsage: true, // exitStatus prints the error on one line
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true}, // newCompletion is ours
		SuggestionsMinimumDistance: 2,
	}
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if cmd.Flags().Changed("faults") {
			return usagef("%q is not a word of localhub (a list of faults stands behind = without a space, as in "+
				"-faults=gone=3; the faults are %s)", redact.URL(args[0]), strings.Join(faults.Names(), ", "))
		}
		return wordError(root, args[0])
	}
	groups := append(s.groups(), newGroup("Other", "", func(fs *pflag.FlagSet) {
		fs.BoolVar(&printVersion, "version", false, "print the version and exit")
	}))
	setFlags(root, groups...)
	root.SetFlagErrorFunc(flagError)
	for _, word := range words {
		cmd := word()
		cmd.Args = usageArgs(cmd.Args)
		root.AddCommand(cmd)
	}
	root.SetHelpCommand(newHelp())
	return root
}

// usageArgs makes what check refuses a mistake on the command line: some checks are cobra's.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		return nil // any arguments
	}
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if usage := (usageError{}); err != nil && !errors.As(err, &usage) {
			err = usagef("%s: %w", cmd.Name(), err)
		}
		return err
	}
}

// longFlags writes -name as --name, which is pflag's form, if a command has a flag of that
// name. It changes neither the values of flags nor what stands behind "--".
func longFlags(root *cobra.Command, args []string) []string {
	args = slices.Clone(args)
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, isFlag := strings.CutPrefix(args[i], "-")
		name, isLong := strings.CutPrefix(name, "-")
		name, _, hasValue := strings.Cut(name, "=")
		flag := findFlag(root, name)
		if !isFlag || flag == nil {
			continue
		}
		if !isLong {
			args[i] = "-" + args[i]
		}
		if !hasValue && flag.NoOptDefVal == "" {
			i++ // the next argument is its value
		}
	}
	return args
}

// findFlag returns the flag of a name, of localhub or of a word; nil if there is none. Flags
// of one name take a value in all commands or in none.
func findFlag(root *cobra.Command, name string) *pflag.Flag {
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		if flag := cmd.Flags().Lookup(name); flag != nil {
			return flag
		}
	}
	return nil
}

// version is the version of this build, as go install records it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
