package plainjson

// Append appends a text as [Encode] writes it.
func Append(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			encoded, _ := Encode(text) // cannot fail
			return append(b, encoded...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// AppendAny appends a value as [Encode] writes it.
func AppendAny(b []byte, value any) ([]byte, error) {
	if text, ok := value.(string); ok {
		return Append(b, text), nil
	}
	encoded, err := Encode(value)
	return append(b, encoded...), err
}
