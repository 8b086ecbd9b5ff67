package rest

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// acceptsJSON reports whether a client accepts application/json (RFC 9110, section
// 12.5.1). The most specific range that matches counts. A client that does not say
// accepts everything.
func acceptsJSON(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	specific := map[string]int{"*/*": 1, "application/*": 2, "application/json": 3}
	best, accepted := 0, false
	for each := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		mediaType, parameters, err := mime.ParseMediaType(each)
		if err != nil || specific[mediaType] <= best {
			continue
		}
		weight, err := strconv.ParseFloat(parameters["q"], 64)
		best, accepted = specific[mediaType], err != nil || weight > 0
	}
	return accepted
}

// body reads the body of a request: JSON, or nothing. It reads no more than one byte
// beyond the largest message, which the hub then refuses. The charset is UTF-8 whatever
// the parameter says (RFC 8259, section 11).
func body(r *http.Request) ([]byte, error) {
	if value := r.Header.Get("Content-Type"); value != "" {
		if mediaType, _, err := mime.ParseMediaType(value); err != nil || mediaType != "application/json" {
			return nil, errMediaType
		}
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, errMediaType
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, wire.MaxMessage+1))
	if err != nil {
		return nil, &wire.Error{Code: wire.CodeBadJSON, Message: "the body ended early"}
	}
	return data, nil
}
