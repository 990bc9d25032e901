package redisstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// A clock that is fed by a follower lies between what Redis says just before and just after it is read.
func TestAClockTellsTheServersTime(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "clock")
	statetest.Seeded(t, s)
	client := raw(t, server)
	for _, wrong := range []time.Duration{90 * time.Second, -90 * time.Second} {
		reader, err := redisstore.OpenReader(t.Context(), server.URL(), "clock", redisstore.Options{})
		require.NoError(t, err)
		clock := state.NewClock(state.ClockOptions{Local: func() time.Time { return time.Now().Add(wrong) }})
		f := state.NewFollower(reader, &state.Cache{}, state.FollowerOptions{Clock: clock})
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Run(t.Context())
		}()
		t.Cleanup(func() {
			<-done
			require.NoError(t, reader.Close())
		})
		<-f.Ready()
		worst := time.Duration(0)
		// On a busy machine the first answer can take long, and a clock knows no better before the next.
		eventually(t, func() bool {
			worst = 0
			for range 1000 {
				before, err := client.Time(t.Context()).Result()
				require.NoError(t, err)
				now := clock.Now()
				after, err := client.Time(t.Context()).Result()
				require.NoError(t, err)
				worst = max(worst, before.Sub(now), now.Sub(after))
			}
			return worst <= 50*time.Millisecond
		}, "the clock is not the server's")
		t.Logf("a clock that is wrong by %s is off by at most %s", wrong, worst)
	}
}
