package statetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// Key reads a route key that is known to be good.
func Key(tb testing.TB, text string) state.Key {
	tb.Helper()
	k, _, err := state.ParseKey(text)
	require.NoError(tb, err)
	return k
}

// Block is a change that puts a route in standing maintenance for a reason.
func Block(tb testing.TB, key, reason string) state.Change {
	tb.Helper()
	c := state.Change{Entry: state.Entry{
		Kind: state.KindChange, At: time.Now().UTC(), Actor: "ops", Platform: state.PlatformCLI, Patch: state.Patch{},
		Records: []state.Record{{
			Action: state.ActionMaintenanceOn, Path: key, Reason: reason, Before: state.Active, After: state.Maintenance,
		}},
	}}
	require.NoError(tb, c.Patch.SetRoute(Blocked(tb, key, reason)))
	return c
}

// Forget is a change that drops a route.
func Forget(tb testing.TB, key string) state.Change {
	tb.Helper()
	c := Block(tb, key, "")
	c.Patch = state.Patch{}
	c.Patch.DropRoute(Key(tb, key))
	c.Records[0].Action, c.Records[0].After = state.ActionForget, ""
	return c
}

// Secret is a change of the private part alone.
func Secret(fields map[string][]byte) state.Change {
	return state.Change{
		Entry:   state.Entry{Kind: state.KindPrivate, At: time.Now().UTC(), Actor: "ops", Platform: state.PlatformAPI},
		Private: fields,
	}
}

// Blocked is a route in standing maintenance.
func Blocked(tb testing.TB, key, reason string) state.Route {
	tb.Helper()
	return state.Route{
		Key: Key(tb, key), Shown: key, Origin: state.OriginCommand, Last: state.ActionMaintenanceOn, By: "ops",
		Standing: &state.Block{Effect: state.EffectMaintenance, Reason: reason, By: "ops"},
	}
}

// Document is a document at meta that blocks the routes.
func Document(tb testing.TB, meta state.Meta, keys ...string) *state.Document {
	tb.Helper()
	p := state.Patch{}
	for _, key := range keys {
		require.NoError(tb, p.SetRoute(Blocked(tb, key, "seeded")))
	}
	doc, err := state.NewDocument(meta).With(p, meta)
	require.NoError(tb, err)
	return doc
}

// Seeded puts an empty document into an empty store and gives its place.
func Seeded(tb testing.TB, s state.Seeder) state.Meta {
	tb.Helper()
	doc := state.Genesis(1)
	require.NoError(tb, s.Seed(tb.Context(), state.Meta{}, doc, nil))
	return doc.Meta
}

// Commit makes a change, reading again and retrying while somebody else is faster.
func Commit(tb testing.TB, s state.Store, c state.Change) state.Receipt {
	tb.Helper()
	r, err := commitRetrying(tb, s, c)
	require.NoError(tb, err)
	return r
}

// blocks are n changes, each of which blocks a route of its own. Changes are built by the goroutine of the test:
// building them can fail it.
func blocks(tb testing.TB, n int, keyFormat string) []state.Change {
	tb.Helper()
	out := make([]state.Change, n)
	for i := range out {
		out[i] = Block(tb, fmt.Sprintf(keyFormat, i), "x")
	}
	return out
}

// commitAll makes changes one after the other and tells through the channel it gives when it is done.
func commitAll(tb testing.TB, s state.Store, changes []state.Change) <-chan error {
	done := make(chan error, 1)
	go func() {
		for _, c := range changes {
			if _, err := commitRetrying(tb, s, c); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	return done
}

func commitRetrying(tb testing.TB, s state.Store, c state.Change) (state.Receipt, error) {
	for {
		p, err := s.Pulse(tb.Context())
		if err != nil {
			return state.Receipt{}, err
		}
		r, err := s.Commit(tb.Context(), p.Meta, c)
		if !errors.Is(err, state.ErrConflict) {
			return r, err
		}
	}
}

// After is the place a commit moved the store to.
func After(base state.Meta, r state.Receipt) state.Meta {
	return state.Meta{Epoch: r.Frame.Epoch, Gen: base.Gen, Rev: r.Frame.Rev, Head: r.Frame.Head}
}

// Reason is why a document blocks a route, empty when it does not.
func Reason(tb testing.TB, doc *state.Document, key string) string {
	tb.Helper()
	r, ok := doc.Route(Key(tb, key))
	if !ok || r.Standing == nil {
		return ""
	}
	return r.Standing.Reason
}

// Same fails the test unless both documents stand at the same place and hold the same fields.
func Same(tb testing.TB, want, got *state.Document) {
	tb.Helper()
	require.Equal(tb, want.Meta, got.Meta)
	wantFields, err := want.Fields()
	require.NoError(tb, err)
	gotFields, err := got.Fields()
	require.NoError(tb, err)
	require.Equal(tb, texts(wantFields), texts(gotFields))
}

func texts(p state.Patch) map[string]string {
	out := make(map[string]string, len(p))
	for field, value := range p {
		out[field] = string(value)
	}
	return out
}

// chained says where a run of frames breaks the chain that goes on after base, nil if nowhere.
func chained(base state.Meta, frames []state.Frame) error {
	for i := range frames {
		f := &frames[i]
		if f.Epoch != base.Epoch || f.Rev != base.Rev+1 || f.Prev != base.Head {
			return fmt.Errorf("frame %s.%d after %s.%d", f.Epoch, f.Rev, base.Epoch, base.Rev)
		}
		if err := f.Verify(); err != nil {
			return err
		}
		base.Rev, base.Head = f.Rev, f.Head
	}
	return nil
}
