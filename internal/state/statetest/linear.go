package statetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// place is where the store stands and what it holds: the state of the sequential model.
type place struct {
	meta  state.Meta
	value string
}

// asked and told are the input and the output of one call. Every call but a commit asks for nothing.
type asked struct {
	commit bool
	base   state.Meta
	value  string
}

type told struct {
	conflict bool
	read     bool // value was read along with meta
	place    place
}

// register is a store as a sequential object: a commit succeeds exactly if its base is where the store stands.
func register(initial place) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(before, input, output any) (bool, any) {
			at, in, out := before.(place), input.(asked), output.(told)
			switch {
			case !in.commit:
				same := out.place.meta == at.meta && (!out.read || out.place.value == at.value)
				return same, at
			case out.conflict:
				return at.meta != in.base, at
			default:
				return at.meta == in.base && out.place.meta.Rev == at.meta.Rev+1, out.place
			}
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
}

// caller is one client of the store that records what it did.
type caller struct {
	id    int
	store state.Store
	start time.Time
	last  place
	// changes are what it commits, one per call, each with its own value for the register.
	changes []state.Change
	log     []porcupine.Operation
}

func linearizable(t *testing.T, open Open) {
	const callers, calls = 4, 40
	handles := open(t, callers)
	base := Seeded(t, handles[0])
	start := time.Now()
	all := make([]*caller, callers)
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i, s := range handles {
		all[i] = &caller{id: i, store: s, start: start, last: place{meta: base}}
		for n := range calls {
			all[i].changes = append(all[i].changes, Block(t, "GET:/register", valueOf(i, n)))
		}
		wg.Go(func() {
			for n := range calls {
				if errs[i] = all[i].step(t, n); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	var history []porcupine.Operation
	for i, c := range all {
		require.NoError(t, errs[i])
		history = append(history, c.log...)
	}
	commits := 0
	for _, op := range history {
		if op.Input.(asked).commit && !op.Output.(told).conflict {
			commits++
		}
	}
	require.Positive(t, commits, "the history says nothing")
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(register(place{meta: base}), history, patience))
}

func valueOf(caller, call int) string { return fmt.Sprintf("%d-%d", caller, call) }

// step makes one call at random and records it.
func (c *caller) step(t *testing.T, n int) error {
	var in asked
	var out told
	var err error
	call := time.Since(c.start)
	switch rand.IntN(4) {
	case 0:
		out.place, err = c.pulse(t)
	case 1:
		out.read = true
		out.place, err = c.load(t)
	default:
		in = asked{commit: true, base: c.last.meta, value: valueOf(c.id, n)}
		out.place, err = c.commit(t, in, c.changes[n])
		if errors.Is(err, state.ErrConflict) {
			out, err = told{conflict: true}, nil
		}
	}
	if err != nil {
		return err
	}
	c.log = append(c.log, porcupine.Operation{
		ClientId: c.id, Input: in, Output: out, Call: int64(call), Return: int64(time.Since(c.start)),
	})
	if !out.conflict {
		c.last = out.place
	}
	return nil
}

func (c *caller) pulse(t *testing.T) (place, error) {
	p, err := c.store.Pulse(t.Context())
	return place{meta: p.Meta}, err
}

func (c *caller) load(t *testing.T) (place, error) {
	doc, err := c.store.Load(t.Context())
	if err != nil {
		return place{}, err
	}
	return place{meta: doc.Meta, value: Reason(t, doc, "GET:/register")}, nil
}

func (c *caller) commit(t *testing.T, in asked, change state.Change) (place, error) {
	r, err := c.store.Commit(t.Context(), in.base, change)
	if err != nil {
		return place{}, err
	}
	return place{meta: After(in.base, r), value: in.value}, nil
}
