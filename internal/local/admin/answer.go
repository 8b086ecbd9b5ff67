package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/stockjson"
	"github.com/securecart/hub/internal/strictjson"
	"github.com/securecart/hub/internal/wire"
)

// maxBody is the largest body of a request, in bytes, except of POST /admin/stock. Our
// own choice: no request needs a tenth of it.
const maxBody = stockjson.MaxLine

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have closed its connection
}

// refuse answers with an error code and its status.
func refuse(w http.ResponseWriter, code wire.Code, message string) {
	reply(w, handler.Status(code), stockjson.NewProblem(code, message))
}

func notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, hub.CodeNotFound, fmt.Sprintf("nothing is served at %s %s", r.Method, r.URL.Path))
}

// problemOf is what a client learns of an error. It logs an internal error, of which
// clients learn no details.
func (a core) problemOf(err error) stockjson.Problem {
	failure, internal := handler.ClientError(err)
	if internal {
		a.Log.Error("admin", "error", err)
	}
	return stockjson.NewProblem(failure.Code, failure.Message)
}

func (a core) fail(w http.ResponseWriter, err error) {
	p := a.problemOf(err)
	refuse(w, p.Code, p.Message)
}

// decodeBody reads one JSON object into v. If it returns false, it has answered.
func decodeBody(w http.ResponseWriter, r *http.Request, v any) bool {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		refuse(w, wire.CodeTooBig, fmt.Sprintf("a body has at most %d bytes", maxBody))
		return false
	case err != nil:
		refuse(w, wire.CodeBadField, "the body ended early")
		return false
	}
	if err := strictjson.Decode(data, v); err != nil {
		refuse(w, wire.CodeBadField, err.Error())
		return false
	}
	return true
}
