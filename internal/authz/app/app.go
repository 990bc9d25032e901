package app

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/authz"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/serve"
	"github.com/waygate/waygate/internal/state"
)

// How long the steps of a stop may take. The slow ones come first, while checks are still answered.
const (
	byeWithin    = 400 * time.Millisecond // the last report, where the source does not answer
	answerWithin = 5 * time.Second        // the checks under way
)

// Run answers checks until ctx ends, then stops in order. Ready, if not nil, is told where once it answers. The error
// says why it could not start, or what went wrong while it stopped.
func Run(ctx context.Context, cfg Config, log *zap.Logger, ready func(serve.Ready)) error {
	p, err := cfg.settle()
	if err != nil {
		return err
	}
	a := &app{plan: p, log: log, failed: make(chan error, 8)}
	err = a.start(ctx)
	switch {
	case err == nil:
		err = a.work(ctx, ready)
	case ctx.Err() != nil:
		log.Info("the start was called off", zap.Error(err))
		err = nil
	}
	return errors.Join(err, a.teardown.Run(context.WithoutCancel(ctx)))
}

// app is one instance. Even after a start that failed, teardown undoes what was started.
type app struct {
	*plan
	log      *zap.Logger
	teardown serve.Teardown
	failed   chan error

	cache      state.Cache
	truth      truth
	follower   *state.Follower
	disk       *state.Disk
	kept       *state.Saved // what was on disk at the start
	server     *authz.Server
	edge       *authz.Edge
	reporter   *authz.Reporter // nil until checks are answered
	processors *processors
	draining   atomic.Bool
	answering  atomic.Bool

	listeners []*serve.Listener
	ops       *serve.Listener
}

// start does all that needs no snapshot.
func (a *app) start(ctx context.Context) error {
	clock := state.NewClock(state.ClockOptions{Local: a.local, OnChange: a.clockChanged})
	a.server = authz.NewServer(authz.Options{
		Cache: &a.cache, Clock: clock, Service: a.Service, Env: a.Env, KeepPathHeaders: a.KeepPathHeaders,
		OnStale: authz.Stale(a.OnStale), RetryJitter: a.RetryJitter, Log: a.log.Named("check"),
	})
	a.edge = authz.NewEdge(a.server)
	a.teardown.Push("answer the last checks", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		a.edge.Stop(ctx)
		return nil
	})
	a.processors = newProcessors(a.OwnProcess)
	if a.OwnProcess {
		tuneMemory(a.log)
	}
	snapshot, err := a.remember()
	if err != nil {
		return err
	}
	if err := a.openSource(ctx); err != nil {
		return err
	}
	a.follower = state.NewFollower(a.truth, &a.cache, state.FollowerOptions{OnApply: a.applied, OnState: a.linkChanged, Clock: clock})
	if snapshot != nil {
		a.follower.SetInitial(snapshot)
		go snapshot.Gather()
	}
	if err := a.serveOps(ctx); err != nil {
		return err
	}
	a.follow(ctx)
	return nil
}

// remember opens the directory of snapshots and gives the one to begin with, nil where there is none.
func (a *app) remember() (*state.Snapshot, error) {
	if a.SnapshotDir == "" {
		return nil, nil //nolint:nilnil // it is not an error to know nothing
	}
	var err error
	a.disk, err = state.OpenDisk(a.SnapshotDir, "authz-"+a.Namespace, func(at state.Meta, err error) {
		if err != nil {
			a.log.Error("the snapshot cannot be kept on disk", zap.Uint64("revision", at.Rev), zap.Error(err))
		}
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the directory
	}
	saved, err := a.disk.Load()
	if errors.Is(err, state.ErrEmpty) {
		return nil, nil //nolint:nilnil // it is not an error to know nothing
	}
	var snapshot *state.Snapshot
	if err == nil {
		snapshot, err = state.Compile(saved.Document)
	}
	if err != nil {
		// It costs the independence of this start, and no more.
		a.log.Error("the snapshots on disk cannot be used", zap.Error(err))
		return nil, nil //nolint:nilnil // it was logged
	}
	if saved.Damage != nil {
		a.log.Warn("one of the two snapshots on disk was damaged and was put aside", zap.Error(saved.Damage))
	}
	a.kept = &saved
	a.log.Info("beginning with the snapshot on disk", zap.Uint64("revision", saved.Document.Rev), zap.Time("written", saved.At))
	return snapshot, nil
}

// follow sets going what runs beside the checks. All of it has ended when its step of the teardown is over.
func (a *app) follow(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { a.follower.Run(ctx) })
	running.Go(func() { a.processors.run(ctx) })
	if a.disk != nil {
		running.Go(func() { a.disk.Run(ctx) })
	}
	if a.MaxStale > 0 {
		running.Go(func() { a.watchAge(ctx) })
	}
	a.teardown.Push("stop following", func(context.Context) error {
		cancel()
		running.Wait()
		return nil
	})
}

// applied is told of each new snapshot by the follower.
func (a *app) applied(s *state.Snapshot, frames []state.Frame) {
	if frames == nil {
		go s.Gather()
	}
	// The disk takes its time with a large document, and not at once.
	a.processors.hold(time.Duration(s.Document().RouteCount()) * 100 * time.Microsecond)
	if a.disk != nil {
		a.disk.Keep(state.Saved{Document: s.Document()})
	}
	if a.answering.Load() {
		a.reporter.Applied()
	}
}

// linkChanged is told by the follower.
func (a *app) linkChanged(s state.FollowStatus) {
	log := a.log.Info
	if s.Alarm != "" {
		log = a.log.Error
	} else if s.Link != state.LinkConnected {
		log = a.log.Warn
	}
	log("the link to the source changed", zap.String("link", string(s.Link)), zap.Uint64("revision", s.Rev),
		zap.String("alarm", s.Alarm), zap.String("trouble", s.Trouble))
}

// clockChanged is told by the clock.
func (a *app) clockChanged(s state.ClockStatus) {
	skew := zap.Duration("skew", s.Skew)
	switch {
	case s.Alarm != "":
		a.log.Error("the clocks are too far apart", skew, zap.String("alarm", s.Alarm))
	case s.Skew.Abs() >= time.Second:
		a.log.Warn("this machine's clock is wrong and is corrected by the store's: have NTP set it", skew)
	default:
		a.log.Info("this machine's clock and the store's agree again", skew)
	}
}

// work waits until there is something to answer with, answers until ctx ends, and drains.
func (a *app) work(ctx context.Context, ready func(serve.Ready)) error {
	if err := a.awaitTruth(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	is, err := a.listenForChecks(ctx)
	if err != nil {
		return err
	}
	a.report(ctx)
	if err := is.Write(a.ReadyFile); err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	at := a.follower.Status()
	a.log.Info("ready", zap.Strings("listen", is.Listen), zap.String("ops", is.Ops), zap.String("source", a.truth.Address()),
		zap.String("version", config.Version()), zap.Uint64("revision", at.Rev), zap.String("link", string(at.Link)))
	if ready != nil {
		ready(is)
	}
	select {
	case <-ctx.Done():
	case err := <-a.failed:
		return err
	}
	a.log.Info("stopping", zap.Duration("drain", a.DrainDelay))
	a.draining.Store(true)
	if a.DrainDelay == 0 {
		return nil
	}
	a.edge.Refresh(true)
	select {
	case <-time.After(a.DrainDelay):
		return nil
	case err := <-a.failed:
		return err
	}
}

// How soon, and how often then, an instance that has nothing to answer with says why.
const (
	sayAfter = 2 * time.Second
	sayEvery = 30 * time.Second
)

// awaitTruth waits for a first snapshot, or for ctx to end. Meanwhile no gateway is answered, so that whoever reads the
// log has to be told.
func (a *app) awaitTruth(ctx context.Context) error {
	timer := time.NewTimer(sayAfter)
	defer timer.Stop()
	for {
		select {
		case <-a.follower.Ready():
			return nil
		case <-ctx.Done():
			return nil
		case err := <-a.failed:
			return err
		case <-timer.C:
			timer.Reset(sayEvery)
			at := a.follower.Status()
			a.log.Warn("no gateway is answered yet: there is no snapshot, neither from the source nor from disk",
				zap.String("source", a.truth.Address()), zap.String("alarm", at.Alarms()), zap.String("trouble", at.Trouble))
		}
	}
}

// listenForChecks binds the addresses of checks, answers on them, and then lets gateways find them.
func (a *app) listenForChecks(ctx context.Context) (serve.Ready, error) {
	var is serve.Ready
	secure, err := a.TLS.Config(a.log.Named("tls"), "h2")
	if err != nil {
		return is, err //nolint:wrapcheck // it names the files
	}
	for _, address := range a.listen {
		l, err := serve.Listen(ctx, address, serve.Shared())
		if err != nil {
			return is, err //nolint:wrapcheck // it names the address
		}
		a.listeners = append(a.listeners, l)
		// The files of a socket say who may connect; TLS is for the network.
		over := (*tls.Config)(nil)
		if l.TCP() {
			over = secure
		}
		go func() {
			if err := a.edge.Serve(l, over); err != nil {
				a.failed <- err
			}
		}()
		is.Listen = append(is.Listen, l.String())
	}
	for _, l := range a.listeners {
		if err := l.Publish(); err != nil {
			return is, err //nolint:wrapcheck // it names the socket
		}
	}
	if a.ops != nil {
		is.Ops = a.ops.String()
	}
	return is, nil
}

// report begins to tell the fleet, and has the teardown say goodbye before anything else.
func (a *app) report(ctx context.Context) {
	identity := state.Report{
		ID: a.instanceID(a.listeners[0]), Version: config.Version(), Service: a.Service, Env: a.Env,
	}
	a.reporter = authz.NewReporter(identity, a.server, a.follower.Status, a.truth, a.log.Named("fleet"))
	a.answering.Store(true)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.reporter.Run(ctx)
	}()
	a.teardown.Push("say goodbye", func(ctx context.Context) error {
		cancel()
		<-done
		if a.listeners[0].Replaced() {
			return nil // another process answers under this name by now
		}
		ctx, cancel := context.WithTimeout(ctx, byeWithin)
		defer cancel()
		a.reporter.Bye(ctx)
		return nil
	})
}

// watchAge takes the snapshot away once it is too old, and gives it back when the source confirms it.
func (a *app) watchAge(ctx context.Context) {
	if a.MaxStale < 2*time.Second {
		a.log.Warn("--max-stale is shorter than two questions to the source: every hiccup takes the snapshot away", zap.Duration("max_stale", a.MaxStale))
	}
	began := time.Now()
	tick := time.NewTicker(min(max(a.MaxStale/10, 10*time.Millisecond), 250*time.Millisecond))
	defer tick.Stop()
	was := false
	for {
		age := a.age(began)
		if stale := age > a.MaxStale; stale != was {
			was = stale
			a.log.Warn("the age of the snapshot crossed --max-stale", zap.Bool("stale", stale), zap.Duration("age", age), zap.String("on_stale", a.OnStale))
			a.server.SetStale(stale)
			a.edge.Refresh(a.draining.Load())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// age is for how long the source has not confirmed what is enforced.
func (a *app) age(began time.Time) time.Duration {
	switch at := a.follower.Status(); {
	case !at.LastInStep.IsZero():
		return time.Since(at.LastInStep)
	case a.kept != nil:
		return time.Since(a.kept.At)
	default:
		return time.Since(began)
	}
}
