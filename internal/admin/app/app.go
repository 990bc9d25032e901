package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/security"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/crash"
	"github.com/waygate/waygate/internal/serve"
	"github.com/waygate/waygate/internal/state"
)

// stopWithin is how long an orderly stop may take.
const stopWithin = 8 * time.Second

// snapshotEvery is how far apart snapshots on disk lie at least: short, so that a Redis that is wiped just after a change
// is given that change back, even by an admin that was restarted meanwhile.
const snapshotEvery = 20 * time.Millisecond

// Run serves until ctx ends, then stops in order. Ready, if not nil, is told where once it answers. The error says why
// it could not start, or what went wrong while it stopped.
func Run(ctx context.Context, cfg Config, log *zap.Logger, ready func(serve.Ready)) error {
	a, err := start(ctx, cfg, log)
	if err == nil {
		err = a.work(ctx, ready)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return errors.Join(err, a.teardown.Run(last))
}

// app is one admin. Even after a start that failed, teardown undoes what was started.
type app struct {
	cfg      Config
	log      *zap.Logger
	teardown serve.Teardown
	failed   chan error

	store    *opened
	disk     *state.Disk
	kept     *state.Saved
	damaged  bool
	cache    state.Cache
	follower *state.Follower
	repairer *state.Repairer
	roster   *people.Roster
	people   *people.People
	service  *admin.Service
	security *security.Log
	notary   *notary
	meters   *meters

	configured *configured
	endpoints  *admin.Endpoints
	hooks      *webhook.Dispatcher
	history    history

	listeners []*serve.Listener
	ops       *serve.Listener
}

// start wires everything and sets it going.
func start(ctx context.Context, cfg Config, log *zap.Logger) (*app, error) {
	a := &app{cfg: cfg, log: log, failed: make(chan error, 8), meters: newMeters()}
	if err := a.cfg.settle(); err != nil {
		return a, err
	}
	// Who the users are is known before the store is touched: what cannot start leaves nothing behind.
	var err error
	if a.roster, err = people.NewRoster(a.cfg.User, a.cfg.Pass, a.cfg.UsersFile, a.log.Named("people")); err != nil {
		return a, err //nolint:wrapcheck // it names the setting
	}
	if err := a.guard(ctx); err != nil {
		return a, err
	}
	if err := a.openStore(ctx); err != nil {
		return a, err
	}
	if err := a.know(ctx); err != nil {
		return a, err
	}
	a.follow(ctx)
	return a, a.listen(ctx)
}

// openStore opens the store and reads what the disk kept of it.
func (a *app) openStore(ctx context.Context) error {
	var err error
	if a.store, err = a.cfg.open(ctx, a.log.Named("store")); err != nil {
		return err
	}
	a.teardown.Push("close the store", func(context.Context) error { return a.store.close() })
	for _, w := range a.store.warnings() {
		a.log.Warn(w)
	}
	if a.cfg.SnapshotDir == "" {
		if a.store.shared {
			a.log.Warn("without --snapshot-dir this admin can repair a Redis that lost everything only from memory, while it runs")
		}
		return nil
	}
	a.disk, err = state.OpenDisk(a.cfg.SnapshotDir, "admin-"+a.cfg.Namespace, func(at state.Meta, err error) {
		if err != nil {
			a.log.Error("the snapshot cannot be kept on disk", zap.Uint64("revision", at.Rev), zap.Error(err))
		}
	})
	if err != nil {
		return err //nolint:wrapcheck // it names the directory
	}
	a.disk.Pace(snapshotEvery)
	saved, err := a.disk.Load()
	switch {
	case errors.Is(err, state.ErrEmpty):
	case errors.Is(err, state.ErrDamaged):
		a.damaged = true
		a.log.Error("the snapshots on disk are damaged and were put aside", zap.Error(err))
	case err != nil:
		return err //nolint:wrapcheck // it names the file
	default:
		a.kept = &saved
		if saved.Damage != nil {
			a.log.Warn("one of the two snapshots on disk was damaged and was put aside", zap.Error(saved.Damage))
		}
	}
	return nil
}

// know makes what keeps this admin's knowledge: follower, repairer, people and the use cases on top of them.
func (a *app) know(ctx context.Context) error {
	if len(a.cfg.SecretKey) > 0 && len(a.cfg.SecretKey) < 16 {
		a.log.Warn("WAYGATE_SECRET_KEY is short: whoever guesses it can make tokens")
	}
	a.people = people.New(people.Config{
		Roster: a.roster, Store: a.store, Stands: func(ctx context.Context) (state.Pulse, error) { return a.service.Stands(ctx) },
		Secret: a.cfg.SecretKey, CLITerm: a.cfg.CLITerm, SDKTerm: a.cfg.SDKTerm, Log: a.log.Named("people"),
	})
	a.follower = state.NewFollower(a.store, &a.cache, state.FollowerOptions{
		OnApply: a.applied, OnState: a.linkChanged, Clock: state.NewClock(state.ClockOptions{OnChange: a.clockChanged}),
	})
	a.repairer = state.NewRepairer(a.store, a.follower, a.disk, state.RepairOptions{
		OnRepair: func(lost, now state.Meta) {
			a.log.Warn("the store had lost its history and was given it back", zap.Uint64("lost_revision", lost.Rev),
				zap.String("epoch", now.Epoch), zap.Uint64("revision", now.Rev))
		},
		OnState: func(alarm string) {
			if alarm != "" {
				a.log.Error("alarm", zap.String("alarm", alarm))
			} else {
				a.log.Info("the alarm is over")
			}
		},
	})
	a.service = admin.New(admin.Config{
		Store: a.store, Fleet: a.store, Trimmer: a.store, Cache: &a.cache, Follower: a.follower, Alarm: a.repairer.Alarm,
		Strict: a.cfg.StrictRoutes, RequireReason: a.cfg.RequireReason, UpcomingLead: a.cfg.UpcomingLead,
		Overrides: admin.Overrides{Default: a.cfg.DefaultOverride, Max: a.cfg.MaxOverride}, Log: a.log.Named("service"),
	})
	var err error
	if a.configured, err = a.cfg.configured(a.log.Named("webhooks")); err != nil {
		return err
	}
	a.endpoints = admin.NewEndpoints(a.service, admin.EndpointsConfig{
		Fixed: a.configured.endpoints, Trouble: a.configured.trouble, Changed: a.endpointsChanged,
	})
	a.hooks = a.newHooks()
	a.endpoints.Through(a.hooks, a.hooks)
	a.meters.watchHooks(a.hooks)
	if a.notary, err = newNotary(&a.cfg, a.place, a.log.Named("checkpoints")); err != nil {
		return err
	}
	if a.notary != nil {
		a.teardown.Push("close the checkpoints", func(context.Context) error { return a.notary.close() })
	}
	a.meters.watch(a.follower, a.repairer)
	a.meters.watchWindows(a.service)
	if a.kept != nil {
		snap, err := state.Compile(a.kept.Document)
		if err != nil {
			return fmt.Errorf("compile the snapshot from disk: %w", err)
		}
		a.follower.SetInitial(snap)
		a.repairer.SetInitial(*a.kept)
		a.people.SetInitial(a.kept.Private)
	}
	if !a.store.shared {
		return a.store.found(ctx, a.kept, a.damaged, a.log)
	}
	return nil
}

func (a *app) applied(snap *state.Snapshot, frames []state.Frame) {
	crash.Point("apply")
	a.repairer.Applied(snap, frames)
	a.service.Applied(snap, frames)
	a.people.Changed()
	a.endpoints.Applied(frames)
	a.history.add(snap.Document())
	a.hooks.Moved()
	a.notary.Moved()
}

// place is where our own view stands, and the time.
func (a *app) place() (state.Meta, time.Time) {
	view, err := a.service.View()
	if err != nil {
		return state.Meta{}, time.Time{}
	}
	return view.Place(), view.Now
}

func (a *app) linkChanged(s state.FollowStatus) {
	a.log.Info("the link to the store changed", zap.String("link", string(s.Link)), zap.Uint64("revision", s.Rev),
		zap.String("alarm", s.Alarm), zap.String("trouble", s.Trouble))
}

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

// follow sets going what runs beside the calls. All of it has ended when the teardown is over.
func (a *app) follow(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { a.follower.Run(ctx) })
	running.Go(func() { a.repairer.Run(ctx) })
	running.Go(func() { a.people.Run(ctx) })
	running.Go(func() { a.service.Tend(ctx) })
	running.Go(func() { a.hooks.Run(ctx) })
	if a.disk != nil {
		running.Go(func() { a.disk.Run(ctx) })
	}
	if a.notary != nil {
		running.Go(func() { a.notary.Run(ctx) })
	}
	if a.store.shared {
		running.Go(func() { a.foundShared(ctx) })
	}
	a.people.Changed()
	a.teardown.Push("stop following", func(context.Context) error {
		cancel()
		a.endpoints.Close()
		running.Wait()
		return nil
	})
}

// foundShared creates the document of a shared store that is new, once the store can be asked.
func (a *app) foundShared(ctx context.Context) {
	said := ""
	for ctx.Err() == nil {
		err := a.store.found(ctx, a.kept, a.damaged, a.log)
		if err == nil {
			return
		}
		if said != err.Error() && ctx.Err() == nil {
			said = err.Error()
			a.log.Error("the store has no document yet", zap.Error(err))
		}
		timer := time.NewTimer(foundEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// work waits until there is something to answer with, says so, and serves until ctx ends.
func (a *app) work(ctx context.Context, ready func(serve.Ready)) error {
	for _, known := range []<-chan struct{}{a.follower.Ready(), a.people.Ready()} {
		select {
		case <-known:
		case <-ctx.Done():
			return nil
		case err := <-a.failed:
			return err
		}
	}
	is := serve.Ready{}
	for _, l := range a.listeners {
		if err := l.Publish(); err != nil {
			return err //nolint:wrapcheck // it names the socket
		}
		is.Listen = append(is.Listen, l.String())
	}
	if a.ops != nil {
		if err := a.ops.Publish(); err != nil {
			return err //nolint:wrapcheck // it names the socket
		}
		is.Ops = a.ops.String()
	}
	if err := is.Write(a.cfg.ReadyFile); err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	a.log.Info("ready", zap.Strings("listen", is.Listen), zap.String("ops", is.Ops), zap.String("base_path", a.cfg.BasePath),
		zap.String("version", config.Version()), zap.String("backend", a.cfg.Backend), zap.String("durability", string(a.store.Durability())), zap.Bool("users", a.cfg.users()))
	if ready != nil {
		ready(is)
	}
	select {
	case <-ctx.Done():
		a.log.Info("stopping")
		return nil
	case err := <-a.failed:
		return err
	}
}
