package filestore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// The pace at which desks follow what is written to them: what a crash loses of one is done again.
const (
	deskEvery = 50 * time.Millisecond
	deskShare = 10
)

// deskSuffix ends the names of the files with what lies on a desk.
const deskSuffix = ".json"

// desks writes what lies on desks behind the calls that changed it.
type desks struct {
	paths
	mu      sync.Mutex
	dirty   map[string]struct{}
	written chan struct{} // told when something is dirty
}

func newDesks(p paths) *desks {
	return &desks{paths: p, dirty: map[string]struct{}{}, written: make(chan struct{}, 1)}
}

// wrote notes that a desk changed.
func (d *desks) wrote(name string) {
	d.mu.Lock()
	d.dirty[name] = struct{}{}
	d.mu.Unlock()
	select {
	case d.written <- struct{}{}:
	default:
	}
}

// save writes the desks that changed; what it cannot write stays to be written.
func (d *desks) save(read func(name string) map[string][]byte) error {
	d.mu.Lock()
	dirty := d.dirty
	d.dirty = map[string]struct{}{}
	d.mu.Unlock()
	var failed error
	for name := range dirty {
		if err := d.write(name, read(name)); err != nil {
			failed = errors.Join(failed, err)
			d.wrote(name)
		}
	}
	return failed
}

func (d *desks) write(name string, fields map[string][]byte) error {
	text, err := json.Marshal(fields)
	if err == nil {
		err = os.MkdirAll(d.desk, 0o700)
	}
	if err != nil {
		return fmt.Errorf("write the desk %s: %w", name, err)
	}
	return d.replace(filepath.Join(d.desk, name+deskSuffix), text, 0o600)
}

// follow writes desks close behind their changes until stop.
func (d *desks) follow(stop <-chan struct{}, read func(name string) map[string][]byte, onError func(error)) {
	for {
		select {
		case <-d.written:
		case <-stop:
			return
		}
		start := time.Now()
		if err := d.save(read); err != nil {
			onError(err)
		}
		select {
		case <-time.After(max(deskEvery, deskShare*time.Since(start))):
		case <-stop:
			return
		}
	}
}

// readDesks reads what lies on all desks. One that cannot be read is empty then: what lay there is done again.
func (p *paths) readDesks() (map[string]map[string][]byte, error) {
	files, err := os.ReadDir(p.desk)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the desks: %w", err)
	}
	all := map[string]map[string][]byte{}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), deskSuffix)
		if !ok || state.CheckDesk(name) != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.desk, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the desks: %w", err)
		}
		var fields map[string][]byte
		if json.Unmarshal(text, &fields) == nil {
			all[name] = fields
		}
	}
	return all, nil
}
