package house

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"

	"github.com/securecart/hub/internal/handler"
)

const (
	// maxAdminBody is the largest body of one admin request in bytes.
	maxAdminBody = 64 << 10
	// maxBulkBody is the largest body of a bulk change in bytes.
	maxBulkBody = 64 << 20
	// bulkAtOnce is how many rows of a bulk change may be on the way to
	// subscribers.
	bulkAtOnce = 10_000
)

// Admin is the admin API. It serves loopback only: a request for another host, or
// from a page of another origin, is refused, so that no web page can reach it
// through somebody's browser. Other people on the machine can, unless there is an
// AdminToken.
func (h *House) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.Handle("GET /metrics", h.metrics.handler())
	mux.HandleFunc("GET /admin/stock/{sku}", h.getStock)
	mux.HandleFunc("PUT /admin/stock/{sku}", h.putStock)
	mux.HandleFunc("DELETE /admin/stock/{sku}", h.deleteStock)
	mux.HandleFunc("POST /admin/stock", h.bulkStock)
	mux.HandleFunc("PUT /vendor/stock/{sku}", h.putVendorStock)
	mux.HandleFunc("GET /admin/connections", h.listConnections)
	mux.HandleFunc("DELETE /admin/connections/{id}", h.deleteConnection)
	mux.HandleFunc("POST /admin/token", h.token)
	mux.HandleFunc("POST /admin/faults", h.faults)
	mux.HandleFunc("POST /admin/warp", h.warp)
	mux.HandleFunc("POST /v1/tickets", h.issueTicket)
	mux.HandleFunc("POST /admin/users/{user}/revoke", h.revoke)
	mux.Handle("GET /issuer/", http.StripPrefix("/issuer", h.issuer))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "not_found", fmt.Sprintf("there is no %s %s", r.Method, r.URL.Path))
	})
	return h.guard(h.wantToken(mux))
}

// guard lets through what comes from this machine and not from a foreign page: it
// stands before the admin API and before @connections, which want no token here.
func (h *House) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsLoopback(r.Host) || !IsLoopback(r.RemoteAddr) {
			refuse(w, http.StatusForbidden, "denied", "this is for this machine only")
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			own := origin == "http://"+r.Host
			if !own && !slices.Contains(h.opts.Origins, origin) {
				refuse(w, http.StatusForbidden, "denied", "this is not for pages of "+origin)
				return
			}
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Vary", "Origin")
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Methods", "GET, PUT, POST, DELETE")
				w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// IsLoopback reports whether a host, with a port or without, names this machine by an
// address or name that no foreign DNS entry can stand for.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}

// problem is what a refused request is answered.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, problem{code, message})
}

// stockProblem turns an error of the hub into an answer.
func (h *House) stockProblem(err error) (int, problem) {
	failure, internal := handler.ClientError(err)
	if internal {
		h.opts.Log.Error("admin", "error", err)
	}
	return handler.Status(failure.Code), problem{string(failure.Code), failure.Message}
}

// stock is an item as the admin API shows it.
type stock struct {
	SKU       string    `json:"sku"`
	Version   int64     `json:"version"`
	Available int       `json:"available"`
	LowAt     int       `json:"lowAt"`
	Vendor    string    `json:"vendor,omitempty"`
	UpdatedAt time.Time `json:"updatedAt"`
	Deleted   bool      `json:"deleted,omitempty"`
}

func (h *House) answerStock(w http.ResponseWriter, i hub.Item, err error) {
	if err != nil {
		status, p := h.stockProblem(err)
		reply(w, status, p)
		return
	}
	reply(w, http.StatusOK, stock{i.SKU, i.Version, i.Available, i.LowAt, i.Vendor, i.UpdatedAt, i.Deleted})
}

func (h *House) getStock(w http.ResponseWriter, r *http.Request) {
	item, err := h.hub.Stock(r.Context(), r.PathValue("sku"))
	h.answerStock(w, item, err)
}

func (h *House) putStock(w http.ResponseWriter, r *http.Request) {
	var change hub.StockChange
	if !decodeBody(w, r, &change) {
		return
	}
	item, err := h.hub.PutStock(r.Context(), r.PathValue("sku"), change)
	h.answerStock(w, item, err)
}

func (h *House) deleteStock(w http.ResponseWriter, r *http.Request) {
	item, err := h.hub.DeleteStock(r.Context(), r.PathValue("sku"))
	h.answerStock(w, item, err)
}

// decodeBody reads one JSON object into v; it answers itself if that fails.
func decodeBody(w http.ResponseWriter, r *http.Request, v any) bool {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		refuse(w, http.StatusRequestEntityTooLarge, string(wire.CodeTooBig), fmt.Sprintf("a body has at most %d bytes", maxAdminBody))
		return false
	case err != nil:
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), "the body ended early")
		return false
	}
	if err := strictJSON(data, v); err != nil {
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), err.Error())
		return false
	}
	return true
}

// strictJSON decodes exactly one object without unknown fields, and without those
// that encoding/json would take although they are written differently.
func strictJSON(data []byte, v any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("the body is empty")
	}
	if err := wire.CheckObject(data, fieldNames(reflect.TypeOf(v).Elem())); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) && kind.Field != "" {
			return fmt.Errorf("field %q is of another type: %s", kind.Field, kind.Value)
		}
		if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return fmt.Errorf("there is no field %s", field)
		}
		return fmt.Errorf("not as expected: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// fieldNames are the JSON names of the fields of a struct.
func fieldNames(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		if f.Anonymous {
			names = append(names, fieldNames(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// bulkRow is one line of a bulk change.
type bulkRow struct {
	SKU string `json:"sku"`
	hub.StockChange
}

// rowError is one line that was not done.
type rowError struct {
	Line int    `json:"line"` // from 1
	SKU  string `json:"sku,omitempty"`
	problem
}

// bulkStock changes one row for each line of NDJSON. A line with an error changes
// nothing and does not stop the others.
func (h *House) bulkStock(w http.ResponseWriter, r *http.Request) {
	lines := bufio.NewScanner(http.MaxBytesReader(w, r.Body, maxBulkBody))
	lines.Buffer(nil, maxAdminBody)
	result := struct {
		Done   int        `json:"done"`
		Failed int        `json:"failed"`
		Errors []rowError `json:"errors,omitempty"`
	}{}
	line := 0
	for lines.Scan() {
		line++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var row bulkRow
		failure := rowError{Line: line}
		if err := strictJSON(lines.Bytes(), &row); err != nil {
			failure.problem = problem{string(wire.CodeBadField), err.Error()}
		} else if _, err := h.hub.PutStock(r.Context(), row.SKU, row.StockChange); err != nil {
			failure.SKU = row.SKU
			_, failure.problem = h.stockProblem(err)
		} else {
			if result.Done++; result.Done%bulkAtOnce == 0 {
				// Not faster than it can be told: the stream's buffer has a limit.
				_ = h.Settle(r.Context())
			}
			continue
		}
		result.Failed++
		result.Errors = append(result.Errors, failure)
	}
	if err := lines.Err(); err != nil {
		result.Failed++
		result.Errors = append(result.Errors, rowError{Line: line + 1, problem: problem{string(wire.CodeTooBig),
			fmt.Sprintf("a line has at most %d bytes and a body %d; nothing from here on was done", maxAdminBody, maxBulkBody)}})
	}
	reply(w, http.StatusOK, result)
}

// listConnections shows what the gateway holds and what is recorded of it.
func (h *House) listConnections(w http.ResponseWriter, r *http.Request) {
	type entry struct {
		ConnectionID string    `json:"connectionId"`
		User         string    `json:"user"`
		Role         hub.Role  `json:"role"`
		ConnectedAt  time.Time `json:"connectedAt"`
		LastActiveAt time.Time `json:"lastActiveAt"`
		Topics       []string  `json:"topics"`
	}
	all := []entry{}
	for _, live := range h.gateway.Connections() {
		c, err := h.store.Connection(r.Context(), live.ConnectionID)
		if err != nil && !errors.Is(err, hub.ErrGone) {
			h.opts.Log.Error("admin", "error", err)
			refuse(w, http.StatusInternalServerError, string(wire.CodeInternal), "something went wrong")
			return
		}
		e := entry{live.ConnectionID, c.Principal.User, c.Principal.Role, live.ConnectedAt, live.LastActiveAt, []string{}}
		for _, t := range c.Topics {
			e.Topics = append(e.Topics, t.String())
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.ConnectionID, b.ConnectionID) })
	reply(w, http.StatusOK, map[string]any{"connections": all})
}

func (h *House) deleteConnection(w http.ResponseWriter, r *http.Request) {
	err := h.gateway.DeleteConnection(r.Context(), r.PathValue("id"))
	var refused *gatewaytest.Error
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.As(err, &refused):
		refuse(w, refused.StatusCode, refused.Code, cmp.Or(refused.Message, "there is no such connection"))
	default:
		h.opts.Log.Error("admin", "error", err)
		refuse(w, http.StatusInternalServerError, string(wire.CodeInternal), "something went wrong")
	}
}

// Token makes a token of the dev issuer.
func (h *House) Token(user string, role hub.Role, vendor string) (token string, expires time.Time, err error) {
	return h.issuer.Token(issuer.Claims{User: user, Role: string(role), Vendor: vendor, TTL: tokenTTL, Now: h.now()})
}

func (h *House) token(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		User   string   `json:"user"`
		Role   hub.Role `json:"role"`
		Vendor string   `json:"vendor"`
	}
	if !decodeBody(w, r, &asked) {
		return
	}
	role := cmp.Or(asked.Role, hub.RoleCustomer)
	switch {
	case asked.User == "":
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), `"user" is missing`)
		return
	case role != hub.RoleCustomer && role != hub.RoleVendor && role != hub.RoleAdmin:
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), `"role" is customer, vendor or admin`)
		return
	case role == hub.RoleVendor && !wire.IsName(asked.Vendor):
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), `a vendor's token wants a "vendor"`)
		return
	}
	token, expires, err := h.Token(asked.User, role, asked.Vendor)
	if err != nil {
		h.opts.Log.Error("token", "error", err)
		refuse(w, http.StatusInternalServerError, string(wire.CodeInternal), "something went wrong")
		return
	}
	reply(w, http.StatusOK, map[string]any{"token": token, "expires": expires.UnixMilli()})
}
