package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// openAgain is how long to wait before a source that could not be opened is tried again.
const openAgain = 2 * time.Second

// late is a source that is opened in the background. An instance that has a snapshot on disk must not keep gateways
// waiting while its source is slow, away, or in a state in which it must not be used.
type late struct {
	open func(context.Context) (truth, error)
	fail func(error) // told of what waiting does not cure
	log  *zap.Logger
	stop context.CancelFunc
	done sync.WaitGroup
	is   chan struct{} // closed once opened is set

	opened truth
}

// openLate begins to open a source. Fail is told when the settings are such that it never can be.
func openLate(open func(context.Context) (truth, error), fail func(error), log *zap.Logger) *late {
	ctx, cancel := context.WithCancel(context.Background())
	l := &late{open: open, fail: fail, log: log, stop: cancel, is: make(chan struct{})}
	l.done.Go(func() { l.run(ctx) })
	return l
}

func (l *late) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	said := ""
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		opened, err := l.open(ctx)
		if err == nil {
			l.opened = opened
			close(l.is)
			return
		}
		if _, hopeless := errors.AsType[*state.InvalidError](err); hopeless {
			l.fail(err)
			return
		}
		if said != err.Error() && ctx.Err() == nil {
			said = err.Error()
			l.log.Error("the source cannot be opened; what was on disk stays in force", zap.Error(err))
		}
		timer.Reset(openAgain)
	}
}

// get waits for the source.
func (l *late) get(ctx context.Context) (truth, error) {
	select {
	case <-l.is:
		return l.opened, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the source is not open: %w", state.ErrUnavailable)
	}
}

// Address says where the source is, once it is open.
func (l *late) Address() string {
	select {
	case <-l.is:
		return l.opened.Address()
	default:
		return "not open yet"
	}
}

// Close closes the source, or gives up opening it.
func (l *late) Close() error {
	l.stop()
	l.done.Wait()
	if l.opened == nil {
		return nil
	}
	return l.opened.Close() //nolint:wrapcheck // it is the source's own error
}

// Pulse implements state.Source.
func (l *late) Pulse(ctx context.Context) (state.Pulse, error) {
	t, err := l.get(ctx)
	if err != nil {
		return state.Pulse{}, err
	}
	return t.Pulse(ctx) //nolint:wrapcheck // it is the source's own error
}

// Load implements state.Source.
func (l *late) Load(ctx context.Context) (*state.Document, error) {
	t, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return t.Load(ctx) //nolint:wrapcheck // it is the source's own error
}

// Frames implements state.Source.
func (l *late) Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error) {
	t, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return t.Frames(ctx, epoch, after, limit) //nolint:wrapcheck // it is the source's own error
}

// Watch implements state.Source.
func (l *late) Watch(ctx context.Context, w state.Watcher) error {
	t, err := l.get(ctx)
	if err != nil {
		return err
	}
	return t.Watch(ctx, w) //nolint:wrapcheck // it is the source's own error
}

// Report implements authz.Fleet.
func (l *late) Report(ctx context.Context, r state.Report) error {
	t, err := l.get(ctx)
	if err != nil {
		return err
	}
	return t.Report(ctx, r) //nolint:wrapcheck // it is the source's own error
}
