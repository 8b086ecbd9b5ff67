package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/securecart/hub/internal/handler"
)

// secret is a flag whose value may be in a file: @FILE.
type secret string

func (s *secret) String() string { return "" }

func (s *secret) Set(value string) error {
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
	*s = secret(value)
	return nil
}

// check refuses what a header cannot carry. It is no part of Set, whose errors
// quote the value.
func (s secret) check() error {
	if strings.ContainsFunc(string(s), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return usageError{errors.New("-admin-token: a token has printable characters without blanks")}
	}
	return nil
}

// origins is a flag with the setting ALLOWED_ORIGINS.
type origins []string

func (o *origins) String() string { return "" }

func (o *origins) Set(value string) (err error) {
	if *o, err = handler.ParseOrigins(value); err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}
