package state

import "sync/atomic"

// Cache holds the snapshot that requests are decided by. Readers never lock; the one writer swaps a pointer.
type Cache struct {
	current atomic.Pointer[Snapshot]
}

// Load gives the current snapshot, nil before the first.
func (c *Cache) Load() *Snapshot { return c.current.Load() }

// Store makes s the current snapshot.
func (c *Cache) Store(s *Snapshot) { c.current.Store(s) }
