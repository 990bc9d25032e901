package authz

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Fleet is where an instance reports.
type Fleet interface {
	// Report stores what an instance says of itself.
	Report(ctx context.Context, r state.Report) error
}

// Times of a reporter.
const (
	reportEvery    = time.Second
	reportDeadline = 800 * time.Millisecond
)

// Reporter tells the fleet what an instance enforces: once a second and after each change. That is how a command can
// say that it is enforced everywhere, and how routes become known by being asked for.
type Reporter struct {
	identity state.Report
	server   *Server
	status   func() state.FollowStatus
	fleet    Fleet
	log      *zap.Logger

	kick   chan struct{}
	failed bool
}

// NewReporter makes a reporter. Identity is what never changes: ID, Version, Service and Env.
func NewReporter(identity state.Report, s *Server, status func() state.FollowStatus, fleet Fleet, log *zap.Logger) *Reporter {
	identity.Boot = s.Boot()
	return &Reporter{identity: identity, server: s, status: status, fleet: fleet, log: log, kick: make(chan struct{}, 1)}
}

// Applied has the reporter report at once. It never blocks.
func (r *Reporter) Applied() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// Run reports until ctx ends.
func (r *Reporter) Run(ctx context.Context) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		r.send(ctx, false)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.kick:
		}
	}
}

// Bye is the last report, of an orderly stop. It is called after Run has returned, and gives up when ctx ends.
func (r *Reporter) Bye(ctx context.Context) { r.send(ctx, true) }

// send reports once. That reports do not arrive is logged once, until they do again.
func (r *Reporter) send(ctx context.Context, bye bool) {
	deadline, cancel := context.WithTimeout(ctx, reportDeadline)
	defer cancel()
	err := r.fleet.Report(deadline, r.report(bye))
	switch {
	case err == nil && r.failed:
		r.failed = false
		r.log.Info("reports to the fleet arrive again")
	case err != nil && !r.failed && ctx.Err() == nil:
		r.failed = true
		r.log.Warn("reports to the fleet do not arrive", zap.Error(err))
	}
}

// report is what there is to say now.
func (r *Reporter) report(bye bool) state.Report {
	at, totals := r.status(), r.server.Totals()
	report := r.identity
	report.Epoch, report.Gen, report.Rev, report.Head = at.Epoch, at.Gen, at.Rev, at.Head.String()
	report.Link, report.Alarm, report.Bye = string(at.Link), at.Alarms(), bye
	report.SkewMS = at.Clock.Skew.Milliseconds()
	report.Checks, report.Refused, report.Unreadable = totals.Checks, totals.Refused, totals.Unreadable
	if snapshot := r.server.opt.Cache.Load(); snapshot != nil {
		report.Hits, report.Unseen = r.server.seen.counts(snapshot.Document())
	}
	return report
}
