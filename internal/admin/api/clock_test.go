package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// shifted is a store whose clock is ahead of ours.
type shifted struct {
	state.Backend
	by time.Duration
}

// Pulse implements state.Source.
func (s shifted) Pulse(ctx context.Context) (state.Pulse, error) {
	p, err := s.Backend.Pulse(ctx)
	p.Now = p.Now.Add(s.by)
	return p, err //nolint:wrapcheck // it is the store's own error
}

func TestWhatIsSaidNowBeginsByTheStoresClock(t *testing.T) {
	tests := []struct {
		name         string
		ahead, dated time.Duration
		level, says  string
	}{
		{name: "ahead", ahead: 90 * time.Second, dated: 90 * time.Second, level: "warn", says: "the store's clock is 1m30s ahead of this machine's"},
		{name: "behind", ahead: -90 * time.Second, dated: -90 * time.Second, level: "warn", says: "the store's clock is 1m30s behind this machine's"},
		{name: "too far ahead", ahead: time.Hour, level: "fail", says: "the store's clock is 1h0m0s ahead of this machine's"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAdmin(t, setup{store: shifted{newFlaky(t), tt.ahead}})
			now := time.Now().Add(tt.dated)
			r := a.do("GET:/a", "maintenance", `{"until":"30m"}`)
			require.Equal(t, "maintenance", r.Status, "it begins at once")
			require.NotNil(t, r.Until)
			require.WithinDuration(t, now.Add(30*time.Minute), *r.Until, 5*time.Second)

			var d wire.Doctor
			a.get("/api/doctor").into(&d)
			require.InDelta(t, float64(tt.ahead.Milliseconds()), d.ClockAhead, 100)
			require.WithinDuration(t, now, d.Now, 5*time.Second)
			for _, f := range d.Findings {
				if f.Subject == "clock" {
					require.Equal(t, tt.level, f.Level)
					require.Contains(t, f.Message, tt.says)
				}
			}
		})
	}
}

func TestTheClockOfAnInstanceIsSeen(t *testing.T) {
	a := newAdmin(t, setup{})
	require.NoError(t, a.store.Report(t.Context(), state.Report{ID: "gw-1", SkewMS: -90_000, Link: "connected"}))
	var fleet []wire.Instance
	a.get("/api/instances").into(&fleet)
	require.Len(t, fleet, 1)
	require.Equal(t, int64(-90_000), fleet[0].SkewMS)
	require.Contains(t, string(a.get("/api/doctor").body), "the store's clock and that of gw-1 differ by 1m30s")
}
