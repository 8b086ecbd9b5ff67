package lambdaproc

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// ErrClosed is returned by Invoke after Close.
var ErrClosed = errors.New("lambdaproc: function is closed")

// ErrNoFunction is wrapped by the errors of an Endpoint if the server does not have
// the function (404) or refuses to invoke it (403).
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
var ErrNoFunction = errors.New("lambdaproc: the function does not exist or may not be invoked")

// FunctionError says that the function itself failed.
type FunctionError struct {
	Function string // its name
	Type     string // errorType
	Message  string // errorMessage, or the whole response if it has none
}

var _ slog.LogValuer = (*FunctionError)(nil)

// Error returns the message alone: API Gateway compares the whole of it with
// "Unauthorized" (G-AUTH-14).
func (e *FunctionError) Error() string { return e.Message }

// LogValue names the function as well.
func (e *FunctionError) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("function %s: %s: %s", e.Function, e.Type, e.Message))
}

// failure is what a runtime reports.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type failure struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

// functionError reads the response of a runtime that reports a failure.
func functionError(function string, body []byte) *FunctionError {
	var f failure
	if json.Unmarshal(body, &f) != nil || f.ErrorType+f.ErrorMessage == "" {
		f.ErrorMessage = string(body)
	}
	return &FunctionError{function, f.ErrorType, f.ErrorMessage}
}

// isError reports whether a response has the form of a failure.
func isError(body []byte) bool {
	var f failure
	return json.Unmarshal(body, &f) == nil && f.ErrorType != "" && f.ErrorMessage != ""
}
