package ws

import (
	"bytes"
	"strings"
	"testing"
)

// TestUnmask unmasks a payload in two pieces of every length (RFC 6455 section
// 5.3).
func TestUnmask(t *testing.T) {
	for length := range 40 {
		plain := []byte(strings.Repeat("0123456789", 4)[:length])
		for cut := range length + 1 {
			masked := make([]byte, length)
			for i := range plain {
				masked[i] = plain[i] ^ byte(i%4+1)
			}
			mask := unmask(masked[:cut], 0x04030201)
			unmask(masked[cut:], mask)
			if !bytes.Equal(masked, plain) {
				t.Fatalf("length %d cut at %d: got %q, want %q", length, cut, masked, plain)
			}
		}
	}
}

// TestNewFrame writes headers with lengths of 7, 16 and 64 bits (RFC 6455 section
// 5.2).
func TestNewFrame(t *testing.T) {
	for _, tt := range []struct {
		length int
		want   string
	}{
		{0, "\x81\x00"}, {125, "\x81\x7D"}, {126, "\x81\x7E\x00\x7E"}, {0xFFFF, "\x81\x7E\xFF\xFF"},
		{0x10000, "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00"},
	} {
		f := NewFrame(Fin|OpText, make([]byte, tt.length))
		if got := string(f.Header()); got != tt.want {
			t.Errorf("%d bytes: got % x, want % x", tt.length, got, tt.want)
		}
		if got, want := f.Size(), len(tt.want)+tt.length; got != want {
			t.Errorf("%d bytes: size %d, want %d", tt.length, got, want)
		}
		if !f.IsData() || f.IsClose() {
			t.Errorf("%d bytes: data %v, close %v", tt.length, f.IsData(), f.IsClose())
		}
	}
	if f := NewFrame(Fin|OpClose, nil); f.IsData() || !f.IsClose() {
		t.Errorf("close frame: data %v, close %v", f.IsData(), f.IsClose())
	}
}

// TestMessageSize compares the size of a message with that of its frames (RFC
// 6455 section 5.4).
func TestMessageSize(t *testing.T) {
	for _, length := range []int{0, 1, 125, 126, 32768, 32769, 65536, 131072} {
		for _, most := range []int{1, 126, 32768, 1 << 20} {
			want := 0
			for remaining := length; ; remaining -= most {
				f := NewFrame(OpText, make([]byte, min(remaining, most)))
				want += f.Size()
				if remaining <= most {
					break
				}
			}
			if got := MessageSize(length, most); got != want {
				t.Errorf("%d bytes in frames of %d: got %d, want %d", length, most, got, want)
			}
		}
	}
}
