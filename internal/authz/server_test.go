package authz

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// codeOf is the error.code of a refusal, or empty for a pass.
func codeOf(tb testing.TB, response []byte) string {
	tb.Helper()
	r := answered(tb, response)
	if r.GetStatus().GetCode() == 0 {
		require.NotNil(tb, r.GetOkResponse())
		return ""
	}
	code, ok := r.GetDynamicMetadata().AsMap()["code"].(string)
	require.True(tb, ok)
	return code
}

func TestCapturedChecksAreJudged(t *testing.T) {
	s := newTestServer(t, truth(t, func(p state.Patch) {
		route(t, p, "shop:GET:/orders/{id}", func(r *state.Route) { r.Standing = &state.Block{Effect: state.EffectDisabled} })
		route(t, p, "POST:/orders", func(r *state.Route) { r.Gate = &state.Gate{Envs: []string{"dev"}} })
	}), Options{})
	for name, message := range captured(t) {
		want := "ENV_GATED"
		if strings.HasPrefix(name, "browser") {
			want = "ROUTE_DISABLED"
		}
		require.Equal(t, want, codeOf(t, s.Check(message, noon)), name)
	}
	require.Equal(t, Totals{Checks: 4, Refused: 4}, s.Totals())
}

func TestWhatCannotBeReadPassesWhileNothingIsGoverned(t *testing.T) {
	idle := newTestServer(t, truth(t, func(state.Patch) {}), Options{})
	busy := newTestServer(t, gate(t), Options{})
	for _, message := range [][]byte{nil, {0xff}, []byte("\x0a\x05x"), wire(t, asked("GET", "", nil)), wire(t, asked("", "/", nil))} {
		require.Empty(t, codeOf(t, idle.Check(message, noon)))
		require.Equal(t, "UNREADABLE_REQUEST", codeOf(t, busy.Check(message, noon)))
	}
	require.Equal(t, Totals{Checks: 5, Unreadable: 5}, idle.Totals())
	require.Equal(t, Totals{Checks: 5, Refused: 5, Unreadable: 5}, busy.Totals())
}

func TestWithoutASnapshotEverythingIsRefused(t *testing.T) {
	s := newTestServer(t, nil, Options{})
	require.True(t, s.TakenAway())
	require.Equal(t, "STATE_UNKNOWN", codeOf(t, s.Check(wire(t, asked("GET", "/", nil)), noon)))
}

func TestAStaleSnapshotIsTreatedAsAsked(t *testing.T) {
	tests := []struct {
		name             string
		onStale          Stale
		blocked, open    string
		taken            bool
		reported, passed uint64
	}{
		{name: "by default", blocked: "MAINTENANCE_MODE"},
		{name: "keep", onStale: StaleKeep, blocked: "MAINTENANCE_MODE"},
		{name: "open", onStale: StaleOpen, taken: true},
		{name: "closed", onStale: StaleClosed, blocked: "STATE_UNKNOWN", open: "STATE_UNKNOWN", taken: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestServer(t, gate(t), Options{OnStale: tt.onStale})
			require.False(t, s.TakenAway())
			require.Equal(t, "MAINTENANCE_MODE", codeOf(t, s.Check(wire(t, asked("GET", "/payments", nil)), noon)))

			s.SetStale(true)
			require.Equal(t, tt.taken, s.TakenAway())
			require.Equal(t, tt.blocked, codeOf(t, s.Check(wire(t, asked("GET", "/payments", nil)), noon)))
			require.Equal(t, tt.open, codeOf(t, s.Check(wire(t, asked("GET", "/orders", nil)), noon)))

			s.SetStale(false)
			require.Equal(t, "MAINTENANCE_MODE", codeOf(t, s.Check(wire(t, asked("GET", "/payments", nil)), noon)))
			require.Empty(t, codeOf(t, s.Check(wire(t, asked("GET", "/orders", nil)), noon)))
		})
	}
}

func TestACheckThatBreaksIsAnswered(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	// A request without memory for its lists breaks where it is read: nothing a client can send does.
	s.requests.New = func() any { return (*request)(nil) }
	require.Equal(t, "UNREADABLE_REQUEST", codeOf(t, s.Check(wire(t, asked("GET", "/orders", nil)), noon)))
	require.Equal(t, uint64(1), s.panicked.Load())

	idle := newTestServer(t, truth(t, func(state.Patch) {}), Options{})
	idle.requests.New = s.requests.New
	require.Empty(t, codeOf(t, idle.Check(wire(t, asked("GET", "/orders", nil)), noon)))

	// Not even what cannot be read can be decided on.
	broken := newTestServer(t, nil, Options{})
	broken.opt.Cache = nil
	require.Equal(t, "STATE_UNKNOWN", codeOf(t, broken.Check(wire(t, asked("GET", "/orders", nil)), noon)))
}

func TestChecksDoNotAllocate(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	for name, message := range captured(t) {
		s.Check(message, noon) // its template is counted from now on
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { s.Check(message, noon) }), 0.1, name)
	}
}

func BenchmarkCheck(b *testing.B) {
	s := newTestServer(b, gate(b), Options{})
	for name, message := range captured(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Check(message, time.Now())
			}
		})
	}
	denied := wire(b, asked("GET", "/payments", nil))
	b.Run("denied", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Check(denied, time.Now())
		}
	})
}
