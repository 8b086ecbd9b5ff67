package gatewaytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// errorTypes are the x-amzn-ErrorType headers by status, where nothing else
// tells. They are assumed, from those of REST APIs (G-HANDSHAKE-19).
var errorTypes = map[int]string{
	http.StatusBadRequest:          "BadRequestException",
	http.StatusUnauthorized:        "UnauthorizedException",
	http.StatusForbidden:           "ForbiddenException",
	http.StatusNotFound:            "NotFoundException",
	http.StatusGone:                "GoneException",
	http.StatusUpgradeRequired:     "UpgradeRequiredException",
	http.StatusTooManyRequests:     "LimitExceededException",
	http.StatusInternalServerError: "InternalServerErrorException",
	http.StatusBadGateway:          "InternalServerErrorException",
	http.StatusServiceUnavailable:  "ServiceUnavailableException",
	http.StatusGatewayTimeout:      "InternalServerErrorException",
}

// errorOf is the answer with a status and what goes with it.
func errorOf(status int) *Error {
	return &Error{StatusCode: status, Code: errorTypes[status], Message: http.StatusText(status)}
}

// PostToConnection sends data to a connection as one text message. It answers
// as the HTTP POST does: nil, or an *Error that errors.Is compares with
// ErrGone, ErrLimitExceeded, ErrPayloadTooLarge and ErrBadRequest. Nil says
// that the message is accepted, not that the client has read it (G-MGMT-16).
//
// It does not wait for the client: a reader that is too slow is
// ErrLimitExceeded. Messages posted one after the other arrive in that order
// (G-ORDER-5). The data is not copied, so that one slice can be posted to many
// connections; it must not be changed afterwards.
func (g *Gateway) PostToConnection(ctx context.Context, connectionID string, data []byte) error {
	err := g.post(ctx, connectionID, data)
	g.counters.countPost(err)
	return err
}

func (g *Gateway) post(ctx context.Context, connectionID string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !g.accountBucket.take(g.Now()) {
		return ErrLimitExceeded
	}
	c := g.lookup(connectionID)
	if c == nil && !validID(connectionID) {
		return invalidConnectionID(connectionID)
	}
	if len(data) > maxMessageBytes {
		return ErrPayloadTooLarge
	}
	if err := g.misbehave(ctx, connectionID); err != nil {
		return err
	}
	if c == nil {
		return ErrGone
	}
	if status := g.api.Assumptions.EmptyPostStatus; len(data) == 0 && status != http.StatusOK {
		return errorOf(status) // G-MGMT-18
	}
	if !g.api.Assumptions.PostsUnchanged {
		data = textOf(data) // G-FRAME-5
	}
	if err := c.enqueue(data); err != nil {
		return err
	}
	c.touch(g.Now())
	return nil
}

// find returns an open connection, or what the management API answers.
func (g *Gateway) find(ctx context.Context, connectionID string) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !g.accountBucket.take(g.Now()) {
		return nil, ErrLimitExceeded
	}
	c := g.lookup(connectionID)
	switch {
	case c == nil && !validID(connectionID):
		return nil, invalidConnectionID(connectionID)
	case c == nil || !c.isOpen():
		return nil, ErrGone
	}
	return c, nil
}

// GetConnection tells about an open connection.
func (g *Gateway) GetConnection(ctx context.Context, connectionID string) (ConnectionInfo, error) {
	c, err := g.find(ctx, connectionID)
	if err != nil {
		return ConnectionInfo{}, err
	}
	return c.info(), nil
}

// DeleteConnection closes an open connection with 1000 "Connection Closed
// Normally" (G-CLOSE-4), after what was posted before. $disconnect runs when
// the connection is closed (G-DISC-3), which may be after DeleteConnection has
// returned; posts are gone at once.
func (g *Gateway) DeleteConnection(ctx context.Context, connectionID string) error {
	return g.closeWith(ctx, connectionID, ws.CloseNormal, reasonDeleted)
}

// closeWith closes an open connection, or says what the management API answers.
func (g *Gateway) closeWith(ctx context.Context, connectionID string, code int, reason string) error {
	c, err := g.find(ctx, connectionID)
	if err != nil {
		return err
	}
	if !c.startClose(code, reason) {
		return ErrGone
	}
	return nil
}

// bodyWithin is how long the body of a request may take to arrive. Who sends it
// slower is cut off, and holds nothing.
const bodyWithin = 30 * time.Second

// serveConnection serves /{stage}/@connections/{id}. Without Credentials,
// whoever reaches the port may manage.
func (g *Gateway) serveConnection(w http.ResponseWriter, r *http.Request, connectionID string) {
	// A writer without deadlines is no connection that somebody could hold.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin))
	data, err := g.readBody(r, connectionID)
	if err != nil {
		g.answerError(w, err)
		return
	}
	switch r.Method {
	case http.MethodPost:
		if err := g.PostToConnection(r.Context(), connectionID, data); err != nil {
			g.answerError(w, err)
			return
		}
		g.answerJSON(w, http.StatusOK, "", nil)
	case http.MethodGet:
		info, err := g.GetConnection(r.Context(), connectionID)
		if err != nil {
			g.answerError(w, err)
			return
		}
		g.answerJSON(w, http.StatusOK, "", info.body())
	case http.MethodDelete:
		if err := g.DeleteConnection(r.Context(), connectionID); err != nil {
			g.answerError(w, err)
			return
		}
		g.answerJSON(w, http.StatusNoContent, "", nil)
	default:
		g.answerError(w, ErrForbidden)
	}
}

// readBody reads the body of a request and checks its signature, if that is
// asked. Of a body that is too long it returns one byte more than allowed, which
// is enough to know; the rest counts for the signature only.
func (g *Gateway) readBody(r *http.Request, connectionID string) ([]byte, error) {
	hash := sha256.New()
	body := io.TeeReader(io.LimitReader(r.Body, maxPayloadBytes), hash)
	data, err := io.ReadAll(io.LimitReader(body, maxMessageBytes+1))
	if err != nil {
		return nil, ErrBadRequest
	}
	if len(g.credentials) == 0 {
		return data, nil
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return nil, ErrBadRequest
	}
	resource := fmt.Sprintf("%s/%s/@connections/%s", g.stageARN(), r.Method, connectionID) // G-MGMT-2
	if _, refused := g.permit(r, hex.EncodeToString(hash.Sum(nil)), resource, manageAction, invokeAction); refused != nil {
		return nil, refused
	}
	return data, nil
}

// body is the JSON of GET @connections (G-MGMT-4).
func (i ConnectionInfo) body() []byte {
	const iso8601 = "2006-01-02T15:04:05.000Z"
	type who struct {
		SourceIP  string `json:"sourceIp"`
		UserAgent string `json:"userAgent,omitempty"`
	}
	b, _ := json.Marshal(struct { // strings only: cannot fail
		ConnectedAt  string `json:"connectedAt"`
		Identity     who    `json:"identity"`
		LastActiveAt string `json:"lastActiveAt"`
	}{
		i.ConnectedAt.UTC().Format(iso8601),
		who{i.SourceIP, i.UserAgent},
		i.LastActiveAt.UTC().Format(iso8601),
	})
	return b
}

// answerError writes an error of the management API; 410 has no body
// (G-MGMT-5).
func (g *Gateway) answerError(w http.ResponseWriter, err error) {
	answer := ErrInternal
	errors.As(err, &answer)
	if answer.StatusCode == http.StatusGone {
		g.answerJSON(w, answer.StatusCode, answer.Code, nil)
		return
	}
	g.answerJSON(w, answer.StatusCode, answer.Code, messageBody(answer.Message))
}

// messageBody is the body of an error answer (G-MGMT-14).
func messageBody(text string) []byte {
	body, _ := plainjson.Encode(map[string]string{"message": text}) // cannot fail
	return body
}

// answerJSON writes an answer with the headers of G-MGMT-14, in the service's
// letter case.
func (g *Gateway) answerJSON(w http.ResponseWriter, status int, errorType string, body []byte) {
	if status < 200 || status > 999 {
		status = http.StatusInternalServerError // an Error of FailNext; net/http would panic
	}
	h := w.Header()
	h["x-amzn-RequestId"] = []string{newUUID()}
	h["x-amz-apigw-id"] = []string{newRequestID(g.Now())}
	if errorType != "" {
		h["x-amzn-ErrorType"] = []string{errorType}
	}
	if len(body) > 0 {
		h.Set("Content-Type", "application/json")
	}
	if status == http.StatusNotModified {
		body = nil // HTTP allows none
	}
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
