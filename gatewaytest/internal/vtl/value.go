package vtl

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// A value is nil, a bool, a string, a json.Number (from JSON, as written), an int64
// or a float64 (calculated), a *List, a *Map, or a *block of #define.
type value = any

// List is a list. Like Java's, it is shared by all who refer to it.
type List struct {
	items []value
	json  bool // from JSON: its text is JSON too
}

// Map is a JSON object, or a map of a template. It keeps the order of its keys.
type Map struct {
	keys   []string
	values map[string]value
}

// NewMap returns an empty Map.
func NewMap() *Map { return &Map{values: map[string]value{}} }

// Get returns the value of a key, or nil.
func (m *Map) Get(key string) any { return m.values[key] }

// Put sets the value of a key: a string, a bool, a number as json.Number, a *List or
// a *Map.
func (m *Map) Put(key string, v any) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = v
}

// list returns the values in the order of their keys.
func (m *Map) list() *List {
	list := &List{}
	for _, key := range m.keys {
		list.items = append(list.items, m.values[key])
	}
	return list
}

// keyList returns the keys.
func (m *Map) keyList() *List {
	list := &List{}
	for _, key := range m.keys {
		list.items = append(list.items, key)
	}
	return list
}

// entries returns the keys and values as maps with key and value.
func (m *Map) entries() *List {
	list := &List{}
	for _, key := range m.keys {
		entry := NewMap()
		entry.Put("key", key)
		entry.Put("value", m.values[key])
		list.items = append(list.items, entry)
	}
	return list
}

func (m *Map) remove(key string) value {
	v, ok := m.values[key]
	if !ok {
		return nil
	}
	delete(m.values, key)
	for i, k := range m.keys {
		if k == key {
			m.keys = append(m.keys[:i:i], m.keys[i+1:]...)
			break
		}
	}
	return v
}

// Decode reads exactly one JSON value, with its objects in their order.
func Decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := decodeValue(d, maxNesting)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (value, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch {
	case depth == 0:
		return nil, errors.New("nested too deep")
	case token == json.Delim('['):
		return decodeList(d, depth)
	case token == json.Delim('{'):
		return decodeMap(d, depth)
	}
	return token, nil
}

func decodeList(d *json.Decoder, depth int) (value, error) {
	list := &List{json: true}
	for d.More() {
		item, err := decodeValue(d, depth-1)
		if err != nil {
			return nil, err
		}
		list.items = append(list.items, item)
	}
	_, err := d.Token()
	return list, err
}

func decodeMap(d *json.Decoder, depth int) (value, error) {
	m := NewMap()
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(d, depth-1)
		if err != nil {
			return nil, err
		}
		m.Put(key.(string), v) // a key of a JSON object is a string
	}
	_, err := d.Token()
	return m, err
}
