package replay

import (
	"fmt"
	"io"
)

// Difference is the first thing in a conversation that is not as recorded.
type Difference struct {
	Frame    int    `json:"frame"`          // the number of the frame that the client got, from 1; 0: the handshake
	Kind     string `json:"kind"`           // of the frame: "delta"
	Path     string `json:"path,omitempty"` // in the frame: `topics["sku:MUG"].quantity`; "": all of it
	Got      string `json:"got"`            // all of it; "none" if it is not there
	Recorded string `json:"recorded"`       // all of it; "none" if it was not there

	GotFrame      string `json:"gotFrame,omitempty"`      // the whole text; "": none came
	RecordedFrame string `json:"recordedFrame,omitempty"` // the whole text; "": none was recorded
}

// String returns the difference as localhub replay prints it: one line.
func (d Difference) String() string {
	where := fmt.Sprintf("frame %d  %s: ", d.Frame, d.Kind)
	if d.Frame == 0 {
		where = d.Kind + ": "
	}
	if d.Path != "" {
		where += d.Path + " "
	}
	got, recorded := around(d.Got, d.Recorded)
	return where + got + ", recorded " + recorded
}

// Conversation is the result for one connection.
type Conversation struct {
	Name       string      `json:"conn"`                // the connection's stand-in
	Frames     int         `json:"frames"`              // that the recording has for the client
	NotPlayed  bool        `json:"notPlayed,omitempty"` // without an admin API, nobody can sign the client in
	Difference *Difference `json:"difference"`          // null: alike
}

// Result has all conversations, in the order in which they were opened.
type Result []Conversation

// Differing counts the conversations that differ.
func (r Result) Differing() (n int) {
	for _, c := range r {
		if c.Difference != nil {
			n++
		}
	}
	return n
}

// NotPlayed counts the conversations that were not played.
func (r Result) NotPlayed() (n int) {
	for _, c := range r {
		if c.NotPlayed {
			n++
		}
	}
	return n
}

// Print writes the first difference of each conversation that has one, and a summary.
func (r Result) Print(w io.Writer) error {
	width := 0
	for _, c := range r {
		if c.Difference != nil {
			width = max(width, len(c.Name))
		}
	}
	for _, c := range r {
		if c.Difference == nil {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, c.Name, c.Difference); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, r.summary())
	return err
}

func (r Result) summary() string {
	differ, skipped := r.Differing(), r.NotPlayed()
	alike := len(r) - differ - skipped
	var text string
	switch {
	case differ+skipped > 0:
		text = fmt.Sprintf("%d of %d conversations alike", alike, len(r))
	case len(r) == 1:
		text = "1 conversation alike"
	default:
		text = fmt.Sprintf("%d conversations alike", len(r))
	}
	switch {
	case differ == 1:
		text += ", 1 differs"
	case differ > 1:
		text += fmt.Sprintf(", %d differ", differ)
	}
	if skipped > 0 {
		text += fmt.Sprintf(", %d not played without an admin API", skipped)
	}
	return text
}
