package redisstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
)

func TestReportsLiveForADay(t *testing.T) {
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "day"), raw(t, server)
	require.NoError(t, s.Report(t.Context(), state.Report{ID: "a"}))
	left := run(t, c, "PTTL", "{wg:day}:fleet:a").(int64)
	require.InDelta(t, state.GoneAfter.Milliseconds(), left, float64(time.Minute.Milliseconds()))

	// The server's clock stamps a report, not ours: when it expires tells when it came.
	run(t, c, "PEXPIRE", "{wg:day}:fleet:a", left-4000)
	reports, err := s.Reports(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 1)
	require.GreaterOrEqual(t, reports[0].Age, 4*time.Second)
	require.Less(t, reports[0].Age, 10*time.Second)
	require.Equal(t, state.Lost, reports[0].Presence())
	run(t, c, "DEL", "{wg:day}:fleet:a")
	reports, err = s.Reports(t.Context())
	require.NoError(t, err)
	require.Empty(t, reports)
}

// In a Redis that others fill, the first look goes through all of it, and later ones through a part each. What was
// found once is read directly, also when it comes back after a wipe.
func TestReportsAmongManyKeysOfOthers(t *testing.T) {
	const others = 100_000
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "many"), raw(t, server)
	_, err := c.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for i := range others {
			pipe.Set(t.Context(), fmt.Sprintf("other:%d", i), "x", 0)
		}
		return nil
	})
	require.NoError(t, err)
	for i := range 20 {
		require.NoError(t, s.Report(t.Context(), state.Report{ID: fmt.Sprintf("gate-%02d", i)}))
	}
	scans := func() int64 { return calls(t, c, "scan") }
	reports, err := s.Reports(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 20)
	require.Equal(t, "gate-00", reports[0].ID)
	require.GreaterOrEqual(t, scans(), int64(others/1000), "the first look is at everything")

	before := scans()
	reports, err = s.Reports(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 20)
	require.LessOrEqual(t, scans()-before, int64(16), "later ones are bounded")

	// A new one is found after some more looks.
	require.NoError(t, s.Report(t.Context(), state.Report{ID: "new"}))
	for looks := 1; ; looks++ {
		reports, err = s.Reports(t.Context())
		require.NoError(t, err)
		if len(reports) == 21 {
			break
		}
		require.LessOrEqual(t, looks, others/16_000+2)
	}

	_, err = c.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for _, r := range reports {
			pipe.Del(t.Context(), "{wg:many}:fleet:"+r.ID)
		}
		return nil
	})
	require.NoError(t, err)
	reports, err = s.Reports(t.Context())
	require.NoError(t, err)
	require.Empty(t, reports)
	require.NoError(t, s.Report(t.Context(), state.Report{ID: "gate-07", Rev: 7}))
	reports, err = s.Reports(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 1, "it is known by name")
}

// calls is how often the server ran a command.
func calls(t *testing.T, c *redis.Client, command string) int64 {
	t.Helper()
	text, err := c.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	for line := range strings.Lines(text) {
		var n int64
		if _, err := fmt.Sscanf(line, "cmdstat_"+command+":calls=%d,", &n); err == nil {
			return n
		}
	}
	return 0
}

func TestReportWithoutAnIDIsRefused(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "noid")
	var invalid *state.InvalidError
	require.ErrorAs(t, s.Report(t.Context(), state.Report{}), &invalid)
}
