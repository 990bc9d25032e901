package app

import (
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// onEdge is how far from the edge of a window a verdict may be wrong.
const onEdge = 50 * time.Millisecond

// wrongBy is a machine's clock that is wrong by d.
func wrongBy(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }

// storeTime is what the store's clock says.
func storeTime(t *testing.T, s *redisstore.Store) time.Time {
	t.Helper()
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	return p.Now
}

// window has a path blocked from a start to an end.
func window(t *testing.T, s *redisstore.Store, path string, start, end time.Time) state.Receipt {
	t.Helper()
	c := statetest.Block(t, path, "night")
	c.Patch = state.Patch{}
	require.NoError(t, c.Patch.SetWindow(state.Window{
		ID: "w:" + path, Target: state.Target{Key: statetest.Key(t, path)}, Start: start, End: end,
		Effect: state.EffectMaintenance, Reason: "night", Origin: state.OriginWindow,
	}))
	return statetest.Commit(t, s, c)
}

// skewOf reads the skew that the metrics tell, in seconds.
func skewOf(t *testing.T, r *running) float64 {
	t.Helper()
	_, body := page(t, r.ready.Ops, "/metrics")
	found := regexp.MustCompile(`(?m)^waygate_clock_skew_seconds (\S+)$`).FindStringSubmatch(body)
	require.Len(t, found, 2)
	skew, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return skew
}

// Each check lies between two readings of the store's clock, so that a machine that is busy makes fewer checks count, and
// only a clock that is wrong makes one fail.
func TestTheEdgesOfAWindowAreTheStores(t *testing.T) {
	redis, s := seeded(t)
	for i, wrong := range []time.Duration{90 * time.Second, -90 * time.Second} {
		r, is := launchAt(t, zap.NewNop(), wrongBy(wrong), "--source", redis.URL(), "--listen", "127.0.0.1:0", "--instance-id", "one"+strconv.Itoa(i))
		r.awaited(is)
		c := client(t, r.ready.Listen[0])
		start := storeTime(t, s).Add(time.Second).Truncate(time.Microsecond)
		end := start.Add(700 * time.Millisecond)
		path := "/night-" + strconv.Itoa(i)
		done := window(t, s, path, start, end)
		require.Eventually(t, func() bool { _, is := r.readiness(); return is.Revision >= done.Frame.Rev }, patience, again)

		seen := map[string]int{}
		for before := storeTime(t, s); before.Before(end.Add(200*time.Millisecond)) || seen["after"] == 0; {
			verdict := code(t, c, path)
			after := storeTime(t, s)
			switch {
			case after.Before(start.Add(-onEdge)):
				require.Equal(t, http.StatusOK, verdict, "%s before it begins", start.Sub(after))
				seen["before"]++
			case before.After(start.Add(onEdge)) && after.Before(end.Add(-onEdge)):
				require.Equal(t, http.StatusServiceUnavailable, verdict, "%s after it began", before.Sub(start))
				seen["within"]++
			case before.After(end.Add(onEdge)):
				require.Equal(t, http.StatusOK, verdict, "%s after it ended", before.Sub(end))
				seen["after"]++
			}
			before = after
		}
		t.Logf("a clock that is off by %s: %v", wrong, seen)
		require.InDelta(t, -wrong.Seconds(), skewOf(t, r), onEdge.Seconds())
	}
}

func TestBeyondFiveMinutesTheMachinesOwnClockStands(t *testing.T) {
	redis, s := seeded(t)
	core, logs := observer.New(zap.WarnLevel)
	r, is := launchAt(t, zap.New(core), wrongBy(6*time.Minute), "--source", redis.URL(), "--listen", "127.0.0.1:0")
	r.awaited(is)
	now := storeTime(t, s)
	window(t, s, "/now", now.Add(-time.Minute), now.Add(time.Minute))
	window(t, s, "/soon", now.Add(5*time.Minute), now.Add(8*time.Minute))
	becomes(t, client(t, r.ready.Listen[0]), "/soon", http.StatusServiceUnavailable)
	require.Equal(t, http.StatusOK, code(t, client(t, r.ready.Listen[0]), "/now"))

	status, ready := r.readiness()
	require.Equal(t, http.StatusOK, status, "a wrong clock is no reason to ask nobody")
	require.Contains(t, ready.Alarm, "6m0s behind this machine's")
	require.InDelta(t, -360_000, ready.SkewMS, 1000)
	require.InDelta(t, -360, skewOf(t, r), 1)
	_, body := page(t, r.ready.Ops, "/metrics")
	require.Contains(t, body, "waygate_clock_alarm 1")
	require.Contains(t, body, "waygate_authz_source_alarm 0")
	require.Eventually(t, func() bool {
		report, ok := reported(t, s)
		return ok && report.Alarm == ready.Alarm && report.SkewMS < -359_000
	}, patience, again)
	require.Equal(t, 1, logs.FilterMessage("the clocks are too far apart").FilterLevelExact(zap.ErrorLevel).Len())
}
