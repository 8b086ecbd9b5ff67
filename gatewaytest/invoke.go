package gatewaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/securecart/hub/gatewaytest/internal/fields"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

var (
	// errTimedOut says that an integration took longer than its time-out.
	errTimedOut = errors.New("integration timed out")

	// errMalformed says that an answer of a proxy function cannot be read.
	errMalformed = errors.New("malformed answer")
)

// invoke calls a function and waits for it at most as long as timeout. The
// function's context ends then; the function itself may go on (G-ERR-4), and
// Close waits for it. A panic is a function error, as it is in Lambda.
func (g *Gateway) invoke(h lambda.Handler, event []byte, requestID string, timeout time.Duration) ([]byte, error) {
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	ctx, cancel := context.WithTimeout(g.handlers, timeout)
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID})
	// Whoever calls invoke is itself waited for, so Close is still waiting.
	g.running.Go(func() {
		defer cancel()
		// A handler that ends its goroutine (t.FailNow does) leaves this.
		r := result{err: errors.New("function ended without an answer")}
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("function panicked: %v", p)}
				g.api.Log.Warn("function panicked", "requestId", requestID, "panic", p, "stack", string(debug.Stack()))
			}
			done <- r
		}()
		r.answer, r.err = answerOf(ctx, h, event)
	})
	select {
	case r := <-done:
		if r.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, errTimedOut // it gave up because its time was over
		}
		return r.answer, r.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, errTimedOut
		}
		// Cancelled either by the function's end, and then there is a result,
		// or by Close.
		select {
		case r := <-done:
			return r.answer, r.err
		default:
			return nil, ctx.Err()
		}
	}
}

// parseProxyAnswer reads an answer as strictly as the service does: only the
// five known keys, statusCode an integer or a string of one, body a string
// (G-RESP-6, G-RESP-7). Nulls count as absent, because aws-lambda-go writes
// them for empty fields.
func parseProxyAnswer(raw []byte, assumptions *Assumptions) (answer, error) {
	var a answer
	trimmed := bytes.TrimSpace(raw)
	switch {
	case string(trimmed) == "null" && assumptions.NullAnswerPasses:
		return answer{status: http.StatusOK}, nil
	case len(trimmed) == 0 || trimmed[0] != '{':
		return a, errors.New("not a JSON object")
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		return a, err
	}
	var (
		body    *string
		encoded *bool
		lists   map[string][]json.RawMessage
	)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		value := keys[key]
		var err error
		switch key {
		case "statusCode":
			if a.status, err = parseStatus(value); value[0] == '"' && assumptions.StringStatusFails {
				err = errors.New("a string")
			}
		case "headers":
			var headers map[string]json.RawMessage
			if err = json.Unmarshal(value, &headers); err == nil {
				err = a.addHeaders(headers)
			}
		case "multiValueHeaders":
			err = json.Unmarshal(value, &lists)
		case "body":
			err = json.Unmarshal(value, &body)
		case "isBase64Encoded":
			err = json.Unmarshal(value, &encoded)
		default:
			err = errors.New("unknown key")
		}
		if err != nil {
			return answer{}, fmt.Errorf("key %q: %w", key, err)
		}
	}
	if _, ok := keys["statusCode"]; !ok {
		if !assumptions.NoStatusPasses {
			return answer{}, errors.New("no statusCode")
		}
		a.status = http.StatusOK
	}
	single := a.headers
	if err := a.addLists(lists); err != nil {
		return answer{}, fmt.Errorf("key %q: %w", "multiValueHeaders", err)
	}
	if assumptions.ExactProtocolHeader { // no other header is ever looked at
		a.headers = fields.List{{Name: subprotocolHeader, Value: single.Last(subprotocolHeader, fields.Exact)}}
	}
	if body == nil {
		return a, nil
	}
	decoded, err := decodeBody(*body, encoded != nil && *encoded && !assumptions.Base64BodyUndecoded)
	if err != nil {
		return answer{}, fmt.Errorf("body: %w", err)
	}
	a.body, a.hasBody = decoded, true
	return a, nil
}

// parseStatus reads a status code: an integer, or a string of one.
func parseStatus(raw json.RawMessage) (int, error) {
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, err
		}
		return strconv.Atoi(text)
	}
	number, err := strconv.ParseFloat(text, 64) // 2e2 and 200.0 are integers in JSON
	if err != nil || number != math.Trunc(number) || math.Abs(number) > math.MaxInt32 {
		return 0, fmt.Errorf("%s is not an integer", text)
	}
	return int(number), nil
}

// addHeaders takes headers whose values are strings, numbers or booleans.
func (a *answer) addHeaders(headers map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value, ok := plainjson.ScalarText(headers[name])
		if !ok {
			return fmt.Errorf("header %q is not a string", name)
		}
		a.headers = append(a.headers, fields.Field{Name: name, Value: value})
	}
	return nil
}

// addLists takes headers that have a list of such values each, after all others,
// so that they win.
func (a *answer) addLists(lists map[string][]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		for _, one := range lists[name] {
			if err := a.addHeaders(map[string]json.RawMessage{name: one}); err != nil {
				return err
			}
		}
	}
	return nil
}
