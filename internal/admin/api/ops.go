package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// Readiness answers GET /readyz.
type Readiness struct {
	Ready bool `json:"ready"`
	// Link is that of the follower, Alarm what it holds against the store and its clock.
	Link  string `json:"link"`
	Alarm string `json:"alarm,omitempty"`
	// SkewMS is the store's clock minus this machine's, in milliseconds.
	SkewMS int64 `json:"skew_ms"`
	// Durability is what an acknowledged change survives.
	Durability string   `json:"durability"`
	Warnings   []string `json:"warnings,omitempty"`
	wire.Place
}

// Operations serves /livez, /readyz and /metrics. They need no token, but /metrics does unless the caller is on this
// machine. Everything else goes to next (nil: it does not exist).
func Operations(cfg Config, follower *state.Follower, warnings func() []string, metrics prometheus.Gatherer, next http.Handler) http.Handler {
	o := &operations{cfg: cfg, follower: follower, warnings: warnings, next: next}
	o.metrics = promhttp.HandlerFor(metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return o
}

type operations struct {
	cfg      Config
	follower *state.Follower
	warnings func() []string
	metrics  http.Handler
	next     http.Handler
}

// ServeHTTP implements http.Handler.
func (o *operations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case r.URL.Path == "/livez" && read:
		headers(w.Header())
		writeJSON(w, http.StatusOK, map[string]bool{"live": true})
	case r.URL.Path == "/readyz" && read:
		headers(w.Header())
		o.ready(w)
	case r.URL.Path == "/metrics" && read:
		headers(w.Header())
		o.serveMetrics(w, r)
	case o.next != nil:
		o.next.ServeHTTP(w, r)
	default:
		headers(w.Header())
		write(w, newProblem(http.StatusNotFound, wire.ProblemBlank, "there is no such address"))
	}
}

// ready tells whether reads are answered. A store that is away does not make an admin unready: another one would not
// reach it either.
func (o *operations) ready(w http.ResponseWriter) {
	s := o.follower.Status()
	is := Readiness{
		Ready: s.Epoch != "", Link: string(s.Link), Alarm: s.Alarms(), SkewMS: s.Clock.Skew.Milliseconds(), Place: place(s.Meta), Warnings: o.warnings(),
		Durability: string(o.cfg.Service.Durability()),
	}
	status := http.StatusOK
	if !is.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, is)
}

func (o *operations) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !fromHere(r) {
		gate := &server{cfg: o.cfg}
		who, err := gate.admit(r)
		seen := &visit{user: who.Name}
		if err != nil {
			seen.kind = refusalOf(r)
		} else if !o.cfg.People.Open() {
			err = who.May(people.ScopeRead)
		}
		if err != nil {
			p := problemOf(err)
			gate.note(r, seen, p.Status)
			write(w, p)
			return
		}
	}
	w.Header().Del("Content-Security-Policy")
	o.metrics.ServeHTTP(w, r)
}

// fromHere reports whether a caller is on this machine. One that was forwarded is not.
func fromHere(r *http.Request) bool {
	if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr == "" || strings.HasPrefix(r.RemoteAddr, "@") // a Unix socket
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
