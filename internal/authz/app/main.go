package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/config"
)

// Process is what a program has of its surroundings.
type Process struct {
	Args     []string // without the program's name
	Environ  []string
	Dir      string
	Out, Err io.Writer
}

const program = "waygate-authz"

// Main runs the program until ctx ends and returns its exit status: 0, 1 when something failed, 2 when it was told
// something it cannot do.
func Main(ctx context.Context, p Process) int {
	cfg, log, err := p.load()
	if errors.Is(err, config.ErrHelp) || errors.Is(err, config.ErrVersion) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(p.Err, "%s: %s\n", program, err)
		return 2
	}
	cfg.OwnProcess = true
	if err := Run(ctx, cfg, log, nil); err != nil {
		log.Error("waygate-authz ended", zap.Error(err))
		return 1
	}
	return 0
}

// load reads the settings and makes the log they ask for.
func (p Process) load() (Config, *zap.Logger, error) {
	var cfg Config
	vars, err := config.Environment(p.Dir, p.Environ)
	if err != nil {
		return cfg, nil, err //nolint:wrapcheck // it names the file
	}
	if err := config.Load(&cfg, program, p.Args, vars, p.Out); err != nil {
		return cfg, nil, err //nolint:wrapcheck // it names the setting
	}
	if _, err := cfg.settle(); err != nil {
		return cfg, nil, err
	}
	log, err := cfg.Logger(p.Err)
	return cfg, log, err //nolint:wrapcheck // it names the setting
}
