package kill_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// reader reads a log with a cursor, as whoever delivers what happened does, and does for itself what the log says.
type reader struct {
	t *testing.T
	// doc is what the log comes to up to the cursor.
	doc *state.Document
	// seen are the reasons of the entries that are to be told of, in the order of the log, each once.
	seen []string
	// notices are the events that the log asks for, in its order.
	notices []notice
}

// newReader begins with the document that the store was seeded with.
func newReader(t *testing.T, doc *state.Document) *reader {
	t.Helper()
	require.Zero(t, doc.Rev, "the log is read from its beginning")
	return &reader{t: t, doc: doc}
}

// read goes on to the end of the log, and requires that the store holds what the log says, no more and no less.
func (r *reader) read(store state.Store) {
	r.t.Helper()
	const batch = 7 // a few frames at a time, as one that has more to do would read
	for {
		frames, err := store.Frames(r.t.Context(), r.doc.Epoch, r.doc.Rev, batch)
		require.NoError(r.t, err)
		for i := range frames {
			r.take(&frames[i])
		}
		if len(frames) < batch {
			break
		}
	}
	doc, err := store.Load(r.t.Context())
	require.NoError(r.t, err)
	statetest.Same(r.t, r.doc, doc)
}

// take does what one frame says, and notes what is to be sent of it.
func (r *reader) take(f *state.Frame) {
	r.t.Helper()
	require.NoError(r.t, f.Verify())
	require.Equal(r.t, r.doc.Epoch, f.Epoch)
	require.Equal(r.t, r.doc.Rev+1, f.Rev)
	require.Equal(r.t, r.doc.Head, f.Prev)
	e, err := f.Entry()
	require.NoError(r.t, err)
	r.doc, err = r.doc.With(e.Patch, state.Meta{Epoch: f.Epoch, Gen: r.doc.Gen, Rev: f.Rev, Head: f.Head})
	require.NoError(r.t, err)
	r.notices = append(r.notices, noticesOf(f, &e)...)
	if e.Kind == state.KindChange {
		require.NotEmpty(r.t, e.Records, "a change of state without its record")
		require.NotEmpty(r.t, e.Patch, "a record without its change of state")
		r.seen = append(r.seen, e.Records[0].Reason)
	}
}

// times is how often an entry with a reason was read.
func (r *reader) times(reason string) int {
	n := 0
	for _, seen := range r.seen {
		if seen == reason {
			n++
		}
	}
	return n
}
