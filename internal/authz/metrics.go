package authz

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waygate/waygate/internal/state"
)

// Metrics gives what a server counted, and where its follower stands, to Prometheus. Nothing is done for it while a
// check is answered: everything is read when it is asked for.
type Metrics struct {
	server  *Server
	status  func() state.FollowStatus
	version string
}

// NewMetrics makes the collector to register.
func NewMetrics(s *Server, status func() state.FollowStatus, version string) *Metrics {
	return &Metrics{server: s, status: status, version: version}
}

// metric describes one of ours.
func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("waygate_authz_"+name, help, labels, nil)
}

// Describe leaves the collector unchecked: what it gives depends on what happened.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, x float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, x, labels...)
	}
	s := m.server
	checks := metric("checks_total", "Checks answered, by verdict and by what decided.", "verdict", "cause")
	for i := range s.counts.by {
		d := state.Decision{Cause: state.Cause(i)}
		verdict := "passed"
		if d.Refused() {
			verdict = "refused"
		}
		count(checks, s.counts.by[i].Load(), verdict, causeName(d.Cause))
	}
	count(metric("unreadable_total", "Checks of requests that cannot be read in one way, refused or not."), s.counts.unreadable.Load())
	count(metric("broken_checks_total", "Checks that broke inside and were answered all the same. Always 0, or there is a fault to report."), s.panicked.Load())
	n, sum, buckets := s.durations.histogram()
	out <- prometheus.MustNewConstHistogram(metric("check_duration_seconds",
		"Time from the bytes of a check to those of its answer, of one check in 64."), n, sum, buckets)

	at := m.status()
	gauge(metric("snapshot_revision", "Revision that is enforced.", "epoch"), float64(at.Rev), at.Epoch)
	if !at.LastInStep.IsZero() {
		gauge(metric("snapshot_age_seconds", "Time since the source last confirmed what is enforced."), time.Since(at.LastInStep).Seconds())
	}
	link := metric("source_link", "1 for the state in which the link to the source is.", "state")
	for _, is := range []state.Link{state.LinkConnected, state.LinkReconnecting, state.LinkHolding} {
		gauge(link, number(at.Link == is), string(is))
	}
	gauge(metric("source_alarm", "1 while the source holds something that must not be adopted."), number(at.Alarm != ""))
	gauge(metric("stale", "1 while what is enforced is older than --max-stale."), number(s.stale.Load()))
	gauge(prometheus.NewDesc("waygate_clock_skew_seconds", "The store's clock minus this machine's, as it is corrected up to 5 minutes.", nil, nil),
		at.Clock.Skew.Seconds())
	gauge(prometheus.NewDesc("waygate_clock_alarm", "1 while the clocks of store and machine are too far apart to be corrected.", nil, nil), number(at.Clock.Alarm != ""))
	if !at.Horizon.IsZero() {
		gauge(prometheus.NewDesc("waygate_horizon_seconds", "How far ahead the occurrences of windows that recur are known.", nil, nil),
			at.Horizon.Sub(s.Now()).Seconds())
	}
	gauge(prometheus.NewDesc("waygate_horizon_alarm", "1 while the occurrences of windows that recur are known for less than 7 days ahead.", nil, nil), number(at.HorizonAlarm != ""))
	gauge(metric("build_info", "1, with the version of this program.", "version"), 1, m.version)
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
