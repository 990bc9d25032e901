package filestore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/waygate/waygate/internal/state"
)

// acquire takes the lock that makes this process the only writer. The lock ends with the process, however it ends.
func acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("lock the store: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, 100))
		err = errors.Join(err, f.Close())
		return nil, fmt.Errorf("%s is held by another process (%s): a file store has one writer, stop that process first: %w: %w",
			path, strings.TrimSpace(string(owner)), state.ErrUnavailable, err)
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "process %d\n", os.Getpid()), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the store: %w", err), f.Close())
	}
	return f, nil
}
