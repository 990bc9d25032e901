//go:build unix

package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps other processes from the snapshots of the same name until the function it gives is called. Two processes
// use them at once while one takes over from the other.
func (d *Disk) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(d.dir, d.name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the snapshots: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the snapshots: %w", err), f.Close())
	}
	return func() { f.Close() }, nil
}
