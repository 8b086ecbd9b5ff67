package gatewaytest

import (
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
)

// bodyTimeout is how long the body of a request may take to arrive. Slower
// senders are cut off, so that they do not hold the connection.
const bodyTimeout = 30 * time.Second

// serveConnection serves /{stage}/@connections/{id}. Without Credentials,
// anyone who can reach the port can manage connections.
func (g *Gateway) serveConnection(w http.ResponseWriter, r *http.Request, connectionID string) {
	// A writer without deadlines has no network connection that could be held.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	data, refusal := g.readBody(r, connectionID)
	if refusal != nil {
		g.refuse(w, r, refusal, refusal.Message)
		return
	}
	switch r.Method {
	case http.MethodPost:
		if err := g.PostToConnection(r.Context(), connectionID, data); err != nil {
			g.writeError(w, err) // PostToConnection has logged it
			return
		}
		g.writeJSON(w, http.StatusOK, "", nil)
	case http.MethodGet:
		info, err := g.GetConnection(r.Context(), connectionID)
		if err != nil {
			g.refuse(w, r, err, "")
			return
		}
		g.writeJSON(w, http.StatusOK, "", info.encode())
	case http.MethodDelete:
		if err := g.DeleteConnection(r.Context(), connectionID); err != nil {
			g.refuse(w, r, err, "")
			return
		}
		g.writeJSON(w, http.StatusNoContent, "", nil)
	default:
		g.refuse(w, r, ErrForbidden, "a connection has the methods GET, POST and DELETE")
	}
}

// readBody reads the body of a request, and checks its signature if Credentials
// are set. Of a body that is too long it returns one byte more than allowed,
// which is enough to detect it; the rest only counts for the signature.
func (g *Gateway) readBody(r *http.Request, connectionID string) ([]byte, *Error) {
	body := io.LimitReader(r.Body, maxPayloadBytes)
	data, err := io.ReadAll(io.LimitReader(body, maxMessageBytes+1))
	if err != nil {
		return nil, ErrBadRequest
	}
	if len(g.credentials) == 0 {
		return data, nil
	}
	hash := sha256.New()
	hash.Write(data)
	if _, err := io.Copy(hash, body); err != nil {
		return nil, ErrBadRequest
	}
	resource := fmt.Sprintf("%s/%s/@connections/%s", g.stageARN(), r.Method, connectionID) // G-MGMT-2
	payloadHash := hex.EncodeToString(hash.Sum(nil))
	if _, refusal := g.checkCredential(r, payloadHash, resource, manageAction, invokeAction); refusal != nil {
		return nil, refusal
	}
	return data, nil
}

// encode returns the JSON of GET @connections (G-MGMT-4).
func (i ConnectionInfo) encode() []byte {
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

// writeError writes an error of the management API, or of a request that is no
// handshake. A 410 has no body (G-MGMT-5).
func (g *Gateway) writeError(w http.ResponseWriter, err error) {
	apiErr := ErrInternal
	errors.As(err, &apiErr)
	if apiErr.StatusCode == http.StatusUpgradeRequired {
		w.Header()["Upgrade"] = []string{"websocket"}
		w.Header()["Sec-WebSocket-Version"] = []string{"13"}
	}
	if apiErr.StatusCode == http.StatusGone {
		g.writeJSON(w, apiErr.StatusCode, apiErr.Code, nil)
		return
	}
	g.writeJSON(w, apiErr.StatusCode, apiErr.Code, errorBody(apiErr.Message))
}

// errorBody is the body of an error response (G-MGMT-14).
func errorBody(text string) []byte {
	body, _ := plainjson.Encode(map[string]string{"message": text}) // cannot fail
	return body
}

// writeJSON writes a response with the headers of G-MGMT-14, in the service's
// letter case.
func (g *Gateway) writeJSON(w http.ResponseWriter, status int, errorType string, body []byte) {
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

// errorTypes are the values of x-amzn-ErrorType by status, where nothing else
// determines them. They are assumed, from those of REST APIs (G-HANDSHAKE-19).
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

// statusError returns the error for a status, with its usual code and message.
func statusError(status int) *Error {
	return &Error{StatusCode: status, Code: errorTypes[status], Message: http.StatusText(status)}
}
