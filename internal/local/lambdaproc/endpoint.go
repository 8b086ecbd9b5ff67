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
)

// Endpoint is a function that somebody else runs, as a handler: events are posted to a
// server that takes Lambda's Invoke API, such as `sam local start-lambda` or the Runtime
// Interface Emulator of a container image.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
type Endpoint struct{ name, url string }

var _ lambda.Handler = (*Endpoint)(nil)

// NewEndpoint returns the function of that name at a server. An address that has a
// path already is taken as the whole URL.
func NewEndpoint(address, name string) (*Endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("lambdaproc: %q is not an http:// or https:// URL", address)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/2015-03-31/functions/" + name + "/invocations"
	}
	return &Endpoint{name, u.String()}, nil
}

// Invoke implements [lambda.Handler]. An answer with X-Amz-Function-Error is a
// [FunctionError], one that there is no such function wraps [ErrNoFunction]; a status other than
// 200 and no answer at all are errors too.
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
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("function %s: %w", e.name, err)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("function %s: an answer of more than %d bytes", e.name, maxAnswer)
	case resp.Header.Get("X-Amz-Function-Error") != "":
		return nil, functionError(e.name, answer)
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("function %s: %w: %s: %.300s", e.name, ErrNoFunction, resp.Status, answer)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("function %s: %s: %.300s", e.name, resp.Status, answer)
	}
	return answer, nil
}
