package house

import "github.com/securecart/hub/internal/hub/memstore"

// Memory is the store of a house without tables.
func (h *House) Memory() *memstore.Store { return h.memory }
