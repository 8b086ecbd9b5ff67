package hub

// WithDeltaBytes returns a Hub that packs pushed entries into messages of at most n
// bytes, so that a few entries take several messages.
func (h *Hub) WithDeltaBytes(n int) *Hub {
	small := *h
	small.deltaBytes = n
	return &small
}
