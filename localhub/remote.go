package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
)

// defaultAdmin is the address of the admin API.
const defaultAdmin = "127.0.0.1:8788"

// answerTimeout is how long a localhub may take to answer a short request. Our own choice.
const answerTimeout = 10 * time.Second

// endpoint is a running localhub, or another hub, with the token that it requires.
type endpoint struct {
	base     urlFlag
	token    secretFlag
	variable string // of the environment, with the token if the flag is missing
	flag     string // with which another address is chosen
}

// doorSchemes are of the addresses at which a hub has its HTTP API: where localhub has its
// sockets, and RestUrl of a stack.
var doorSchemes = []string{"ws", "wss", "http", "https"}

// adminFlags defines the flags of the words that use the admin API.
func (e *endpoint) adminFlags(fs *pflag.FlagSet) {
	e.base, e.variable = urlFlag{"http://" + defaultAdmin, []string{"http", "https"}}, "LOCALHUB_ADMIN_TOKEN"
	e.flag = "-admin"
	fs.Var(&e.base, "admin", "`URL` admin API; http:// may be left out")
	fs.Var(&e.token, "admin-token", "`TOKEN|@FILE` token of the hub's -admin-token, if it has one "+
		"(default: "+e.variable+" of the environment)")
}

// doorFlags defines the flags of the words that use the hub as its clients do.
func (e *endpoint) doorFlags(fs *pflag.FlagSet) {
	e.urlFlags(fs, "socket of the hub, or its HTTP API: RestUrl with the version")
	e.tokenFlags(fs)
}

// socketFlags defines the flags of the words that open a socket.
func (e *endpoint) socketFlags(fs *pflag.FlagSet) {
	e.urlOnly(fs)
	e.tokenFlags(fs)
}

// urlOnly defines the flag of a word that brings its own tokens.
func (e *endpoint) urlOnly(fs *pflag.FlagSet) { e.urlFlags(fs, "socket of the hub") }

func (e *endpoint) urlFlags(fs *pflag.FlagSet, what string) {
	e.base = urlFlag{"ws://127.0.0.1:8787/" + defaultStage, doorSchemes}
	e.flag = "-url"
	fs.Var(&e.base, "url", "`URL` "+what+"; ws:// may be left out")
}

func (e *endpoint) tokenFlags(fs *pflag.FlagSet) {
	e.variable = "LOCALHUB_TOKEN"
	fs.Var(&e.token, "token", "`TOKEN|@FILE` token of a user (default: "+e.variable+" of the environment, "+
		"or none: a guest)")
}

// currentToken is the token of the flag, or else of the variable.
func (e *endpoint) currentToken() (string, error) {
	token := e.token
	if value := os.Getenv(e.variable); token.value == "" && value != "" {
		if err := token.Set(value); err != nil {
			return "", usagef("%s: %w", e.variable, err)
		}
	}
	return token.value, nil
}

// authorize puts the token into the header of a request.
func (e *endpoint) authorize(r *http.Request) error {
	token, err := e.currentToken()
	if err == nil && token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return err
}

// urlFlag is the URL of a server. It has no user and no query: they would be secrets.
type urlFlag struct {
	text    string
	schemes []string // the first may be left out
}

func (u *urlFlag) String() string { return u.text }

func (u *urlFlag) Type() string { return "url" }

func (u *urlFlag) Set(text string) error {
	if !strings.Contains(text, "://") {
		text = u.schemes[0] + "://" + text
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" ||
		!slices.Contains(u.schemes, parsed.Scheme) {
		return fmt.Errorf("it must be an address such as %s", cmp.Or(u.text, u.schemes[0]+"://127.0.0.1:9000"))
	}
	u.text = strings.TrimSuffix(text, "/")
	return nil
}

// http returns the URL for requests over HTTP: that of a socket has another scheme.
func (u *urlFlag) http() string {
	if rest, isSocket := strings.CutPrefix(u.text, "ws"); isSocket {
		return "http" + rest
	}
	return u.text
}

// socket returns the URL for WebSockets.
func (u *urlFlag) socket() string {
	if rest, isHTTP := strings.CutPrefix(u.text, "http"); isHTTP {
		return "ws" + rest
	}
	return u.text
}

// refusal is an answer that is an error: of the admin API, or a problem document.
type refusal struct {
	Code, Message, Detail string
	status                string
}

func (r *refusal) Error() string { return cmp.Or(r.Message, r.Detail, r.Code, r.status) }

// ask sends a request and returns the body of an answer with one of these statuses, or with
// 200. Other answers are a refusal.
func (e *endpoint) ask(ctx context.Context, method, path string, body io.Reader, statuses ...int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.base.http()+path, body)
	if err != nil {
		return nil, err
	}
	sent := &sentBody{Reader: body}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Body = sent
	}
	if err := e.authorize(req); err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if unread := sent.err.Load(); unread != nil {
		return nil, *unread // the hub has nothing to do with it
	}
	if err != nil {
		return nil, e.noAnswer(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer of %s ended early: %w", e.base.text, err)
	case !json.Valid(data):
		return nil, fmt.Errorf("the program at %s is not a localhub: it answered %s%s", e.base.text, resp.Status, e.hint())
	case resp.StatusCode == http.StatusOK || slices.Contains(statuses, resp.StatusCode):
		return bytes.TrimSpace(data), nil
	}
	refused := refusal{status: resp.Status}
	_ = json.Unmarshal(data, &refused) // without its fields, the status says it
	return nil, &refused
}

// hint says what may be wrong with the URL of a hub.
func (e *endpoint) hint() string {
	u, err := url.Parse(e.base.text)
	if err != nil || u.Path != "" || !slices.Equal(e.base.schemes, doorSchemes) {
		return ""
	}
	return "; the URL of a hub ends with the version, such as /" + defaultStage
}

// sentBody keeps the error of a body that could not be read. The transport may still read it
// when it has returned.
type sentBody struct {
	io.Reader
	err atomic.Pointer[error]
}

func (s *sentBody) Read(p []byte) (n int, err error) {
	if n, err = s.Reader.Read(p); err != nil && err != io.EOF {
		s.err.Store(&err)
	}
	return n, err
}

func (s *sentBody) Close() error { return nil }

// askShort is ask for a request that is answered at once.
func (e *endpoint) askShort(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if body == nil {
		return e.ask(ctx, method, path, nil)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return e.ask(ctx, method, path, bytes.NewReader(text))
}

// askInto reads what a path of the admin API has.
func (e *endpoint) askInto(ctx context.Context, path string, into any) error {
	body, err := e.askShort(ctx, http.MethodGet, path, nil)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	return err
}

// outputFlag is the flag -output, or -o.
type outputFlag struct{ enumFlag }

func (o *outputFlag) flags(fs *pflag.FlagSet) {
	o.enumFlag = enumFlag{"text", []string{"json", "text"}}
	fs.VarP(o, "output", "o", "`json|text` how answers are printed; json: as they came, one a line")
}

// print writes an answer: as it came, or in words.
func (o *outputFlag) print(w io.Writer, answer []byte, text string) error {
	if o.value == "json" {
		text = string(answer)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
