package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Pretty returns an answer as text for people: one short line for each topic or line. It
// says less than JSON does.
func Pretty(a Answer) string {
	switch a := a.(type) {
	case Hello:
		return prettyHello(a)
	case Snapshot:
		return prettySnapshot(a)
	case OK:
		return prettyOK(a)
	case *Error:
		return "error " + string(a.Code) + ": " + a.Message
	case Pong:
		return "pong"
	case Why:
		return prettyWhy(a)
	case Help:
		return strings.Join(a.Usage, "\n")
	}
	return string(Encode(a))
}

func prettyHello(h Hello) string {
	who := fmt.Sprintf("you are %s, %s", h.User, h.Role)
	if h.Vendor != "" {
		who += " of " + h.Vendor
	}
	lines := []string{who, "connection " + h.ConnectionID + ", epoch " + h.Epoch}
	switch {
	case h.Notice == CodeTokenExpired:
		lines = append(lines, "the session has ended: hello token=TOKEN")
	case h.Notice != "":
		lines = append(lines, "the token was refused: "+string(h.Notice))
	case h.ExpiresIn != nil:
		lines = append(lines, "the session ends in "+(time.Duration(*h.ExpiresIn)*time.Second).String())
	}
	return strings.Join(lines, "\n")
}

func prettySnapshot(s Snapshot) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.Topics)) {
		lines = append(lines, typedTopic(name)+" "+prettyValue(s.Topics[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Refused)) {
		lines = append(lines, typedTopic(name)+" refused: "+string(s.Refused[name]))
	}
	if s.Unchanged > 0 {
		lines = append(lines, fmt.Sprintf("%d unchanged", s.Unchanged))
	}
	if len(s.Again) > 0 {
		lines = append(lines, fmt.Sprintf("%d more did not fit: get them", len(s.Again)))
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

// states are the words of a badge.
var states = map[State]string{
	StateIn: "in stock", StateLow: "few left", StateOut: "sold out", StateBack: "on back order",
}

func prettyValue(value Value) string {
	switch v := value.(type) {
	case Badge:
		text := states[v.State]
		if v.Quantity != nil {
			text += fmt.Sprintf(", %d", *v.Quantity)
		}
		if v.Until != "" {
			text += " until " + v.Until
		}
		return fmt.Sprintf("%s (version %d)", text, v.Version)
	case Cart:
		return fmt.Sprintf("%s (version %d)", prettyLines(v.Lines), v.Version)
	case Vendor:
		names := make([]string, len(v.SKUs))
		for i, sku := range v.SKUs {
			names[i] = typedName(sku)
		}
		text := strings.Join(names, " ")
		if v.More {
			text += " ..."
		}
		return text
	}
	return ""
}

// prettyLines returns lines of a cart: "2 MUG, 1 TEE-RED-M", "no CAP" for a removed line.
func prettyLines(lines map[string]*Line) string {
	if len(lines) == 0 {
		return "empty"
	}
	var texts []string
	for _, sku := range slices.Sorted(maps.Keys(lines)) {
		count := "no"
		if l := lines[sku]; l != nil {
			count = fmt.Sprint(l.Quantity)
		}
		texts = append(texts, count+" "+typedName(sku))
	}
	return strings.Join(texts, ", ")
}

func prettyOK(ok OK) string {
	text := "ok"
	if ok.Duplicate {
		text = "ok, as before"
	}
	if len(ok.Lines) > 0 {
		text += ": " + prettyLines(ok.Lines)
	}
	text += fmt.Sprintf(" (version %d)", ok.Version)
	for _, sku := range slices.Sorted(maps.Keys(ok.Clamped)) {
		text += fmt.Sprintf("\n%s: %d of %d", typedName(sku), ok.Clamped[sku].Got, ok.Clamped[sku].Wanted)
	}
	for _, sku := range slices.Sorted(maps.Keys(ok.Skipped)) {
		text += fmt.Sprintf("\n%s skipped: %s", typedName(sku), ok.Skipped[sku])
	}
	if len(ok.Ordered) > 0 {
		var texts []string
		for _, sku := range slices.Sorted(maps.Keys(ok.Ordered)) {
			texts = append(texts, fmt.Sprint(ok.Ordered[sku], " ", typedName(sku)))
		}
		text += "\nordered: " + strings.Join(texts, ", ")
	}
	return text
}
