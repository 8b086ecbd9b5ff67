package gatewaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Read returns the next message.
func (c *Client) Read() string {
	c.s.tb.Helper()
	text, _ := c.await("a message")
	return text
}

// ReadJSON decodes the next message into v, as [json.Unmarshal] does.
func (c *Client) ReadJSON(v any) {
	c.s.tb.Helper()
	if text, ok := c.await("a JSON message"); ok {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			c.fail("cannot decode %s: %v", quote(text), err)
		}
	}
}

// ReadUntil returns the next message that match accepts, and skips those before
// it.
func (c *Client) ReadUntil(match func(message string) bool) string {
	c.s.tb.Helper()
	for skipped := 0; ; skipped++ {
		text, ok := c.await(fmt.Sprintf("a message that matches (%d did not)", skipped))
		if !ok || match(text) {
			return text
		}
	}
}

// Expect checks that the next message is want.
func (c *Client) Expect(want string) {
	c.s.tb.Helper()
	if got, ok := c.await(quote(want)); ok && got != want {
		c.fail("unexpected message\n\tgot  %s\n\twant %s", quote(got), quote(want))
	}
}

// ExpectJSON checks that the next message is the same JSON value as want: the
// order of keys, white space, and whether a number is written 1, 1.0 or 1e0 do
// not matter. A want that is a string or []byte is JSON, any other value is
// encoded.
func (c *Client) ExpectJSON(want any) {
	c.s.tb.Helper()
	text, err := textOf(want)
	if err != nil {
		c.fail("cannot expect %T: %v", want, err)
		return
	}
	wanted, err := decodeJSON(text)
	if err != nil {
		c.fail("cannot expect %s: %v", quote(text), err)
		return
	}
	got, ok := c.await(text)
	if !ok {
		return
	}
	if value, err := decodeJSON(got); err != nil || !reflect.DeepEqual(value, wanted) {
		c.fail("unexpected message\n\tgot  %s\n\twant %s", quote(got), quote(text))
	}
}

// decodeJSON decodes one JSON value. Its whole numbers keep all digits.
func decodeJSON(text string) (value any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err = d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return withPlainNumbers(value), nil
}

// withPlainNumbers writes the numbers of a value in one way: 1.0 and 1e0 as 1.
func withPlainNumbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if f, err := value.Float64(); err == nil && strings.ContainsAny(value.String(), ".eE") {
			return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
		}
	case []any:
		for i, item := range value {
			value[i] = withPlainNumbers(item)
		}
	case map[string]any:
		for key, item := range value {
			value[key] = withPlainNumbers(item)
		}
	}
	return value
}

// ExpectClose checks that the gateway closes the connection with this code next,
// and returns when $disconnect has returned.
func (c *Client) ExpectClose(code int) {
	c.s.tb.Helper()
	text, came := c.next()
	ending := c.ended()
	switch {
	case came:
		c.fail("unexpected message\n\tgot  %s\n\twant close %d", quote(text), code)
	case ending == "":
		c.fail("waited %v for close %d; nothing came", c.patience, code)
	case c.ending == nil || int(c.ending.Code) != code:
		c.fail("%s; want close %d", ending, code)
	default:
		c.waitForDisconnect()
	}
}

// ExpectNothing checks that no message has come that the test has not read. It
// does not wait. In a testing/synctest bubble, call synctest.Wait first.
// Elsewhere, post a last message to the connection and expect that one instead:
// posts arrive in order.
func (c *Client) ExpectNothing() {
	c.s.tb.Helper()
	c.mu.Lock()
	unread := strings.Join(c.inbox, "\n\t     ")
	n := len(c.inbox)
	c.mu.Unlock()
	if n > 0 {
		c.fail("unexpected message\n\tgot  %s\n\twant nothing", unread)
	}
}

// await returns the next message. If none comes, it fails the test and reports
// false.
func (c *Client) await(what string) (string, bool) {
	c.s.tb.Helper()
	text, ok := c.next()
	if ok {
		return text, true
	}
	if ending := c.ended(); ending != "" {
		c.fail("%s; want %s", ending, what)
	} else {
		c.fail("waited %v for %s; nothing came", c.patience, what)
	}
	return "", false
}

// next waits for a message. It reports false if none came before the limit, or
// if the connection ended.
func (c *Client) next() (string, bool) {
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	for {
		// Look for the end first: nothing comes after it.
		over := c.ended() != ""
		if text, ok := c.take(); ok || over {
			return text, ok
		}
		select {
		case <-c.arrived:
		case <-c.closed:
		case <-timer.C:
			return c.take()
		}
	}
}

// take returns the next message if there is one.
func (c *clientState) take() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.inbox) == 0 {
		return "", false
	}
	text := c.inbox[0]
	c.inbox = c.inbox[1:]
	return text, true
}

// ended describes how the connection ended, or is "".
func (c *clientState) ended() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endedLocked()
}

func (c *clientState) endedLocked() string {
	switch {
	case c.broken == nil:
		return ""
	case c.ending == nil:
		return "the connection broke"
	}
	return fmt.Sprintf("the connection was closed with %d %q", c.ending.Code, c.ending.Reason)
}

// fail ends the test with a description, what happened to the client, and what
// went wrong in the gateway.
func (c *Client) fail(format string, args ...any) {
	c.s.tb.Helper()
	name := fmt.Sprintf("client %d (%s)", c.number, c.s.path(c.target))
	c.s.tb.Fatalf("gatewaytest: %s: %s%s%s", name, fmt.Sprintf(format, args...), c.story(), c.s.log.story())
}

// maxShown is how many bytes of a message a failure shows. Our own choice.
const maxShown = 500

// quote returns a message for a failure.
func quote(text string) string {
	if len(text) > maxShown {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:maxShown], ""), len(text))
	}
	if text == "" || strings.ContainsFunc(text, unicode.IsControl) || strings.TrimSpace(text) != text {
		return fmt.Sprintf("%q", text)
	}
	return text
}
