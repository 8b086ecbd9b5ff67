package gatewaytest

import (
	"errors"
	"fmt"

	"github.com/securecart/hub/gatewaytest/internal/vtl"
)

// TemplateError is a mistake in a mapping template. Line and Column count from 1;
// Column counts bytes.
type TemplateError struct {
	Line, Column int
	Message      string
}

func (e *TemplateError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// CheckTemplate returns the first mistake in a template of a [Mapping], as a
// *TemplateError, or nil. New checks the templates of an API too.
func CheckTemplate(text string) error {
	_, err := vtl.Parse(text)
	var mistake *vtl.Error
	if !errors.As(err, &mistake) {
		return nil
	}
	return &TemplateError{mistake.Line, mistake.Column, mistake.Message}
}
