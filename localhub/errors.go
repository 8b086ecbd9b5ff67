package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/redact"
)

// usageError is a mistake on the command line.
type usageError struct{ error }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitStatus prints the error and returns the status of the process.
func exitStatus(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, errDiffers) {
		return 1 // what differs is printed
	}
	fmt.Fprintf(stderr, "localhub: %s\n", redact.PrintableLines(firstLines(redact.Text(err.Error()))))
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// maxErrorLines is how many lines of an error are printed. Our own choice.
const maxErrorLines = 200

// firstLines shortens an error with a line for each of many mistakes.
func firstLines(text string) string {
	lines := strings.SplitAfterN(text, "\n", maxErrorLines+1)
	if len(lines) <= maxErrorLines {
		return text
	}
	return strings.Join(lines[:maxErrorLines], "") + "and more"
}

// flagError puts an error of pflag into our words. It has no value that may be a secret.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := cmp.Or(unknown.GetSpecifiedShortnames(), unknown.GetSpecifiedName())
		name, _, _ = strings.Cut(name, "=") // what follows may be a secret
		if name != "" && name[0] >= '0' && name[0] <= '9' {
			return usagef("-%s is below zero; after -- it is no flag (%s -h)", name, cmd.CommandPath())
		}
		return usagef("unknown flag -%s (%s%s -h lists the flags)", name, didYouMean("-", name, nearFlags(cmd, name)),
			cmd.CommandPath())
	case errors.As(err, &missing):
		form, _ := pflag.UnquoteUsage(missing.GetFlag())
		return usagef("-%[1]s needs a value: -%[1]s %[2]s", missing.GetFlag().Name, form)
	case errors.As(err, &invalid):
		name, cause := invalid.GetFlag().Name, invalid.Unwrap()
		switch invalid.GetFlag().Value.(type) {
		case *secretFlag, pairsFlag, *urlFlag:
			return usagef("invalid value for flag -%s: %w", name, cause)
		}
		if form := formOf[invalid.GetFlag().Value.Type()]; form != "" {
			cause = errors.New("it must be " + form)
		}
		return usagef("invalid value %q for flag -%s: %w", redact.URL(invalid.GetValue()), name, cause)
	}
	return usagef("a flag without a name (%s -h lists the flags)", cmd.CommandPath()) // such as --=x
}

// formOf says what a value of a type of pflag's own looks like. Its errors are those of Go's
// parsers.
var formOf = map[string]string{
	"bool": "true or false", "duration": "a time such as 90s, 10m or 2h", "float64": "a number such as 0.5",
	"int": "a whole number", "int64": "a whole number",
}

// nearFlags returns the flags of a command whose names are nearly a name.
func nearFlags(cmd *cobra.Command, name string) []string {
	names := cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	return names.SuggestionsFor(name)
}

// didYouMean asks for one of the names that are nearly what somebody typed: the first one that
// begins so, or else the first one. To one or two letters every short name is near.
func didYouMean(dash, typed string, near []string) string {
	i := slices.IndexFunc(near, func(name string) bool { return strings.HasPrefix(name, strings.ToLower(typed)) })
	if i < 0 && (len(near) == 0 || len(typed) <= 2) {
		return ""
	}
	return "did you mean " + dash + near[max(i, 0)] + "? "
}

// wordError refuses a word that is none.
func wordError(root *cobra.Command, word string) error {
	var near []string
	if word != "" {
		near = root.SuggestionsFor(word)
	}
	return usagef("%q is not a word of localhub (%slocalhub help lists the words)", redact.URL(word),
		didYouMean("", word, near))
}
