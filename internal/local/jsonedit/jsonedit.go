// Package jsonedit replaces names, texts and numbers in a JSON text, and keeps the rest byte for
// byte: the order of members, white space, and how a number is written.
package jsonedit

import (
	"encoding/json"
	"io"
	"strings"
)

// Part is a name, a text or a number in a JSON text.
type Part struct {
	Path   []string // names of the objects around it, and for a value its own
	Name   bool     // it is the name of a member, not a value
	Text   string   // of a name or a text
	Number string   // as it is written; "": no number
}

// Key is the name of a value, or of the array that it is in.
func (p Part) Key() string {
	if len(p.Path) == 0 || p.Name {
		return ""
	}
	return p.Path[len(p.Path)-1]
}

// Rewrite replaces parts of a JSON text and keeps the rest as it is, byte for byte. replace
// returns what stands for a part, and whether it is another: a text, or for a number any
// JSON. If text is not one JSON value, Rewrite returns false.
func Rewrite(text string, replace func(Part) (string, bool)) (string, bool) {
	w := rewriter{text: text, dec: json.NewDecoder(strings.NewReader(text)), replace: replace}
	w.dec.UseNumber()
	if w.value(nil) != nil {
		return "", false
	}
	w.out.WriteString(text[w.done:])
	_, err := w.dec.Token()
	return w.out.String(), err == io.EOF
}

type rewriter struct {
	text    string
	done    int // bytes of text that are in out
	read    int // bytes of text up to the end of the last part
	dec     *json.Decoder
	out     strings.Builder
	replace func(Part) (string, bool)
}

func (w *rewriter) value(path []string) error {
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return w.members(t, path)
	case string:
		w.part(Part{Path: path, Text: t})
	case json.Number:
		w.part(Part{Path: path, Number: t.String()})
	}
	return nil
}

// members goes through an object or an array.
func (w *rewriter) members(open json.Delim, path []string) error {
	for w.dec.More() {
		inner := path
		if open == '{' {
			token, err := w.dec.Token()
			if err != nil {
				return err
			}
			name := token.(string) // the decoder accepts nothing else here
			w.part(Part{Path: path, Name: true, Text: name})
			inner = append(path[:len(path):len(path)], name)
		}
		if err := w.value(inner); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

// part replaces the part that the decoder just read, if something stands for it.
func (w *rewriter) part(p Part) {
	end := int(w.dec.InputOffset())
	start := end - len(p.Number)
	if p.Number == "" {
		start = w.read + strings.IndexByte(w.text[w.read:end], '"') // no quote is between two parts
	}
	w.read = end
	other, replaced := w.replace(p)
	if !replaced {
		return
	}
	if p.Number == "" {
		other = quote(other)
	}
	w.out.WriteString(w.text[w.done:start] + other)
	w.done = end
}

// quote returns a text as JSON. It does not escape <, > and &, as the hub does not.
func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a Builder takes everything
	return strings.TrimSuffix(b.String(), "\n")
}
