package app

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// initConfig is what init can be told, besides all that the server can.
type initConfig struct {
	Config
	FromSnapshot bool `env:"WAYGATE_INIT_FROM_SNAPSHOT" flag:"from-snapshot" usage:"give the store the document from --snapshot-dir, whatever it holds now"`
}

// init creates the store's document, or gives back the one from disk: what admins leave to a person to decide.
func (p Process) init(ctx context.Context) int {
	var cfg initConfig
	log, status := p.load(&cfg, program+" init")
	if log == nil {
		return status
	}
	if cfg.Backend == "memory" {
		fmt.Fprintf(p.Err, "%s init: the memory backend has nothing to create: it begins anew with each start\n", program)
		return 2
	}
	at, err := initialize(ctx, cfg, log)
	if err != nil {
		fmt.Fprintf(p.Err, "%s init: %s\n", program, err)
		return 1
	}
	fmt.Fprintf(p.Out, "the store begins at revision %d of epoch %s\n", at.Rev, at.Epoch)
	return 0
}

func initialize(ctx context.Context, cfg initConfig, log *zap.Logger) (state.Meta, error) {
	store, err := cfg.open(ctx, log)
	if err != nil {
		return state.Meta{}, err
	}
	defer func() { _ = store.close() }() // what matters was acknowledged before
	at, err := store.Pulse(ctx)
	empty := errors.Is(err, state.ErrEmpty)
	switch {
	case err != nil && !empty:
		return state.Meta{}, err //nolint:wrapcheck // the store says what was being done
	case !empty && !cfg.FromSnapshot:
		return state.Meta{}, fmt.Errorf("the store already holds a document, at revision %d: nothing was done", at.Rev)
	}
	doc, private := state.Genesis(store.gen), map[string][]byte(nil)
	if cfg.FromSnapshot {
		if doc, private, err = fromDisk(cfg, at.Meta); err != nil {
			return state.Meta{}, err
		}
	}
	if err := store.Seed(ctx, at.Meta, doc, private); err != nil {
		return state.Meta{}, fmt.Errorf("write the document: %w", err)
	}
	return doc.Meta, nil
}

// fromDisk is the document that the disk kept, placed after whatever the store holds.
func fromDisk(cfg initConfig, seen state.Meta) (*state.Document, map[string][]byte, error) {
	if cfg.SnapshotDir == "" {
		return nil, nil, errors.New("--from-snapshot needs --snapshot-dir")
	}
	disk, err := state.OpenDisk(cfg.SnapshotDir, "admin-"+cfg.Namespace, nil)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it names the directory
	}
	kept, err := disk.Load()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it names the file
	}
	was := kept.Document.Meta
	doc, err := kept.Document.With(nil, state.Meta{
		Epoch: state.NewEpoch(), Gen: max(was.Gen, seen.Gen) + 1, Rev: max(was.Rev, seen.Rev) + keptStep, Head: was.Head,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("take the document from disk: %w", err)
	}
	return doc, kept.Private, nil
}
