package kill_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// notice is an event that the log asks for.
type notice struct {
	id                  string
	rev                 uint64
	event, path, reason string
}

// noticesOf are the events of an entry, in their order.
func noticesOf(f *state.Frame, e *state.Entry) []notice {
	var all []notice
	if e.Kind != state.KindChange && e.Kind != state.KindAnnounce {
		return nil
	}
	for i, r := range e.Records {
		if slices.Contains(webhook.Actions(), r.Action) {
			id := fmt.Sprintf("msg_%s.%d.%d.%s", f.Epoch, f.Rev, i, hookEndpoint)
			all = append(all, notice{id, f.Rev, string(r.Action), r.Path, r.Reason})
		}
	}
	return all
}

// life is what one start of the admin found: what it owes the receiver.
type life struct {
	// end is the revision up to which the log went, and owed the events up to there whose end is not kept.
	end  uint64
	owed map[string]bool
}

// told holds what the receiver got against the log, and against what the admin keeps of its deliveries.
type told struct {
	t        *testing.T
	receiver *receiver
	reader   *reader
	lives    []life
	// again is how many events had come and were owed still after the last end, and most the most there were.
	again, most int
}

// begun reports whether the endpoint has its place in the log.
func begun(t *testing.T, store state.Backend) bool {
	t.Helper()
	fields, err := store.ReadDesk(t.Context(), "webhook."+hookEndpoint)
	require.NoError(t, err)
	return len(fields["c"]) > 0
}

// weigh is for after a kill: what the admin will not send again has come, and was answered. The rest is what the next
// life owes; of that, webhook.InFlight at most came already.
func (w *told) weigh(store state.Backend) {
	w.t.Helper()
	fields, err := store.ReadDesk(w.t.Context(), "webhook."+hookEndpoint)
	require.NoError(w.t, err)
	var at struct {
		Epoch string
		Rev   uint64
	}
	require.NoError(w.t, json.Unmarshal(fields["c"], &at))
	require.Equal(w.t, w.reader.doc.Epoch, at.Epoch)
	require.LessOrEqual(w.t, at.Rev, w.reader.doc.Rev, "the endpoint is ahead of the log")
	next := life{w.reader.doc.Rev, map[string]bool{}}
	w.again = 0
	for _, n := range w.reader.notices {
		switch owed := n.rev > at.Rev || len(fields["e:"+n.id]) > 0; {
		case !owed:
			require.True(w.t, w.receiver.answered(n.id), "%s is lost: it is over for the admin and did not arrive", n.id)
			continue
		case w.receiver.came(n.id):
			w.again++
			require.LessOrEqual(w.t, n.rev, at.Rev, "%s was sent before it was kept", n.id)
		}
		next.owed[n.id] = true
	}
	require.LessOrEqual(w.t, w.again, webhook.InFlight, "no more may come again than are under way or not kept yet")
	w.most = max(w.most, w.again)
	w.lives = append(w.lives, next)
}

// await waits until all events of the log have arrived, and this life has sent what it owes.
func (w *told) await() {
	w.t.Helper()
	life := len(w.lives) - 1
	require.Eventually(w.t, func() bool {
		if !w.receiver.cameFrom(life, w.lives[life].owed) {
			return false
		}
		for i := range w.reader.notices {
			if !w.receiver.answered(w.reader.notices[i].id) {
				return false
			}
		}
		return true
	}, patience, 5*time.Millisecond, "events are lost")
}

// judge is for after the last life, which ended well.
func (w *told) judge() {
	w.t.Helper()
	r := w.receiver
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Empty(w.t, r.wrong)
	require.Empty(w.t, w.lives[len(w.lives)-1].owed, "what is delivered is over")
	place, came, first := map[string]int{}, map[string]bool{}, map[string][]string{}
	for _, d := range r.all {
		if path := r.by[d.id].said.Path; !came[d.id] {
			came[d.id] = true
			first[path] = append(first[path], d.id)
		}
	}
	asked := map[string][]string{}
	for i, n := range w.reader.notices {
		place[n.id] = i
		asked[n.path] = append(asked[n.path], n.id)
		m := r.by[n.id]
		require.Equal(w.t, []string{n.event, n.path, n.reason}, []string{m.said.Event, m.said.Path, m.said.Reason})
		require.GreaterOrEqual(w.t, m.said.State.Revision, n.rev, "a state from before the event")
		require.Len(w.t, m.bodies, 1, "the body of %s changed", n.id)
	}
	require.Equal(w.t, asked, first, "of each route every event of the log arrives and no other, in the order of the log")
	w.judgeLives(place)
	w.t.Logf("%d events of %d routes in %d deliveries by %d lives of the admin; after a kill, at most %d had come and were owed",
		len(w.reader.notices), len(asked), len(r.all), len(w.lives)-1, w.most)
}

// judgeLives holds what each life sent against what it owed. The caller holds the receiver's mu.
func (w *told) judgeLives(place map[string]int) {
	w.t.Helper()
	type lane struct {
		life int
		path string
	}
	last := map[lane]int{}
	for _, d := range w.receiver.all {
		require.True(w.t, w.lives[d.life].owed[d.id] || w.reader.notices[place[d.id]].rev > w.lives[d.life].end,
			"%s came again from life %d, for which it was over", d.id, d.life)
		in := lane{d.life, w.receiver.by[d.id].said.Path}
		before, sent := last[in]
		require.True(w.t, !sent || before < place[d.id], "life %d sent %s twice or out of order", d.life, d.id)
		last[in] = place[d.id]
	}
}
