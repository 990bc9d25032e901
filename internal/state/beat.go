package state

import "time"

// Bounds of an admin's signs of life.
const (
	// BeatEvery is how often a living admin beats.
	BeatEvery = time.Second
	// How long ago the last beat of a living admin can be.
	beatWithin = 5 * time.Second
)

// AdminAlive reports whether an admin gave a sign of life lately.
func (p *Pulse) AdminAlive() bool { return !p.Beat.IsZero() && p.Now.Sub(p.Beat) <= beatWithin }
