package gatewaytest

import (
	"encoding/base64"
	"fmt"
)

// The content handling strategies (developer guide, "Binary media types for
// WebSocket APIs"; G-FRAME-2).
const (
	convertToBinary = "CONVERT_TO_BINARY"
	convertToText   = "CONVERT_TO_TEXT"
)

// checkContentHandling refuses what is no strategy.
func checkContentHandling(strategy string) error {
	switch strategy {
	case "", convertToBinary, convertToText:
		return nil
	}
	return fmt.Errorf("ContentHandlingStrategy %q: must be %s or %s", strategy, convertToBinary, convertToText)
}

// fromBase64 returns the bytes that a text stands for.
func fromBase64(text []byte) ([]byte, error) {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", convertToBinary, err)
	}
	return data, nil
}

// toBase64 returns the text that stands for bytes.
func toBase64(data []byte) []byte { return base64.StdEncoding.AppendEncode(nil, data) }
