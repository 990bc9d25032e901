package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/authz"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/httpsource"
	"github.com/waygate/waygate/internal/state/redisstore"
)

// truth is where truth is read and where the instance reports.
type truth interface {
	state.Source
	authz.Fleet
	// Address says where it is, without secrets.
	Address() string
	Close() error
}

// openSource opens what the settings name: at once where nothing is known yet, and a source that must not be used stops
// the start; in the background where a snapshot was on disk.
func (a *app) openSource(ctx context.Context) error {
	open := a.openAdmin
	if a.source.redis {
		open = a.openRedis
	}
	var opened truth
	if a.kept != nil {
		opened = openLate(open, func(err error) { a.failed <- err }, a.log)
	} else {
		var err error
		if opened, err = open(ctx); err != nil {
			return err
		}
	}
	a.truth = attentive{truth: opened, hold: a.processors.hold, serving: func() bool { return a.OwnProcess && a.cache.Load() != nil }}
	a.teardown.Push("close the source", func(context.Context) error { return opened.Close() })
	return nil
}

func (a *app) openRedis(ctx context.Context) (truth, error) {
	redisstore.LogTo(func(message string) { a.log.Debug(message, zap.String("from", "go-redis")) })
	reader, err := redisstore.OpenReader(ctx, a.source.url, a.Namespace, redisstore.Options{Name: program})
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the address
	}
	for _, w := range reader.Warnings() {
		a.log.Warn(w.Text, zap.String("warning", w.Name))
	}
	return reader, nil
}

// openAdmin follows an admin's stream. It connects when it is first read from.
func (a *app) openAdmin(context.Context) (truth, error) {
	return httpsource.New(httpsource.Config{Base: a.source.url, Token: a.Token, Namespace: a.Namespace}) //nolint:wrapcheck // it names the setting
}

// How long the work can take that a document, or a piece of the log, means. A single frame is no work.
const (
	framesWork   = time.Second
	documentWork = 2 * time.Minute
)

// attentive has processors ready for the work that news means: compiling a large document must not keep checks waiting.
type attentive struct {
	truth
	hold func(time.Duration)
	// serving reports whether checks are answered meanwhile, in a process of our own.
	serving func() bool
}

// Load reads the whole document. The follower calls it on a goroutine that reads and compiles one document and ends,
// so all of that gives way to the checks.
func (s attentive) Load(ctx context.Context) (*state.Document, error) {
	s.hold(documentWork)
	if s.serving() {
		inBackground()
	}
	return s.truth.Load(ctx) //nolint:wrapcheck // it is the source's own error
}

// Frames reads a piece of the log.
func (s attentive) Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error) {
	s.hold(framesWork)
	return s.truth.Frames(ctx, epoch, after, limit) //nolint:wrapcheck // it is the source's own error
}
