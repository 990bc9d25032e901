package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// replace puts text in the place of a file in one step that survives a crash: the file is the old one or the new one,
// and once it returns it is the new one. What a crash leaves of it is in the directory temp.
func (p *paths) replace(path string, text []byte, mode os.FileMode) error {
	if err := renameio.WriteFile(path, text, mode, renameio.WithTempDir(p.temp), renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

// sweep removes files that were being written when a process ended: they never counted.
func (p *paths) sweep() error {
	if err := os.RemoveAll(p.temp); err != nil {
		return fmt.Errorf("remove what a crash left: %w", err)
	}
	if err := os.MkdirAll(p.temp, 0o700); err != nil {
		return fmt.Errorf("make a directory for files being written: %w", err)
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync a directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
