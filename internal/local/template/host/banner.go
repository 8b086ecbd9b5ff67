package host

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/inspector"
	"github.com/securecart/hub/internal/local/shell"
	"github.com/securecart/hub/internal/redact"
)

// WriteBanner writes what is served, what is not, and what to type.
func (h *Host) WriteBanner(w io.Writer, version string) error {
	api := h.api.API
	base := "://" + h.opts.Addr + "/" + api.Stage
	var b strings.Builder
	fmt.Fprintf(&b, "localhub %s, the WebSocket API %s of %s\n", version, h.api.ID, h.opts.File)
	fmt.Fprintf(&b, "  socket        ws%s\n  @connections  http%s/@connections\n", base, base)
	fmt.Fprintf(&b, "  routes        %s\n", strings.Join(slices.Sorted(maps.Keys(api.Routes)), "  "))
	if h.opts.AdminAddr != "" {
		fmt.Fprintf(&b, "  admin         http://%s/admin/\n  inspector     http://%s%s\n",
			h.opts.AdminAddr, h.opts.AdminAddr, inspector.Path)
	}
	for _, f := range h.running {
		fmt.Fprintf(&b, "  function      %s  %s\n", f.id, f.where)
	}
	h.writeServices(&b)
	h.writeEndpoints(&b)
	if h.requiresSignatures() {
		what := "requests to @connections"
		if api.IAM {
			what += " and handshakes"
		}
		fmt.Fprintf(&b, "\nsign %s with AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n",
			what, account.Credential.AccessKeyID, account.Credential.SecretAccessKey)
	}
	writeNotImitated(&b, h.api.NotImitated)
	if !h.trustsSystem {
		b.WriteString("note: this system has no file of roots, so functions trust localhub alone\n")
	}
	for _, note := range h.api.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	fmt.Fprintf(&b, "\n  npx wscat -c ws%s\n\nInterrupt (ctrl-c) to end.\n", base)
	_, err := io.WriteString(w, redact.PrintableLines(b.String()))
	return err
}

// writeEndpoints says how functions that the developer starts get their variables.
func (h *Host) writeEndpoints(b *strings.Builder) {
	if len(h.endpoints) == 0 {
		return
	}
	b.WriteString("\nbefore you start one of these functions, in its terminal:\n")
	for _, f := range h.endpoints {
		fmt.Fprintf(b, "  source %s\n", shell.Word(h.envFile(f.ID)))
	}
}

// writeNotImitated lists the resources of the template that nothing imitates, with
// their number by type.
func writeNotImitated(b *strings.Builder, types map[string]int) {
	if len(types) == 0 {
		return
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(types)) {
		list = append(list, fmt.Sprintf("%s (%d)", name, types[name]))
	}
	fmt.Fprintf(b, "\nnot imitated: %s\n", strings.Join(list, ", "))
}
