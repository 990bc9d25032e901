package security

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// File is a log file that others may move away or remove while it is written to, as a rotation does: then a new one is
// begun in its place. It is safe for concurrent use.
type File struct {
	path string

	mu     sync.Mutex
	file   *os.File // nil where it could not be opened
	looked time.Time
}

// lookAgain is how often a file is looked at, at most, for whether it is still in its place.
const lookAgain = time.Second

// OpenFile opens a log file to append to it, and makes it where it is not there, for its owner alone.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	return f, f.Reopen()
}

// Reopen begins anew with what is in the file's place now. Where that fails, it is tried again with the next line.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reopen()
}

func (f *File) reopen() error {
	if f.file != nil {
		_ = f.file.Close() // all lines were written before; there is nothing to lose
		f.file = nil
	}
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the security log: %w", err)
	}
	f.file, f.looked = file, time.Now()
	return nil
}

// Write implements io.Writer: one line at a time.
func (f *File) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil || time.Since(f.looked) >= lookAgain && !f.inPlace() {
		if err := f.reopen(); err != nil {
			return 0, err
		}
	}
	n, err := f.file.Write(line)
	if err != nil {
		return n, fmt.Errorf("write the security log: %w", err)
	}
	return n, nil
}

// inPlace reports whether the file that is open is the one under its name.
func (f *File) inPlace() bool {
	f.looked = time.Now()
	here, err := os.Stat(f.path)
	if err != nil {
		return false
	}
	ours, err := f.file.Stat()
	return err == nil && os.SameFile(here, ours)
}

// Close ends the writing; a line after it opens the file again.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
