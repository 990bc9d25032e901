package stream_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// several commits one change with a record for each of these paths; those that begin with an exclamation mark are quiet.
func (s *scene) several(paths ...string) {
	s.t.Helper()
	change := statetest.Block(s.t, "GET:/several", "x")
	change.Records = nil
	for _, path := range paths {
		path, quiet := strings.CutPrefix(path, "!")
		r := state.Record{Action: state.ActionDisable, Path: path}
		if quiet {
			r.Reason = "quiet"
		}
		change.Records = append(change.Records, r)
	}
	statetest.Commit(s.t, s.store, change)
}

// heard are the events with a name so far, as "id name data".
func (l *listening) heard() []string {
	var out []string
	for _, e := range l.every() {
		if e.name != "" {
			out = append(out, fmt.Sprintf("%s %s %s", e.id, e.name, strings.Trim(e.data, `"`)))
		}
	}
	return out
}

func (l *listening) every() []event {
	l.all() // waits until all has come
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]event{}, l.events...)
}

func TestEventsHaveNamesAndBeginNow(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.block("GET:/before")
		l := s.listen("/api/events")
		first := l.every()[0]
		require.Equal(t, "2000", first.retry)
		require.Equal(t, s.id(1), first.id)
		require.Empty(t, first.name+first.data)
		s.block("GET:/a")
		s.several("GET:/b", "GET:/c")
		require.Equal(t, []string{
			s.id(2) + " maintenance_on GET:/a", s.id(2) + "+1 disable GET:/b", s.id(3) + " disable GET:/c",
		}, l.heard())
	})
}

func TestHeartbeatsOfEventsMoveTheIDOn(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		l := s.listen("/api/events")
		s.several("!GET:/quiet")
		pass(11 * time.Second)
		require.Empty(t, l.heard())
		all := l.every()
		require.Len(t, all, 3)
		for i, e := range all {
			require.NotEmpty(t, e.comment)
			require.Equal(t, s.id(uint64(min(i, 1))), e.id)
		}
		require.InDelta(t, 5*time.Second, all[2].at.Sub(all[1].at), float64(time.Second))
	})
}

func TestEventsGoOnFromEveryIDThatWasSent(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		const frames = 2500 // several times what is read from the log at once
		for i := range frames {
			switch i % 500 {
			case 7:
				s.several("GET:/x", "!GET:/y", "GET:/z", "!GET:/q")
			case 8:
				s.several("!GET:/q")
			default:
				statetest.Commit(t, s.store, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
			}
		}
		pass(time.Second)
		all := s.listen("/api/events?after=" + s.id(0)).heard()
		require.Len(t, all, frames-5+5)
		seen := map[string]bool{}
		for _, e := range all {
			require.False(t, seen[e], e)
			seen[e] = true
		}
		for i := 0; i < len(all); i += 7 {
			if i > 30 && i < len(all)-30 && i%97 != 0 {
				continue
			}
			id, _, _ := strings.Cut(all[i], " ")
			rest := s.listen("/api/events?after=elsewhere.1", "Last-Event-ID", id).heard()
			require.Equal(t, all[i+1:], append([]string{}, rest...), id)
		}
	})
}

func TestEventsAreResetWhereTheLogDoesNotLeadOn(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.block("GET:/a")
		reset := s.id(1) + fmt.Sprintf(` reset {"revision":1,"epoch":%q}`, s.base.Epoch)
		for _, id := range []string{state.NewEpoch() + ".1", "nonsense", s.id(1) + "+", s.id(1) + "+-1", s.id(0) + "+x"} {
			l := s.listen("/api/events", "Last-Event-ID", id)
			require.Equal(t, []string{reset}, l.heard(), id)
		}
		l := s.listen("/api/events")
		was, err := s.store.Pulse(t.Context())
		require.NoError(t, err)
		next := state.Meta{Epoch: state.NewEpoch(), Gen: was.Gen + 1, Rev: 1001, Head: was.Head}
		require.NoError(t, s.store.Seed(t.Context(), was.Meta, statetest.Document(t, next, "GET:/other"), nil))
		pass(5 * time.Second)
		require.Equal(t, []string{fmt.Sprintf(`%s.1001 reset {"revision":1001,"epoch":%q}`, next.Epoch, next.Epoch)}, l.heard())
		s.block("GET:/b")
		require.Equal(t, next.Epoch+".1002 maintenance_on GET:/b", l.heard()[1])
	})
}

// What waits for a client waits in the log, which is there once: whoever does not read costs what a connection does.
func TestClientsThatDoNotReadCostNoMemory(t *testing.T) {
	for _, address := range []string{"/api/stream?after=now", "/api/events"} {
		t.Run(address, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				const clients, commits, size = 100, 200, 64 << 10
				for range clients {
					s.ask(address)
				}
				before := heap()
				for i := range commits {
					statetest.Commit(t, s.store, statetest.Block(t, fmt.Sprintf("GET:/%d", i), strings.Repeat("x", size)))
				}
				grown := heap() - before
				written := int64(commits * size)
				t.Logf("%d clients that do not read, %d MiB of frames: the heap grew by %.1f MiB", clients, written>>20, float64(grown)/(1<<20))
				require.Less(t, grown, 6*written, "the log, the document and the reading of a page; not once more for each of 100")
				pass(time.Minute)
				require.Equal(t, clients, s.logs.Len(), "all are cut")
			})
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
