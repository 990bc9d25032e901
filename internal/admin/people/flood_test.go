package people_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

func TestAFloodFromEverywhereSparesWhoIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t, newStore(t), "sesame", "", "key")
		login(t, p, "alice", "sesame")
		p.Flood()
		login(t, p, "alice", "sesame")
		var many *people.TooManyError
		_, err := p.Login(t.Context(), "alice", "sesame", state.PlatformCLI, "198.51.100.1:1")
		require.ErrorAs(t, err, &many)
	})
}

func TestNamesThatNobodyHasTakeNoRoom(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	for i := range 16 {
		name := strings.Repeat(string(rune('a'+i)), 4<<20)
		_, err := p.Login(t.Context(), name, "x", state.PlatformCLI, "198.51.100."+string(rune('0'+i%8))+":1")
		require.ErrorIs(t, err, people.ErrCredentials)
	}
	require.Less(t, held(), before+16<<20, "of 64 MB that were sent")
	runtime.KeepAlive(p)
}

// slow is a store whose next answer about the private part comes late.
type slow struct {
	state.Store
	hold atomic.Pointer[chan struct{}]
}

func (s *slow) Private(ctx context.Context) (map[string][]byte, error) {
	fields, err := s.Store.Private(ctx)
	if hold := s.hold.Swap(nil); hold != nil {
		<-*hold
	}
	return fields, err
}

func TestALateAnswerBringsNoTokenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slow{Store: newStore(t)}
		p := newPeople(t, store, "sesame", "", "key")
		s := login(t, p, "alice", "sesame")
		late := make(chan struct{})
		store.hold.Store(&late)
		go func() { _ = p.Refresh(t.Context()) }()
		synctest.Wait() // it has read, and not taken over
		go func() { _ = p.Logout(t.Context(), s.Principal) }()
		synctest.Wait()
		close(late)
		synctest.Wait()
		_, err := p.Verify(s.Token)
		require.ErrorIs(t, err, people.ErrToken)
	})
}

func TestARevocationOutlivesItsTokenWhereClocksDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t)
		p := newPeople(t, store, "sesame", "", "key")
		first, second := login(t, p, "alice", "sesame"), login(t, p, "alice", "sesame")
		require.NoError(t, p.Logout(t.Context(), first.Principal))
		revoked := func() bool {
			fields, err := store.Private(t.Context())
			require.NoError(t, err)
			_, ok := fields["revoked:"+first.TokenID]
			return ok
		}
		time.Sleep(24*time.Hour + time.Minute)
		require.NoError(t, p.Logout(t.Context(), second.Principal))
		require.True(t, revoked())
		time.Sleep(24 * time.Hour)
		require.NoError(t, p.Logout(t.Context(), login(t, p, "alice", "sesame").Principal))
		require.False(t, revoked(), "it is not kept for ever")
	})
}

func TestAKeyThatWasUsedForAnotherTermIsRefused(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	admin := login(t, p, "alice", "sesame").Principal
	_, err := p.CreateToken(t.Context(), admin, "k", "bot", people.Viewer, time.Hour)
	require.NoError(t, err)
	_, err = p.CreateToken(t.Context(), admin, "k", "bot", people.Viewer, 2*time.Hour)
	require.ErrorIs(t, err, people.ErrKeyReused)
}

func TestAPasswordThatNoLoginTakesIsRefused(t *testing.T) {
	_, err := people.NewRoster("alice", strings.Repeat("é", people.MaxPassword), "", zaptest.NewLogger(t))
	require.NoError(t, err)
	_, err = people.NewRoster("alice", strings.Repeat("é", people.MaxPassword+1), "", zaptest.NewLogger(t))
	require.ErrorContains(t, err, "longer than 1024 characters")
}
