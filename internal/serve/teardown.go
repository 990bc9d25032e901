package serve

import (
	"context"
	"errors"
	"fmt"
)

// Teardown is what has to be undone when a server stops, last thing first. The zero Teardown is empty.
type Teardown struct {
	steps []step
}

type step struct {
	name string
	undo func(context.Context) error
}

// Push adds a step under a name that its error will carry.
func (t *Teardown) Push(name string, undo func(context.Context) error) {
	t.steps = append(t.steps, step{name: name, undo: undo})
}

// Run takes all steps, newest first, also after one of them failed, and joins their errors. Each step gets ctx, whose
// deadline it is to keep. Run again does nothing.
func (t *Teardown) Run(ctx context.Context) error {
	var all error
	for len(t.steps) > 0 {
		last := t.steps[len(t.steps)-1]
		t.steps = t.steps[:len(t.steps)-1]
		if err := last.undo(ctx); err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", last.name, err))
		}
	}
	return all
}
