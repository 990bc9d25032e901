package security

import (
	"context"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Config says where the log goes.
type Config struct {
	// Log takes the lines, and those that File cannot take. It is named "security".
	Log *zap.Logger
	// File takes the lines instead; nil for none.
	File zapcore.Core
	// Refused counts refusals, also those that are left out of the log; nil counts nothing.
	Refused func(Kind)
}

// Log is the security log. It is safe for concurrent use; a nil one takes nothing.
type Log struct {
	cfg    Config
	limits limits
}

// New makes a log. Run beside it tells what was left out.
func New(cfg Config) *Log { return &Log{cfg: cfg, limits: newLimits()} }

// Note writes an event, unless there are too many like it.
func (l *Log) Note(e Event) {
	if l == nil {
		return
	}
	if !e.Kind.refusal() {
		l.write(zapcore.InfoLevel, e.Kind.sentence(), e.fields())
		return
	}
	if l.cfg.Refused != nil {
		l.cfg.Refused(e.Kind)
	}
	if l.limits.take(e.Peer, e.Kind, time.Now()) {
		l.write(zapcore.WarnLevel, e.Kind.sentence(), e.fields())
	}
}

// lookEvery is how often Run looks for what was left out.
const lookEvery = 5 * time.Second

// Run writes, a minute after the first, how many events were left out; and once more when ctx ends.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			l.summarize(l.limits.over(now, period))
		case <-ctx.Done():
			l.summarize(l.limits.over(time.Now(), 0))
			return
		}
	}
}

func (l *Log) summarize(all []leftOut) {
	for _, s := range all {
		l.write(zapcore.WarnLevel, "more calls like these were refused and are not listed", []zapcore.Field{
			zap.String("kind", string(s.kind)), zap.String("peer", clean(s.network, maxName)), zap.Int("left_out", s.count),
			zap.Time("since", s.since.UTC()),
		})
	}
}

func (l *Log) write(level zapcore.Level, message string, fields []zapcore.Field) {
	if l.cfg.File != nil {
		at := zapcore.Entry{Level: level, Time: time.Now().UTC(), LoggerName: "security", Message: message}
		if err := l.cfg.File.Write(at, fields); err == nil {
			return
		}
	}
	l.cfg.Log.Log(level, message, fields...)
}
