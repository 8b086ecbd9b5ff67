package rest

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/stockjson"
	"github.com/securecart/hub/internal/strictjson"
	"github.com/securecart/hub/internal/wire"
)

const (
	// maxBulkBody is the largest body of POST /v1/inventory, in bytes. Lambda takes 6 MB
	// of event, in which a quote has two bytes.
	maxBulkBody = 1 << 20
	// maxBulkLines is how many changes such a body has. Each waits for two writes, and
	// together they take less than the ten seconds of the function.
	maxBulkLines = 500
)

// vendorTopic begins the topic of a vendor's list.
const vendorTopic = "vendor:"

// getInventory answers with a page of the caller's list of SKUs, or of that of the vendor
// that the query names.
func (a api) getInventory(r *http.Request) (reply, error) {
	c, err := a.user(r)
	if err != nil {
		return reply{}, err
	}
	if c, err = a.h.Admit(r.Context(), c, 0); err != nil {
		return reply{}, err
	}
	query := r.URL.Query()
	vendor := c.Principal.Vendor
	if query.Has("vendor") {
		vendor = query.Get("vendor")
	}
	if vendor == "" {
		return reply{}, hub.ErrForbidden
	}
	fields := map[string]any{"topics": []string{vendorTopic + vendor}}
	if query.Has("after") {
		fields["after"] = query.Get("after")
	}
	request, err := wire.DecodeFields(wire.ActionGet, nil, fields)
	if err != nil {
		return reply{}, err
	}
	s, err := a.h.Get(r.Context(), c, request)
	if err != nil {
		return reply{}, err
	}
	if code, refused := s.Refused[vendorTopic+vendor]; refused {
		return reply{}, a.refusal(code)
	}
	body := wire.Encode(s)
	return reply{body: body, tag: bodyTag(body), cache: privateStock}, nil
}

// putItem changes the stock of one SKU.
func (a api) putItem(r *http.Request) (reply, error) {
	c, text, err := a.change(r)
	if err != nil {
		return reply{}, err
	}
	var change hub.StockChange
	if err := strictjson.Decode(text, &change); err != nil {
		return reply{}, &wire.Error{Code: wire.CodeBadField, Message: err.Error()}
	}
	if tags := r.Header.Values("If-Match"); len(tags) > 0 && strings.TrimSpace(tags[0]) != "*" {
		version, err := itemVersion(tags)
		if err != nil {
			return reply{}, err
		}
		if change.Version != nil && *change.Version != version {
			return reply{}, &wire.Error{Code: wire.CodeBadField, Message: `"version" is not that of If-Match`}
		}
		change.Version = &version
	}
	item, err := a.h.VendorStock(r.Context(), c.Principal, r.PathValue("sku"), change)
	if err != nil && !errors.Is(err, hub.ErrOlder) {
		return reply{}, err
	}
	return reply{body: encode(stockjson.NewItem(item, err)), tag: itemTag(item.Version)}, nil
}

// change returns who changes stock, and the body of the request.
func (a api) change(r *http.Request) (hub.Connection, []byte, error) {
	c, err := a.user(r)
	if err != nil {
		return c, nil, err
	}
	text, err := body(r)
	if err == nil {
		c, err = a.h.Admit(r.Context(), c, len(text))
	}
	return c, text, err
}

// itemTag returns the entity tag of an item.
func itemTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// itemVersion returns the version of an item's entity tag.
func itemVersion(tags []string) (int64, error) {
	tag := strings.TrimSpace(strings.Join(tags, ","))
	version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || tag != itemTag(version) {
		return 0, &wire.Error{Code: wire.CodeConflict, Message: `If-Match has one tag as PUT returns it: "<version>"`}
	}
	return version, nil
}

// ndjson are the media types of bodies with a JSON object in each line. None is
// registered.
var ndjson = []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}

// postInventory changes the stock of many SKUs: NDJSON, one change a line. The request
// counts as one.
func (a api) postInventory(r *http.Request) (reply, error) {
	c, err := a.user(r)
	if err != nil {
		return reply{}, err
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(ndjson, mediaType) || r.Header.Get("Content-Encoding") != "" {
		return reply{}, errNDJSON
	}
	if c, err = a.h.Admit(r.Context(), c, 0); err != nil {
		return reply{}, err
	}
	// Before its lines cost anything:
	if c, err = a.h.Current(r.Context(), c); err != nil {
		return reply{}, err
	}
	switch {
	case !c.Principal.MaySeeExact():
		return reply{}, hub.ErrForbidden
	case !c.Principal.Active(a.h.Now()):
		return reply{}, a.refusal(wire.CodeTokenExpired)
	}
	changes := stockjson.Changes{
		Put: func(ctx context.Context, sku string, change hub.StockChange) (hub.Item, error) {
			return a.h.VendorStock(ctx, c.Principal, sku, change)
		},
		Problem:  func(err error) stockjson.Problem { return a.lineProblem(r, err) },
		MaxLines: maxBulkLines, MaxBody: maxBulkBody,
	}
	result := changes.Write(r.Context(), http.MaxBytesReader(nil, io.NopCloser(r.Body), maxBulkBody))
	return reply{status: result.Status(), body: encode(result)}, nil
}

// lineProblem is what a client learns of an error of one line.
func (a api) lineProblem(r *http.Request, err error) stockjson.Problem {
	failure, internal := handler.ClientError(err)
	if internal {
		log := a.logger(r)
		log.ErrorContext(r.Context(), "rest", "resource", r.Pattern, "error", err)
	}
	return stockjson.NewProblem(failure.Code, failure.Message)
}

var errNDJSON error = &wire.Error{
	Code: codeMediaType, Message: "send one JSON object a line, as application/x-ndjson, not encoded",
}
