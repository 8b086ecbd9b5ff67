package ws_test

import (
	"bytes"
	"testing"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// TestReaderBuffered. Our own: what was read of the next frame is not lost from sight.
func TestReaderBuffered(t *testing.T) {
	frame := []byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}
	r := ws.NewReader(nil, bytes.NewReader(append(frame, frame...)), &ws.Limits{Frame: 99, Message: 99}, nil, nil)
	for i, want := range []bool{true, false} {
		if text, err := r.Next(); err != nil || string(text) != "hi" || r.Buffered() != want {
			t.Errorf("message %d: %q, %v, buffered: %t, want %t", i, text, err, r.Buffered(), want)
		}
	}
}
