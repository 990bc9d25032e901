package filestore

import (
	"context"
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

// The pace at which desks are written: what comes meanwhile goes to disk together.
const (
	deskEvery = 10 * time.Millisecond
	deskShare = 5
)

// deskSuffix ends the names of the files with what lies on a desk.
const deskSuffix = ".json"

// desks writes what lies on desks, for all that changed it in a moment at once.
type desks struct {
	paths
	mu      sync.Mutex
	dirty   map[string]struct{}
	next    *round        // writes what is dirty
	now     *round        // is writing; nil for none
	written chan struct{} // told when something is dirty
}

// round is one writing of the desks that changed.
type round struct {
	done chan struct{}
	err  error // once it is done
}

func newDesks(p paths) *desks {
	return &desks{paths: p, dirty: map[string]struct{}{}, next: newRound(), written: make(chan struct{}, 1)}
}

func newRound() *round { return &round{done: make(chan struct{})} }

// WriteDesk implements state.Desk. It returns when what lies on the desk is on disk: what was sent because of it is not
// forgotten with the process.
func (s *Store) WriteDesk(ctx context.Context, lease state.Lease, fields map[string][]byte) error {
	if err := s.Store.WriteDesk(ctx, lease, fields); err != nil {
		return err //nolint:wrapcheck // it says what was being done
	}
	return s.desks.await(ctx, lease.Desk)
}

// await waits until a desk is on disk as it is now.
func (d *desks) await(ctx context.Context, name string) error {
	d.mu.Lock()
	r := d.now
	if _, dirty := d.dirty[name]; dirty {
		r = d.next
	}
	d.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return fmt.Errorf("write the desk %s: %w: %w", name, state.ErrUnknownOutcome, ctx.Err())
	}
	if r.err != nil {
		return fmt.Errorf("%w: %w", state.ErrUnknownOutcome, r.err)
	}
	return nil
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
	dirty, r := d.dirty, d.next
	d.dirty, d.next, d.now = map[string]struct{}{}, newRound(), r
	d.mu.Unlock()
	for name := range dirty {
		if err := d.write(name, read(name)); err != nil {
			r.err = errors.Join(r.err, err)
			d.wrote(name)
		}
	}
	d.mu.Lock()
	d.now = nil
	d.mu.Unlock()
	close(r.done)
	return r.err
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

// follow writes desks as they change, until stop. After a write that failed, as they do while a disk is full, it takes
// its time.
func (d *desks) follow(stop <-chan struct{}, read func(name string) map[string][]byte, onError func(error)) {
	for {
		select {
		case <-d.written:
		case <-stop:
			return
		}
		start, every := time.Now(), deskEvery
		if err := d.save(read); err != nil {
			every = checkpointEvery
			onError(err)
		}
		select {
		case <-time.After(max(every, deskShare*time.Since(start))):
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
