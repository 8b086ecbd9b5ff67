package lambdaproc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/redact"
)

// Endpoint is a handler that posts events to a server with Lambda's Invoke API, such as
// `sam local start-lambda` or the Runtime Interface Emulator of a container image.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
type Endpoint struct{ name, url string }

var _ lambda.Handler = (*Endpoint)(nil)

// NewEndpoint returns the function name of the server at address. If address has a
// path, it is the whole URL.
func NewEndpoint(address, name string) (*Endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("lambdaproc: %q is not an http:// or https:// URL", redact.URL(address))
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/2015-03-31/functions/" + name + "/invocations"
	}
	return &Endpoint{name, u.String()}, nil
}

// Invoke implements [lambda.Handler]. A response with X-Amz-Function-Error is a
// [FunctionError]. So is one that is an error by its form: the Runtime Interface Emulator
// sends no such header. The error wraps [ErrNoFunction] if the server does not have the
// function. Every status other than 200 is an error.
func (e *Endpoint) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(event))
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", e.name, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Invocation-Type", "RequestResponse")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", e.name, err)
	}
	defer resp.Body.Close()
	response, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("function %s: %w", e.name, err)
	case len(response) > maxResponse:
		return nil, fmt.Errorf("function %s: response exceeds %d bytes", e.name, maxResponse)
	case resp.Header.Get("X-Amz-Function-Error") != "", resp.StatusCode == http.StatusOK && isError(response):
		return nil, functionError(e.name, response)
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("function %s: %w: %s: %.300s", e.name, ErrNoFunction, resp.Status, response)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("function %s: %s: %.300s", e.name, resp.Status, response)
	}
	return response, nil
}
