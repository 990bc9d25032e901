package config

import (
	"fmt"
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Log is what a server is told about its log; embed it in the struct of its settings.
type Log struct {
	LogLevel  string `env:"WAYGATE_LOG_LEVEL"  envDefault:"info" flag:"log-level"  choices:"debug,info,warn,error" usage:"least level that is logged"`
	LogFormat string `env:"WAYGATE_LOG_FORMAT" envDefault:"json" flag:"log-format" choices:"json,console"          usage:"form of a log line"`
}

// Logger writes the log to out. Its time is RFC 3339 in UTC with milliseconds.
func (l Log) Logger(out io.Writer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(l.LogLevel)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	form := zap.NewProductionEncoderConfig()
	form.EncodeTime = zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z07:00")
	form.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(form)
	if l.LogFormat == "console" {
		form.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(form)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(out)), level)), nil
}
