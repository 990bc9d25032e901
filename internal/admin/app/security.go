package app

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/security"
	"github.com/waygate/waygate/internal/config"
)

// guard opens the security log and sets going what writes to it by itself. It is over after the last call was answered.
func (a *app) guard(ctx context.Context) error {
	cfg := security.Config{
		Log:     a.log.Named("security"),
		Refused: func(kind security.Kind) { a.meters.refused.WithLabelValues(string(kind)).Inc() },
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	closed := func() error { return nil }
	if a.cfg.SecurityLog != "" {
		file, err := security.OpenFile(a.cfg.SecurityLog)
		if err != nil {
			cancel()
			return err //nolint:wrapcheck // it names the file
		}
		log, err := config.Log{LogLevel: "info", LogFormat: "json"}.Logger(file)
		if err != nil {
			cancel()
			return err //nolint:wrapcheck // it names the setting
		}
		cfg.File, closed = log.Core(), file.Close
		running.Go(func() { a.reopen(ctx, file) })
	}
	a.security = security.New(cfg)
	running.Go(func() { a.security.Run(ctx) })
	a.teardown.Push("close the security log", func(context.Context) error {
		cancel()
		running.Wait()
		return closed()
	})
	return nil
}

// reopen begins the file of the security log anew on SIGHUP, which is what programs that rotate logs send.
func (a *app) reopen(ctx context.Context, file *security.File) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			if err := file.Reopen(); err != nil {
				a.log.Error("the security log cannot be reopened; what it cannot take is in this log", zap.Error(err))
			}
		case <-ctx.Done():
			return
		}
	}
}
