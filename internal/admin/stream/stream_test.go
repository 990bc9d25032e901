package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

type pulse struct {
	Namespace string
	state.Meta
	Now, Beat time.Time
	Trouble   string
}

type document struct {
	Namespace string
	Meta      state.Meta
	Fields    state.Patch
}

func (s *scene) id(rev uint64) string { return fmt.Sprintf("%s.%d", s.base.Epoch, rev) }

func TestANewClientGetsTheDocumentThenFrames(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.block("GET:/before")
		l := s.listen("/api/stream")
		require.Equal(t, []string{"D " + s.id(1)}, l.told())
		want, err := s.store.Load(t.Context())
		require.NoError(t, err)
		whole := decode[document](t, l.all("document")[0].data)
		require.Equal(t, namespace, whole.Namespace)
		got, err := state.NewDocument(whole.Meta).With(whole.Fields, whole.Meta)
		require.NoError(t, err)
		statetest.Same(t, want, got)

		var committed []state.Frame
		for i := range 5 {
			committed = append(committed, s.block(fmt.Sprintf("GET:/after/%d", i)))
		}
		require.Equal(t, []string{"D " + s.id(1), s.id(2), s.id(3), s.id(4), s.id(5), s.id(6)}, l.told())
		for i, e := range l.all("") {
			f, err := state.ParseFrame([]byte(e.data))
			require.NoError(t, err)
			require.Equal(t, committed[i], f)
		}
	})
}

func TestTheFirstEventNamesTheNamespaceAndThePlace(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.block("GET:/a")
		require.NoError(t, s.store.Beat(t.Context()))
		first := s.listen("/api/stream?after=now").all("pulse", "document", "")[0]
		require.Equal(t, "pulse", first.name)
		is, err := s.store.Pulse(t.Context())
		require.NoError(t, err)
		p := decode[pulse](t, first.data)
		require.Equal(t, namespace, p.Namespace)
		require.Equal(t, is.Meta, p.Meta)
		require.True(t, is.Now.Equal(p.Now))
		require.True(t, is.Beat.Equal(p.Beat))
	})
}

func TestAClientGoesOnWhereItStopped(t *testing.T) {
	for _, c := range []struct {
		name    string
		after   func(*scene) string // what the client asks for when the store stands at revision 40
		commits int
		want    func(*scene) []string
	}{
		{"at the head", func(s *scene) string { return s.id(40) }, 1, func(s *scene) []string { return []string{s.id(41)} }},
		{"a little behind", func(s *scene) string { return s.id(38) }, 1, func(s *scene) []string { return []string{s.id(39), s.id(40), s.id(41)} }},
		{"far behind", func(s *scene) string { return s.id(0) }, 0, func(s *scene) []string {
			var all []string
			for rev := range uint64(40) {
				all = append(all, s.id(rev+1))
			}
			return all
		}},
		{"nowhere", func(*scene) string { return "" }, 1, func(s *scene) []string { return []string{"D " + s.id(40), s.id(41)} }},
		{"from now on", func(*scene) string { return "now" }, 1, func(s *scene) []string { return []string{s.id(41)} }},
		{"in another epoch", func(*scene) string { return state.NewEpoch() + ".40" }, 0, func(s *scene) []string { return []string{"D " + s.id(40)} }},
		{"nonsense", func(*scene) string { return "x" }, 0, func(s *scene) []string { return []string{"D " + s.id(40)} }},
		{"no number", func(s *scene) string { return s.base.Epoch + ".-1" }, 0, func(s *scene) []string { return []string{"D " + s.id(40)} }},
	} {
		for _, way := range []string{"query", "header"} {
			t.Run(c.name+" by "+way, func(t *testing.T) {
				play(t, func(t *testing.T, s *scene) {
					for i := range 40 {
						s.block(fmt.Sprintf("GET:/%d", i))
					}
					var l *listening
					if way == "query" || c.name == "nowhere" { // without a header the query counts
						l = s.listen("/api/stream?after=" + c.after(s))
					} else {
						l = s.listen("/api/stream?after=long-ago.1", "Last-Event-ID", c.after(s))
					}
					for i := range c.commits {
						s.block(fmt.Sprintf("GET:/more/%d", i))
					}
					require.Equal(t, c.want(s), l.told())
				})
			})
		}
	}
}

func TestAClientAheadOfOurViewIsWaitedFor(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		asked := time.Now()
		l := s.listen("/api/stream", "Last-Event-ID", s.id(2))
		<-time.After(100 * time.Millisecond)
		for i := range 3 {
			s.block(fmt.Sprintf("GET:/%d", i))
		}
		pass(time.Millisecond)
		require.Equal(t, []string{s.id(3)}, l.told())
		require.Less(t, time.Since(asked), time.Second)
	})
	play(t, func(t *testing.T, s *scene) {
		l := s.listen("/api/stream", "Last-Event-ID", s.id(9))
		pass(1500 * time.Millisecond)
		require.Equal(t, []string{"D " + s.id(0)}, l.told(), "nobody ever gets there")
	})
}

func TestWhatNoFramesLeadToIsSentAsADocument(t *testing.T) {
	for _, c := range []struct {
		name string
		next func(*scene, state.Meta) state.Meta
	}{
		{"a new epoch", func(_ *scene, m state.Meta) state.Meta {
			return state.Meta{Epoch: state.NewEpoch(), Gen: m.Gen + 1, Rev: m.Rev + 1000, Head: m.Head}
		}},
		{"the epoch at an earlier revision", func(_ *scene, m state.Meta) state.Meta { m.Rev, m.Head[0] = 1, m.Head[0]+1; return m }},
		{"the revision with another head", func(_ *scene, m state.Meta) state.Meta { m.Head[0]++; return m }},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				s.block("GET:/1")
				s.block("GET:/2")
				l := s.listen("/api/stream?after=now")
				was, err := s.store.Pulse(t.Context())
				require.NoError(t, err)
				next := c.next(s, was.Meta)
				require.NoError(t, s.store.Seed(t.Context(), was.Meta, statetest.Document(t, next, "GET:/other"), nil))
				pass(40 * time.Second) // what lost our history is adopted after half a minute without an admin
				require.Equal(t, []string{fmt.Sprintf("D %s.%d", next.Epoch, next.Rev)}, l.told())
				s.block("GET:/3")
				require.Len(t, l.told(), 2)
				require.Equal(t, fmt.Sprintf("%s.%d", next.Epoch, next.Rev+1), l.told()[1])
			})
		})
	}
}

func TestHeartbeatsKeepTheirPace(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		l := s.listen("/api/stream?after=now")
		began := time.Now()
		for range 10 {
			pass(700 * time.Millisecond)
			s.block("GET:/a")
		}
		pass(3 * time.Second)
		beats := l.all("pulse")
		require.InDelta(t, time.Since(began)/(800*time.Millisecond), len(beats), 2)
		for i := range beats[1:] {
			require.LessOrEqual(t, beats[i+1].at.Sub(beats[i].at), time.Second)
		}
		require.Equal(t, uint64(10), decode[pulse](t, beats[len(beats)-1].data).Rev)
	})
}

func TestHeartbeatsGoOutThoughTheStoreDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(*statetest.Flaky)
	}{
		{"cut off", (*statetest.Flaky).Cut},
		{"silent", (*statetest.Flaky).Silence},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(t *testing.T, s *scene) {
				l := s.listen("/api/stream?after=now")
				for range 2 { // a single one might be a mistake
					s.follower.Clock().Observe(time.Now(), time.Now(), time.Now().Add(90*time.Second))
				}
				c.fail(s.flaky)
				pass(10 * time.Second)
				beats := l.all("pulse")
				for i := range beats[1:] {
					require.LessOrEqual(t, beats[i+1].at.Sub(beats[i].at), 1300*time.Millisecond)
				}
				last := decode[pulse](t, beats[len(beats)-1].data)
				require.Equal(t, state.ErrUnavailable.Error(), last.Trouble)
				require.WithinDuration(t, time.Now().Add(90*time.Second), last.Now, 2*time.Second, "the store's time is known still")
				s.flaky.Heal()
				s.block("GET:/a")
				pass(5 * time.Second)
				beats = l.all("pulse")
				require.Empty(t, decode[pulse](t, beats[len(beats)-1].data).Trouble)
				require.Equal(t, []string{s.id(1)}, l.told())
			})
		})
	}
}

func TestAnEmptyStoreIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.start()
		l := s.listen("/api/stream")
		pass(time.Second)
		require.Equal(t, state.ErrEmpty.Error(), decode[pulse](t, l.all("pulse")[0].data).Trouble)
		require.Empty(t, l.told())
		s.base = statetest.Seeded(t, s.store)
		pass(2 * time.Second)
		s.block("GET:/a")
		require.Equal(t, []string{"D " + s.id(0), s.id(1)}, l.told())
	})
}

func TestAClientThatDoesNotKeepUpIsCut(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		stuck := s.ask("/api/stream?after=now")
		keen := s.listen("/api/stream?after=now")
		began := time.Now()
		for i := range 3 {
			statetest.Commit(t, s.store, statetest.Block(t, fmt.Sprintf("GET:/%d", i), strings.Repeat("x", 1<<20)))
		}
		require.Equal(t, []string{s.id(1), s.id(2), s.id(3)}, keen.told(), "another client's slowness held this one up")
		for s.logs.Len() == 0 {
			require.Less(t, time.Since(began), 15*time.Second, "it was never cut")
			pass(100 * time.Millisecond)
		}
		require.Contains(t, s.logs.All()[0].ContextMap()["error"], "did not keep up")
		_, err := stuck.Body.Read(make([]byte, 1))
		require.Error(t, err)
		require.False(t, keen.over())
	})
}

func TestSlowIsNotStuck(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		resp := s.ask("/api/stream?after=now")
		statetest.Commit(t, s.store, statetest.Block(t, "GET:/a", strings.Repeat("x", 4<<20)))
		// 4 MiB at 512 KiB a second.
		piece := make([]byte, 64<<10)
		for got := 0; got < 4<<20; {
			pass(125 * time.Millisecond)
			n, err := resp.Body.Read(piece)
			require.NoError(t, err)
			if n < len(piece) {
				more, err := readSome(resp, piece[n:])
				require.NoError(t, err)
				n += more
			}
			got += n
		}
		require.Zero(t, s.logs.Len())
	})
}

func readSome(resp reply, into []byte) (int, error) {
	got := 0
	for got < len(into) {
		n, err := resp.Body.Read(into[got:])
		if got += n; err != nil {
			return got, err
		}
	}
	return got, nil
}

func TestStreamsDoNotHoldUpAStop(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		l, stuck := s.listen("/api/stream"), s.ask("/api/stream")
		statetest.Commit(t, s.store, statetest.Block(t, "GET:/a", strings.Repeat("x", 1<<20)))
		pass(100 * time.Millisecond)
		began := time.Now()
		s.handler.Close()
		require.NoError(t, s.server.Shutdown(t.Context()))
		require.Less(t, time.Since(began), time.Second)
		require.True(t, l.over())
		_, err := readSome(stuck, make([]byte, 1<<20))
		require.Error(t, err)
		require.Zero(t, s.logs.Len(), "a stop is no news")
	})
}

func TestManyClientsShareOneReadOfTheLog(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		clients := make([]*listening, 100)
		for i := range clients {
			clients[i] = s.listen("/api/stream?after=now")
		}
		before := s.counting.reads
		s.block("GET:/a")
		for _, c := range clients {
			require.Equal(t, []string{s.id(1)}, c.told())
		}
		s.counting.mu.Lock()
		defer s.counting.mu.Unlock()
		require.Less(t, s.counting.reads-before, 20)
	})
}

func TestStreamsAreBounded(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		for range 1024 {
			s.listen("/api/stream?after=now")
		}
		refused := s.ask("/api/stream?after=now")
		require.Equal(t, 503, refused.StatusCode)
		require.Equal(t, "1", refused.Header.Get("Retry-After"))
		require.Contains(t, body(t, refused), `"error":"too many streams at once"`)
		require.Equal(t, 200, s.ask("/api/stream/pulse").StatusCode)
	})
}
