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

// checkContentHandling refuses an unknown strategy.
func checkContentHandling(strategy string) error {
	switch strategy {
	case "", convertToBinary, convertToText:
		return nil
	}
	return fmt.Errorf("ContentHandlingStrategy %q: must be %s or %s", strategy, convertToBinary, convertToText)
}

// fromBase64 decodes base64.
func fromBase64(text []byte) ([]byte, error) {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", convertToBinary, err)
	}
	return data, nil
}

// toBase64 encodes bytes as base64.
func toBase64(data []byte) []byte { return base64.StdEncoding.AppendEncode(nil, data) }
