package memstore

import "github.com/securecart/hub/internal/hub"

// Follow calls f once for each later change, in the order of commits and before the
// write returns. f must be quick and must not call the store.
func (s *Store) Follow(f func(hub.Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.OnCommit = f
}
