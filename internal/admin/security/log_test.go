package security_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waygate/waygate/internal/admin/security"
)

// scene is a log that runs, in a bubble of synctest.
type scene struct {
	*security.Log
	lines   *observer.ObservedLogs
	refused map[security.Kind]int
	stop    func()
}

func play(t *testing.T, test func(*testing.T, *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, lines := observer.New(zap.InfoLevel)
		s := &scene{lines: lines, refused: map[security.Kind]int{}}
		s.Log = security.New(security.Config{Log: zap.New(core).Named("security"), Refused: func(k security.Kind) { s.refused[k]++ }})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		s.stop = func() {
			cancel()
			running.Wait()
		}
		defer s.stop()
		test(t, s)
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func denied(peer string) security.Event {
	return security.Event{Kind: security.Denied, Peer: peer, User: "bob", Method: "POST", Path: "/waygate/api/global/enable", Status: 403}
}

// leftOut are the numbers of the summaries so far, by network.
func (s *scene) leftOut() map[string][]int64 {
	out := map[string][]int64{}
	for _, e := range s.lines.All() {
		m := e.ContextMap()
		if n, ok := m["left_out"].(int64); ok {
			peer := m["peer"].(string)
			out[peer] = append(out[peer], n)
		}
	}
	return out
}

func TestALineSaysWhatHappened(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.Note(denied("192.0.2.1:999"))
		s.Note(security.Event{Kind: security.TokenCreated, Peer: "192.0.2.1:999", User: "alice", Method: "POST", Path: "/waygate/api/tokens", Status: 200, Token: "0190", For: "gateway"})
		all := s.lines.All()
		require.Len(t, all, 2)
		require.Equal(t, "security", all[0].LoggerName)
		require.Equal(t, zap.WarnLevel, all[0].Level)
		require.Equal(t, map[string]any{
			"kind": "denied", "peer": "192.0.2.1:999", "user": "bob", "method": "POST", "path": "/waygate/api/global/enable", "status": int64(403),
		}, all[0].ContextMap())
		require.Equal(t, zap.InfoLevel, all[1].Level)
		require.Equal(t, "0190", all[1].ContextMap()["token_id"])
		require.Equal(t, "gateway", all[1].ContextMap()["token_for"])
		require.Equal(t, map[security.Kind]int{security.Denied: 1}, s.refused)
	})
}

func TestAFloodIsABurstAndOneLineAMinute(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		for range 600 { // ten minutes, 10 a second from one network, one every ten seconds from another
			for i := range 10 {
				s.Note(denied(fmt.Sprintf("192.0.2.1:%d", 1000+i)))
			}
			pass(time.Second)
		}
		require.InDelta(t, 20+10, s.lines.Len(), 2)
		sum := int64(0)
		for _, n := range s.leftOut()["192.0.2.1"] {
			sum += n
		}
		require.InDelta(t, 6000-20, sum, 700, "what is not told yet is of the last minute")
		require.Equal(t, 6000, s.refused[security.Denied], "the counter has all")

		s.Note(denied("192.0.2.2:1"))
		s.Note(security.Event{Kind: security.LoginFailed, Peer: "192.0.2.1:1", Status: 401})
		all := s.lines.All()
		require.Equal(t, "192.0.2.2:1", all[len(all)-2].ContextMap()["peer"], "another network is not held up")
		require.Equal(t, "login_failed", all[len(all)-1].ContextMap()["kind"], "nor another kind")

		pass(3 * time.Minute) // a quiet one
		before := s.lines.Len()
		s.Note(denied("192.0.2.1:1"))
		require.Equal(t, before+1, s.lines.Len())
		s.stop()
		sum = 0
		for _, n := range s.leftOut()["192.0.2.1"] {
			sum += n
		}
		require.Equal(t, int64(6000-20), sum, "in the end nothing is untold")
	})
}

func TestWhateverAnAttackerDoesTheLogStaysSmall(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		for minute := range 5 {
			for i := range 20_000 { // as many networks, two kinds each
				peer := fmt.Sprintf("[2001:db8:%x:%x::1]:443", minute, i)
				s.Note(denied(peer))
				s.Note(security.Event{Kind: security.TokenRefused, Peer: peer, Status: 401})
			}
			pass(time.Minute)
		}
		require.Less(t, s.lines.Len(), 5*(300+70), "lines of five minutes")
		s.Note(security.Event{Kind: security.TokenRevoked, Peer: "192.0.2.1:1", User: "alice", Status: 200, Token: "0190"})
		all := s.lines.All()
		require.Equal(t, "token_revoked", all[len(all)-1].ContextMap()["kind"], "what nobody but an admin can do is never left out")
	})
}

func TestWhatOthersChoseIsCutAndEscaped(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		long := make([]byte, 10_000)
		for i := range long {
			long[i] = 'x'
		}
		for _, c := range []struct{ user, want string }{
			{"bob", "bob"},
			{"b\nob\r{\"kind\":\"logged_in\"}", `b\nob\r{"kind":"logged_in"}`},
			{"\x1b[2J", `\x1b[2J`},
			{"\u202egnp.exe", `\u202egnp.exe`},
			{"\xff\xfe", "?"},
			{"Jürgen", "Jürgen"},
			{string(long), string(long[:80]) + "…"},
		} {
			s.Note(security.Event{Kind: security.LoginFailed, Peer: "192.0.2.1:1", User: c.user, Path: string(long), Status: 401})
			last := s.lines.All()[s.lines.Len()-1].ContextMap()
			require.Equal(t, c.want, last["user"])
			require.Len(t, last["path"], 200+len("…"))
		}
	})
}

func TestNoLogTakesNothing(t *testing.T) {
	var none *security.Log
	none.Note(denied("192.0.2.1:1"))
	require.Nil(t, none)
}
