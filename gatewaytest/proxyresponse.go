package gatewaytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/fields"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// parseProxyResponse parses a proxy response as strictly as the service does:
// only the five known keys, statusCode an integer or a string of one, body a
// string (G-RESP-6, G-RESP-7). A null counts as absent, because aws-lambda-go
// writes it for empty fields.
func parseProxyResponse(raw []byte, assumptions *Assumptions) (integrationResponse, error) {
	var resp integrationResponse
	trimmed := bytes.TrimSpace(raw)
	switch {
	case string(trimmed) == "null" && assumptions.NullResponsePasses:
		return integrationResponse{status: http.StatusOK}, nil
	case len(trimmed) == 0 || trimmed[0] != '{':
		return resp, errors.New("not a JSON object")
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		return resp, err
	}
	var rest proxyMembers
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if err := rest.parse(&resp, key, keys[key], assumptions); err != nil {
			return integrationResponse{}, fmt.Errorf("key %q: %w", key, err)
		}
	}
	if _, ok := keys["statusCode"]; !ok {
		if !assumptions.NoStatusPasses {
			return integrationResponse{}, errors.New("no statusCode")
		}
		resp.status = http.StatusOK
	}
	single := resp.headers
	if err := resp.addLists(rest.lists); err != nil {
		return integrationResponse{}, fmt.Errorf("key %q: %w", "multiValueHeaders", err)
	}
	if assumptions.ExactProtocolHeader { // no other header matters
		resp.headers = fields.List{{Name: subprotocolHeader, Value: single.Last(subprotocolHeader, fields.Exact)}}
	}
	if rest.body == nil {
		return resp, nil
	}
	encoded := rest.encoded != nil && *rest.encoded
	decoded, err := decodeBody(*rest.body, encoded && !assumptions.Base64BodyUndecoded)
	if err != nil {
		return integrationResponse{}, fmt.Errorf("body: %w", err)
	}
	resp.body, resp.hasBody = decoded, true
	return resp, nil
}

// proxyMembers are the members of a proxy response that depend on each other.
type proxyMembers struct {
	body    *string
	encoded *bool
	lists   map[string][]json.RawMessage
}

// parse parses one member, into the response if it can.
func (p *proxyMembers) parse(
	resp *integrationResponse, key string, value json.RawMessage, assumptions *Assumptions,
) error {
	switch key {
	case "statusCode":
		if value[0] == '"' && assumptions.StringStatusFails {
			return errors.New("a string")
		}
		var err error
		resp.status, err = parseStatus(value)
		return err
	case "headers":
		var headers map[string]json.RawMessage
		if err := json.Unmarshal(value, &headers); err != nil {
			return err
		}
		return resp.addHeaders(headers)
	case "multiValueHeaders":
		return json.Unmarshal(value, &p.lists)
	case "body":
		return json.Unmarshal(value, &p.body)
	case "isBase64Encoded":
		return json.Unmarshal(value, &p.encoded)
	}
	return errors.New("unknown key")
}

// parseStatus parses a status code: an integer, or a string of one.
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

// addHeaders adds headers whose values are strings, numbers or booleans.
func (resp *integrationResponse) addHeaders(headers map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value, ok := plainjson.ScalarText(headers[name])
		if !ok {
			return fmt.Errorf("header %q is not a string", name)
		}
		resp.headers = append(resp.headers, fields.Field{Name: name, Value: value})
	}
	return nil
}

// addLists adds headers with lists of values. They come after all others, so
// they take precedence.
func (resp *integrationResponse) addLists(lists map[string][]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		for _, value := range lists[name] {
			if err := resp.addHeaders(map[string]json.RawMessage{name: value}); err != nil {
				return err
			}
		}
	}
	return nil
}
