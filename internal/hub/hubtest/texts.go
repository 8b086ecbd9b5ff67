package hubtest

import (
	"fmt"
	"reflect"
	"strings"
)

// Texts returns all texts and numbers that a value reaches, one a line: through
// pointers, interfaces, maps, slices and fields, unexported ones too. So a test finds
// what a store in memory still knows.
func Texts(v any) string {
	t := texts{seen: map[uintptr]bool{}}
	t.add(reflect.ValueOf(v))
	return t.all.String()
}

type texts struct {
	all  strings.Builder
	seen map[uintptr]bool // pointers
}

func (t *texts) add(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		fmt.Fprintln(&t.all, v.String())
	case reflect.Int, reflect.Int64:
		fmt.Fprintln(&t.all, v.Int())
	case reflect.Pointer:
		if !v.IsNil() && !t.seen[v.Pointer()] {
			t.seen[v.Pointer()] = true
			t.add(v.Elem())
		}
	case reflect.Interface:
		t.add(v.Elem())
	case reflect.Map:
		for _, key := range v.MapKeys() {
			t.add(key)
			t.add(v.MapIndex(key))
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			fmt.Fprintf(&t.all, "%s\n", v.Bytes())
			return
		}
		for i := range v.Len() {
			t.add(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			t.add(v.Field(i))
		}
	}
}
