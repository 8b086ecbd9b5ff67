package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/versions"
)

func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // exitStatus prints the error on one line
	return fs
}

// parseFlags reads flags; other arguments are errors. After -h it has printed the
// help, and done is true.
func parseFlags(fs *flag.FlagSet, args []string, stdout io.Writer) (done bool, err error) {
	err = fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stdout, "usage of %s:\n", fs.Name())
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return true, nil
	case err != nil:
		return true, usagef("%s (-h lists the flags)", secretValue.ReplaceAllString(err.Error(), "invalid value $1"))
	case fs.NArg() > 0:
		hint := "-h lists the flags"
		if before := len(args) - fs.NArg() - 1; before >= 0 && args[before] == "-faults=mix" {
			hint = "write -faults=" + fs.Arg(0) + " without a space"
		}
		return true, usagef("%q is not a flag (%s)", fs.Arg(0), hint)
	}
	return false, nil
}

// secretValue matches where the flag package quotes a value that may be a secret.
var secretValue = regexp.MustCompile(`^invalid value "(?:[^"\\]|\\.)*" (for flag -(?:env|parameter): )`)

// hasFlag reports whether a flag is among the arguments.
func hasFlag(args []string, name string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		found, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		return strings.HasPrefix(arg, "-") && found == name
	})
}

// Help texts of flags that localhub has both with and without a template.
const (
	faultsUsage = "fail on purpose: without a value a mix of faults, " +
		"with -faults=`name=N,...` each of them once in N times: "

	adminTokenUsage = "`token` that requests to the admin API need, for a machine with several users; " +
		"@FILE reads it from a file, because every user can see a command line"

	requireSigV4Usage = "refuse requests to @connections that are not signed with the printed access key, as AWS does"
)

// faultsFlag is the flag -faults.
type faultsFlag struct{ set *gatewaytest.Faults }

func (f *faultsFlag) String() string { return "" }

func (f *faultsFlag) Set(value string) (err error) {
	if value == "mix" {
		value = faults.Mix
	}
	f.set, err = faults.Parse(value)
	return err
}

// withMix adds the value to a flag -faults without one.
func withMix(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "-faults" || arg == "--faults" {
			args[i] = "-faults=mix"
		}
	}
	return args
}

// originsFlag is a list of origins, in the form of the setting ALLOWED_ORIGINS.
type originsFlag []string

func (o *originsFlag) String() string { return "" }

func (o *originsFlag) Set(value string) (err error) {
	if *o, err = handler.ParseOrigins(value); err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}

// deprecationsFlag is a register of deprecations, in the form of the setting DEPRECATIONS.
type deprecationsFlag struct{ register versions.Register }

func (d *deprecationsFlag) String() string { return "" }

func (d *deprecationsFlag) Set(value string) (err error) {
	if d.register, err = versions.Parse(value); err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}

// pairsFlag is a flag NAME=VALUE that may be repeated.
type pairsFlag map[string]string

func (p pairsFlag) String() string { return "" }

func (p pairsFlag) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if _, repeated := p[name]; !ok || name == "" || repeated {
		return errors.New("it must be NAME=VALUE, and each NAME may occur once")
	}
	p[name] = value
	return nil
}

// secretFlag is a secret, or @FILE to read it from a file.
type secretFlag struct {
	value string
	given string // the value, or @FILE
}

func (s *secretFlag) String() string { return "" }

func (s *secretFlag) Set(value string) error {
	given := value
	if file, ok := strings.CutPrefix(value, "@"); ok {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		value = strings.TrimSpace(string(data))
	}
	if value == "" {
		return errors.New("an empty token protects nothing")
	}
	*s = secretFlag{value, given}
	return nil
}

// check refuses characters that a header cannot carry. Set cannot do that: the flag
// package quotes the value in Set's errors.
func (s secretFlag) check(flag string) error {
	if strings.ContainsFunc(s.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return usagef("%s: it has printable ASCII characters and no spaces", flag)
	}
	return nil
}
