package expr

import "strings"

// quoteKeys quotes the unquoted keys of JSON objects, because the service was
// seen to accept them (G-ROUTE-9): it routed {"action":"send", body:1} to "send".
// It is not known what else the service accepts, so nothing else is changed here.
func quoteKeys(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i + 1
		switch {
		case text[i] == '"':
			end = stringEnd(text, i)
		case isNameByte(text[i]) && (text[i] < '0' || text[i] > '9'):
			for end < len(text) && isNameByte(text[end]) {
				end++
			}
			if strings.HasPrefix(strings.TrimLeft(text[end:], " \t\r\n"), ":") {
				b.WriteString(`"` + text[i:end] + `"`)
				i = end
				continue
			}
		}
		b.WriteString(text[i:end])
		i = end
	}
	return b.String()
}

// stringEnd returns the end of the JSON string that starts at i, or the end of
// the text.
func stringEnd(text string, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
