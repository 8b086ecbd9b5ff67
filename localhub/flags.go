package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/versions"
)

// faultsFlag is the flag -faults.
type faultsFlag struct{ set *gatewaytest.Faults }

func (f *faultsFlag) String() string { return "" }

func (f *faultsFlag) Set(value string) (err error) {
	f.set, err = faults.Parse(value)
	return err
}

func (f *faultsFlag) Type() string { return "faults" }

// originsFlag is a list of origins, in the form of the setting ALLOWED_ORIGINS.
type originsFlag []string

func (o *originsFlag) String() string { return "" }

func (o *originsFlag) Type() string { return "origins" }

func (o *originsFlag) Set(value string) (err error) {
	if *o, err = handler.ParseOrigins(value); err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}

// deprecationsFlag is a register of deprecations, in the form of the setting DEPRECATIONS.
type deprecationsFlag struct{ register versions.Register }

func (d *deprecationsFlag) String() string { return "" }

func (d *deprecationsFlag) Type() string { return "versions" }

func (d *deprecationsFlag) Set(value string) (err error) {
	if d.register, err = versions.Parse(value); err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}

// limitsFlag is a list of limits, in the form of the setting LIMITS.
type limitsFlag string

func (l *limitsFlag) String() string { return "" }

func (l *limitsFlag) Type() string { return "limits" }

func (l *limitsFlag) Set(value string) error {
	if _, err := hub.ParseLimits(value); err != nil {
		return err
	}
	*l = limitsFlag(value)
	return nil
}

// pairsFlag is a flag NAME=VALUE that may be repeated.
type pairsFlag map[string]string

func (p pairsFlag) String() string { return "" }

func (p pairsFlag) Type() string { return "pair" }

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

func (s *secretFlag) Type() string { return "secret" }

func (s *secretFlag) Set(value string) error {
	given := value
	if file, ok := strings.CutPrefix(value, "@"); ok {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		value = strings.TrimSpace(string(data))
	}
	switch {
	case value == "":
		return errors.New("it is empty, and protects nothing")
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }): // a header cannot carry it
		return errors.New("it has printable ASCII characters and no spaces")
	}
	*s = secretFlag{value, given}
	return nil
}

// enumFlag is one of several words.
type enumFlag struct {
	value string
	words []string
}

func (e *enumFlag) String() string { return e.value }

func (e *enumFlag) Type() string { return strings.Join(e.words, "|") }

func (e *enumFlag) Set(value string) error {
	if !slices.Contains(e.words, value) {
		last := len(e.words) - 1
		return fmt.Errorf("it must be %s or %s", strings.Join(e.words[:last], ", "), e.words[last])
	}
	e.value = value
	return nil
}
