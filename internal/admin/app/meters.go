package app

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/security"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// meters are the admin's metrics.
type meters struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	took     *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

func newMeters() *meters {
	m := &meters{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "waygate_admin_calls_total", Help: "Calls answered, by method and status.",
		}, []string{"method", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "waygate_admin_call_duration_seconds", Help: "How long calls took.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 5},
		}, []string{"method"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "waygate_admin_refused_total", Help: "Calls refused, by what was wrong with them; the security log may list fewer.",
		}, []string{"kind"}),
	}
	for _, kind := range security.Refusals() {
		m.refused.WithLabelValues(string(kind))
	}
	m.registry.MustRegister(m.calls, m.took, m.refused, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch shows where follower and repairer stand.
func (m *meters) watch(f *state.Follower, r *state.Repairer) {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("waygate_admin_revision", "The revision this admin sees.", func() float64 { return float64(f.Status().Rev) })
	gauge("waygate_admin_connected", "Whether the link to the store is up.", func() float64 {
		return oneIf(f.Status().Link == state.LinkConnected)
	})
	gauge("waygate_admin_alarm", "Whether something is wrong with the store's history.", func() float64 {
		return oneIf(f.Status().Alarm != "" || r.Alarm() != "")
	})
	gauge("waygate_admin_stale_seconds", "How long ago the store last confirmed what this admin sees.", func() float64 {
		last := f.Status().LastInStep
		if last.IsZero() {
			return 0
		}
		return time.Since(last).Seconds()
	})
	gauge("waygate_clock_skew_seconds", "The store's clock minus this machine's, as it is corrected up to 5 minutes.", func() float64 {
		return f.Status().Clock.Skew.Seconds()
	})
	gauge("waygate_horizon_seconds", "How far ahead the occurrences of windows that recur are known; 0 while none recurs.", func() float64 {
		if at := f.Status(); !at.Horizon.IsZero() {
			return at.Horizon.Sub(f.Clock().Now()).Seconds()
		}
		return 0
	})
	gauge("waygate_horizon_alarm", "1 while the occurrences of windows that recur are known for less than 7 days ahead.", func() float64 { return oneIf(f.Status().HorizonAlarm != "") })
	gauge("waygate_clock_alarm", "1 while the clocks of store and machine are too far apart to be corrected.", func() float64 {
		return oneIf(f.Status().Clock.Alarm != "")
	})
}

// watchWindows shows how what windows do is announced, and how far ahead it is known.
func (m *meters) watchWindows(s *admin.Service) {
	count := func(name, help string, value func() uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	count("waygate_admin_announcements_total", "What windows did by themselves and this admin put into the log.", s.Announcements().Made)
	count("waygate_admin_announcements_late_total", "What windows did by themselves and this admin put into the log more than 5 seconds after it was due.", s.Announcements().Late)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// count counts the calls that next answers.
func (m *meters) count(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(m.calls, promhttp.InstrumentHandlerDuration(m.took, next))
}

// watchHooks shows what became of events, of the endpoints that this admin delivers to.
func (m *meters) watchHooks(d *webhook.Dispatcher) {
	for _, o := range []webhook.Outcome{webhook.OutcomeDelivered, webhook.OutcomeRefused, webhook.OutcomeGone, webhook.OutcomeFailed} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "waygate_webhook_deliveries_total", Help: "Attempts to deliver an event, by how they ended.",
			ConstLabels: prometheus.Labels{"outcome": string(o)},
		}, func() float64 { return float64(d.Attempts()[o]) }))
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "waygate_webhook_died_total", Help: "Events that became dead letters here.",
	}, func() float64 { return float64(d.Died()) }))
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("waygate_webhook_endpoints", "Endpoints that this admin delivers to now.", func() float64 { return float64(len(d.Holds())) })
	gauge("waygate_webhook_pending", "Events still to be delivered by this admin.", func() float64 { return float64(d.Pending()) })
	gauge("waygate_webhook_oldest_seconds", "How long ago the oldest event happened that is still to be delivered by this admin.", func() float64 { return d.OldestPending().Seconds() })
	gauge("waygate_webhook_dead", "Dead letters of the endpoints that this admin delivers to.", func() float64 { return float64(d.DeadLetters()) })
}
