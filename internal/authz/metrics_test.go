package authz

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestMetricsTellWhatWasCounted(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	at := state.FollowStatus{Meta: state.Meta{Epoch: "e", Rev: 42}, Link: state.LinkHolding, Alarm: "empty"}
	at.Clock = state.ClockStatus{Skew: -400 * time.Second, Alarm: "too far"}
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(NewMetrics(s, func() state.FollowStatus { return at }, "v1")))
	scrape := func() string {
		w := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).
			ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		require.Equal(t, 200, w.Code, w.Body)
		return w.Body.String()
	}
	require.NotContains(t, scrape(), "snapshot_age_seconds", "its age is not known yet")

	c := newCodec()
	for range sampleEvery {
		require.NoError(t, c.Unmarshal(nil, &verdict{server: s}))
	}
	s.Check(wire(t, asked("GET", "/payments", nil)), noon)
	s.Check(wire(t, asked("GET", "/orders", nil)), noon)
	s.SetStale(true)
	at.LastInStep = time.Now().Add(-time.Minute)
	text := scrape()
	for _, want := range []string{
		`waygate_authz_checks_total{cause="maintenance",verdict="refused"} 1`,
		`waygate_authz_checks_total{cause="none",verdict="passed"} 1`,
		`waygate_authz_checks_total{cause="unreadable",verdict="refused"} 64`,
		`waygate_authz_unreadable_total 64`,
		`waygate_authz_broken_checks_total 0`,
		`waygate_authz_check_duration_seconds_count 1`,
		`waygate_authz_snapshot_revision{epoch="e"} 42`,
		`waygate_authz_snapshot_age_seconds 60.`,
		`waygate_authz_source_link{state="holding"} 1`,
		`waygate_authz_source_link{state="connected"} 0`,
		`waygate_authz_source_alarm 1`,
		`waygate_authz_stale 1`,
		`waygate_clock_skew_seconds -400`,
		`waygate_clock_alarm 1`,
		`waygate_authz_build_info{version="v1"} 1`,
	} {
		require.Contains(t, text, want)
	}
}
